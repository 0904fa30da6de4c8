"""A pipeline in the middle of its work, on disk and back."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twinbeam._version import __version__
from twinbeam.errors import RawDataError
from twinbeam.pipeline.pipeline import Pipeline

__all__ = ["load_checkpoint", "save_checkpoint"]

_MAGIC = "twinbeam checkpoint"
_LONGEST_HEADER = 1 << 24

# What numpy, pydantic and the standard library need to rebuild arrays, parameters and paths. All
# else must be a class of the analysis, none of which does anything when it is made.
_KNOWN = frozenset(
    {
        ("builtins", "bytearray"),
        ("builtins", "set"),
        ("builtins", "slice"),
        ("collections", "deque"),
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "scalar"),
        ("numpy._core.numeric", "_frombuffer"),
        ("pathlib", "PosixPath"),
        ("pathlib._local", "PosixPath"),
    }
)
_PACKAGES = frozenset(
    {"columns", "images", "pairs", "parameters", "photons", "physics", "pipeline", "tpx3"}
)


def save_checkpoint(path: str | Path, pipeline: Pipeline, about: Mapping[str, Any]) -> None:
    """Write a pipeline and a few facts about it, all or nothing; only its user can read the file.

    Parameters
    ----------
    about
        Anything JSON can say, such as which bytes the pipeline has been fed.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    body = pickle.dumps(pipeline, protocol=5)
    header = {
        "file": _MAGIC,
        "twinbeam": __version__,
        "recipe_hash": pipeline.recipe.hash,
        "sha256": hashlib.sha256(body).hexdigest(),
        "about": dict(about),
    }
    path = Path(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(json.dumps(header).encode() + b"\n")
            file.write(body)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def load_checkpoint(path: str | Path, recipe_hash: str) -> tuple[Pipeline, dict[str, Any]]:
    """The pipeline of a checkpoint, and what was written about it.

    Raises
    ------
    RawDataError
        If there is none, it is damaged, or another program version or recipe made it.
    """
    try:
        with Path(path).open("rb") as file:
            header = json.loads(file.readline(_LONGEST_HEADER))
            body = file.read()
        if header["file"] != _MAGIC:
            raise ValueError("not a checkpoint")
        if (header["twinbeam"], header["recipe_hash"]) != (__version__, recipe_hash):
            raise ValueError("made by another version or with another recipe")
        if header["sha256"] != hashlib.sha256(body).hexdigest():
            raise ValueError("its checksum is wrong")
        pipeline = _Loader(io.BytesIO(body)).load()
        if not isinstance(pipeline, Pipeline):
            raise ValueError("it holds no pipeline")
        return pipeline, dict(header["about"])
    except OSError as error:
        raise RawDataError(
            f"the checkpoint cannot be read: {error.strerror}", where=str(path)
        ) from error
    except (LookupError, TypeError, ValueError, AttributeError, EOFError) as error:
        raise _unusable(path, error) from error
    except (pickle.UnpicklingError, ImportError) as error:
        raise _unusable(path, error) from error


def _unusable(path: str | Path, error: Exception) -> RawDataError:
    return RawDataError(
        f"the checkpoint cannot be used: {error}",
        where=str(path),
        hint="delete it; the raw files are read from the start then",
    )


class _Loader(pickle.Unpickler):
    """Rebuilds objects of this package and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """A class the checkpoint names, if it may."""
        if (module, name) in _KNOWN:
            return super().find_class(module, name)
        root, _, rest = module.partition(".")
        if root == "twinbeam" and rest.split(".")[0] in _PACKAGES and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__ == module:
                return found
        raise pickle.UnpicklingError(f"it names {module}.{name}")
