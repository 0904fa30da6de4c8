"""The documents are built without a warning, so every link and every directive resolves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from doc_pages import DOCS


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the pages."""
    for module in ("sphinx", "myst_parser", "pydata_sphinx_theme"):
        pytest.importorskip(module, reason="pip install 'twinbeam[docs]'")
    out = tmp_path_factory.mktemp("html")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", str(out / "trees"),
         str(DOCS), str(out / "html")],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return out / "html"


@pytest.mark.timeout(300)
def test_every_page_is_built(built: Path) -> None:
    for page in DOCS.rglob("*.md"):
        html = built / page.relative_to(DOCS).with_suffix(".html")
        assert html.stat().st_size > 2000, page


def test_help_of_commands_stands_in_the_reference(built: Path) -> None:
    text = (built / "reference" / "commands.html").read_text()
    assert "--paper-rates" in text
    assert "Traceback" not in text
