"""Results as NeXus/HDF5 files."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import h5py

from twinbeam._version import __version__
from twinbeam.errors import StorageError
from twinbeam.pairs import DERIVED_UNITS
from twinbeam.pipeline.nexus_groups import fill_results, fill_table
from twinbeam.pipeline.result import Result

__all__ = ["write_nexus"]


def write_nexus(result: Result, path: str | Path, *, sources: dict[str, str] | None = None) -> None:
    """Write a result; the file appears under its name only when it is complete.

    When it is not written, or interrupted, an earlier file of that name stays as it was.

    Parameters
    ----------
    sources
        Raw files by path with their SHA-256, kept as provenance.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    path = Path(path)
    part = path.with_name(path.name + ".part")
    try:
        # made in memory: HDF5 cannot close a file that it could not write on a full disk
        with h5py.File(part.name, "w", driver="core", backing_store=False) as file:
            _fill(file, result, sources or {})
            file.flush()
            content = file.id.get_file_image()
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        raise StorageError(
            f"cannot write the result: {error}",
            where=str(path),
            hint="check that the folder exists and has space",
        ) from error
    finally:
        with contextlib.suppress(OSError):  # it has its name by now, unless something went wrong
            part.unlink()


def _fill(file: h5py.File, result: Result, sources: dict[str, str]) -> None:
    file.attrs["default"] = "entry"
    entry = file.create_group("entry")
    entry.attrs["NX_class"] = "NXentry"
    entry.attrs["default"] = "dt"
    entry["program_name"] = "twinbeam"
    entry["program_name"].attrs["version"] = __version__
    entry["ledger"] = json.dumps(result.ledger.as_dict())
    entry["recipe"] = json.dumps(result.recipe.as_dict())
    entry["recipe"].attrs["hash"] = result.recipe.hash
    entry["sources"] = json.dumps(sources)
    geometry = result.recipe.geometry
    tables = {
        "pairs": result.pairs.columns(),
        "pairs_derived": {
            name: result.pairs.quantity(name, geometry) for name in sorted(DERIVED_UNITS)
        },
    }
    if result.photons is not None:
        tables["photons"] = result.photons.columns()
    for name, columns in tables.items():
        fill_table(entry.create_group(name), columns)
    fill_results(entry, result)
