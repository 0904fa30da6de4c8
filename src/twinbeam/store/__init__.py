"""Runs on disk: the catalogue in a folder or on a tiled server, its writer, raw files as tables.

Importing this package is light; tiled is imported by the first call that needs it.
"""

from twinbeam.store.catalog import Catalog, open_catalog
from twinbeam.store.derived import write_derived
from twinbeam.store.documents import read_documents
from twinbeam.store.export import EXPORT_FORMATS, ExportFormat, export_result
from twinbeam.store.ingest import ingest
from twinbeam.store.kept_runs import KeptRun, kept_runs
from twinbeam.store.left_over import LeftOver, LeftOverFinder, left_over
from twinbeam.store.raw_files import register_photons, register_raw
from twinbeam.store.raw_keys import RawFiles, raw_detectors, raw_files
from twinbeam.store.registered import RegisteredFiles, registered_files
from twinbeam.store.relocate import MovedRun, relocate
from twinbeam.store.relocations import Relocations
from twinbeam.store.results import store_result, stored_digest
from twinbeam.store.server import CatalogServer, serve_catalog
from twinbeam.store.sources import RawSource, raw_sources
from twinbeam.store.stored_result import StoredResult, read_result, stored_recipes
from twinbeam.store.writer import RunWriter

__all__ = [
    "EXPORT_FORMATS",
    "Catalog",
    "CatalogServer",
    "ExportFormat",
    "KeptRun",
    "LeftOver",
    "LeftOverFinder",
    "MovedRun",
    "RawFiles",
    "RawSource",
    "RegisteredFiles",
    "Relocations",
    "RunWriter",
    "StoredResult",
    "export_result",
    "ingest",
    "kept_runs",
    "left_over",
    "open_catalog",
    "raw_detectors",
    "raw_files",
    "raw_sources",
    "read_documents",
    "read_result",
    "register_photons",
    "register_raw",
    "registered_files",
    "relocate",
    "serve_catalog",
    "store_result",
    "stored_digest",
    "stored_recipes",
    "write_derived",
]
