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
        ``waiting`` (no run yet), ``running``, ``complete`` or ``damaged``.
    version
        Number of results published for the run.
    files_named, files_read
        Raw files the documents have named, and those that have been processed.
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
    bytes_named: int = 0
    bytes_read: int = 0
    problems: tuple[str, ...] = ()

    @property
    def files_waiting(self) -> int:
        """Raw files named and not yet processed."""
        return self.files_named - self.files_read
