"""Runs on disk: the embedded tiled catalogue, its writer, raw files as tables, derived results.

Importing this package is light; tiled is imported by the first call that needs it.
"""

from twinbeam.store.catalog import Catalog, open_catalog
from twinbeam.store.derived import write_derived
from twinbeam.store.documents import read_documents
from twinbeam.store.ingest import ingest
from twinbeam.store.raw_files import register_raw
from twinbeam.store.raw_keys import RawFiles, raw_detectors, raw_files
from twinbeam.store.results import store_result, stored_digest
from twinbeam.store.writer import RunWriter

__all__ = [
    "Catalog",
    "RawFiles",
    "RunWriter",
    "ingest",
    "open_catalog",
    "raw_detectors",
    "raw_files",
    "read_documents",
    "register_raw",
    "store_result",
    "stored_digest",
    "write_derived",
]
