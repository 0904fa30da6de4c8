"""Settings of Sphinx: `sphinx-build -W docs build/docs`."""

from __future__ import annotations

import sys
from pathlib import Path

from twinbeam import __version__

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "twinbeam"
release = version = __version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "from_code",
]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
html_theme = "pydata_sphinx_theme"
html_title = "twinbeam"
html_theme_options = {"show_prev_next": False, "navigation_with_keys": False}
html_show_copyright = False
autodoc_typehints = "description"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
default_role = "code"
exclude_patterns = ["build"]
