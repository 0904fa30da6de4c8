"""A stored result as a file to hand on."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, get_args

from twinbeam.errors import StorageError
from twinbeam.store.stored_result import StoredResult

__all__ = ["EXPORT_FORMATS", "ExportFormat", "export_result"]

ExportFormat = Literal["nexus", "csv", "parquet", "zarr"]
EXPORT_FORMATS: tuple[str, ...] = get_args(ExportFormat)


def export_result(
    result: StoredResult,
    out: str | Path,
    kind: ExportFormat,
    *,
    what: str = "pairs",
    force: bool = False,
) -> Path:
    """Write a stored result with its provenance; it appears under its name only when complete.

    - `nexus`: all of it, in the layout of `twinbeam process --out`, with the run's documents.
    - `zarr`: all of it, a group a table; the provenance is in the attributes.
    - `csv`, `parquet`: one table or one-dimensional histogram; the provenance is in a comment
      before the header, or in the metadata of the schema under `twinbeam`.

    Parameters
    ----------
    result
        What `read_result` gave.
    out
        File to write; for zarr a folder.
    kind
        One of `EXPORT_FORMATS`.
    what
        Name of the table or histogram for csv and parquet.
    force
        Whether something of that name is replaced.

    Raises
    ------
    StorageError
        If the name is taken, the result holds no such table, or nothing can be written.
    """
    from twinbeam.store._export_nexus import write_nexus_export
    from twinbeam.store._export_tables import write_csv, write_parquet
    from twinbeam.store._export_zarr import write_zarr

    path = Path(out)
    with _complete_or_nothing(path, force) as part:
        if kind == "nexus":
            write_nexus_export(result, part)
        elif kind == "zarr":
            write_zarr(result, part)
        elif kind == "csv":
            write_csv(result, what, part)
        else:
            write_parquet(result, what, part)
    return path


@contextmanager
def _complete_or_nothing(path: Path, force: bool) -> Iterator[Path]:
    """A place to write to, which gets the name `path` when all went well."""
    if os.path.lexists(path) and not force:
        raise StorageError("is there already", where=str(path), hint="replace it with --force")
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise StorageError(
            f"cannot be written: {error.strerror}",
            where=str(path),
            hint="check that the folder exists and may be written",
        ) from error
    part = folder / path.name
    try:
        yield part
        if path.is_dir() and not path.is_symlink():  # a folder is not replaced in one step
            path.rename(folder / "before")
        part.replace(path)
    except OSError as error:
        before = folder / "before"
        if before.exists() and not path.exists():
            before.rename(path)
        raise StorageError(
            f"cannot be written: {error.strerror or error}",
            where=str(path),
            hint="check that there is space",
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
