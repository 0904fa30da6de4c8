"""How the live analysis is doing, as a value."""

from __future__ import annotations

from dataclasses import dataclass

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
        not whole) or ``failed`` (the analysis could not start).
    version
        Number of results published for the run.
    files_named, files_read, files_failed
        Raw files the documents have named, those that have been processed, and those that could
        not be read.
    bytes_named, bytes_read
        The same in bytes.
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
    problems: tuple[str, ...] = ()

    @property
    def files_waiting(self) -> int:
        """Raw files named and not yet tried."""
        return self.files_named - self.files_read - self.files_failed
