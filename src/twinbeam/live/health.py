"""How the live analysis is doing, as a value."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["Health"]


@dataclass(frozen=True)
class Health:
    """State of the analysis of one run.

    Attributes
    ----------
    run
        Uid of the run; empty before the first.
    state
        ``waiting`` (no run yet), ``running``, ``complete``, ``damaged`` (raw data were missing or
        not whole), ``interrupted`` (its documents ended without a stop) or ``failed`` (the analysis
        could not start).
    version
        Number of results published for the run.
    files_named, files_read, files_failed
        Raw files the documents have named, those that have been processed, and those that could
        not be read.
    bytes_named, bytes_read
        The same in bytes.
    files_left_out
        Raw files of further detectors, which are not analysed.
    source
        Where the bytes of the result are from: ``files``, or ``stream`` for the detector's TCP
        stream. While the run goes on the latter is provisional if there are files too.
    stream_bytes, stream_dropped_bytes, stream_gaps
        Bytes of the stream that were processed, those of the run that were dropped for want of
        room, and in how many places bytes of the stream are or may be missing.
    problems
        What went wrong, in order; empty when nothing did.
    """

    run: str = ""
    state: str = "waiting"
    version: int = 0
    files_named: int = 0
    files_read: int = 0
    files_failed: int = 0
    bytes_named: int = 0
    bytes_read: int = 0
    files_left_out: int = 0
    source: str = "files"
    stream_bytes: int = 0
    stream_dropped_bytes: int = 0
    stream_gaps: int = 0
    problems: tuple[str, ...] = ()

    @property
    def files_waiting(self) -> int:
        """Raw files named and not yet tried."""
        return self.files_named - self.files_read - self.files_failed

    def noted(self, problem: str, *, instead_of: str = "") -> Health:
        """The same with one more problem, unless it is known, in the place of another."""
        if problem in self.problems:
            return self
        others = tuple(known for known in self.problems if known != instead_of)
        return replace(self, problems=(*others, problem))
