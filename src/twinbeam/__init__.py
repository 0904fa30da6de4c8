"""twinbeam: X-ray photon pairs on a Timepix3, live, exact and replayable."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from twinbeam._version import __version__

if TYPE_CHECKING:
    from twinbeam.pipeline import Pipeline, Recipe, process, read_photons
    from twinbeam.tpx3 import read_hits, read_tdc

__all__ = [
    "Pipeline",
    "Recipe",
    "__version__",
    "process",
    "read_hits",
    "read_photons",
    "read_tdc",
]

# looked up when they are first used, so that importing twinbeam alone is light
_HOMES = {
    "Pipeline": "twinbeam.pipeline",
    "Recipe": "twinbeam.pipeline",
    "process": "twinbeam.pipeline",
    "read_hits": "twinbeam.tpx3",
    "read_photons": "twinbeam.pipeline",
    "read_tdc": "twinbeam.tpx3",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'twinbeam' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
