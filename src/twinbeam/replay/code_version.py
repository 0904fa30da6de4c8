"""Which program makes a result."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from twinbeam._version import __version__

__all__ = ["code_version"]

_NUMBERS = ("numpy", "numba")
_ANALYSIS = ("tpx3", "photons", "pairs", "images", "physics", "pipeline")


@lru_cache(maxsize=1)
def code_version() -> str:
    """The version, and a digest of everything between raw bytes and a result.

    That is the source, and the versions of the libraries that compute. So a partial result is not
    used by a program that might have made another one, also between two versions.
    """
    root = Path(__file__).parents[1]
    digest = hashlib.sha256("".join(f"{name} {version(name)}\0" for name in _NUMBERS).encode())
    for package in (".", *_ANALYSIS):
        for path in sorted((root / package).glob("*.py")):
            digest.update(f"{package}/{path.name}\0".encode())
            digest.update(path.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:12]}"
