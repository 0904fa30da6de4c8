"""Stored runs again: as documents to the callbacks that saw them live, and their results."""

from twinbeam.replay.comparison import Comparison, compare
from twinbeam.replay.find import find_run
from twinbeam.replay.lines import replay_jsonl
from twinbeam.replay.raw_runs import (
    RawRun,
    raw_run_of_documents,
    raw_run_of_files,
    stored_raw_run,
)
from twinbeam.replay.reprocess import Progress, Reprocessed, reprocess
from twinbeam.replay.result_content import (
    ResultContent,
    content_of_file,
    content_of_result,
    content_of_stored,
)
from twinbeam.replay.search import find_runs
from twinbeam.replay.stored import replay

__all__ = [
    "Comparison",
    "Progress",
    "RawRun",
    "Reprocessed",
    "ResultContent",
    "compare",
    "content_of_file",
    "content_of_result",
    "content_of_stored",
    "find_run",
    "find_runs",
    "raw_run_of_documents",
    "raw_run_of_files",
    "replay",
    "replay_jsonl",
    "reprocess",
    "stored_raw_run",
]
