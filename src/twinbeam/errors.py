"""Errors: one root, few children, each saying where, what, and what to do next."""

from __future__ import annotations

__all__ = [
    "BeamlineError",
    "RawDataError",
    "RecipeError",
    "StorageError",
    "TwinbeamError",
]


class TwinbeamError(Exception):
    """Root of every error twinbeam raises on purpose.

    Parameters
    ----------
    what
        One sentence: what is wrong.
    where
        File and byte offset, PV, plan or setting the sentence is about.
    hint
        What the user can do next.
    """

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} ({self.hint})" if self.hint else text

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.what, self.where, self.hint))


def _rebuild(
    kind: type[TwinbeamError], what: str, where: str | None, hint: str | None
) -> TwinbeamError:
    return kind(what, where=where, hint=hint)


class RawDataError(TwinbeamError):
    """A raw file is missing, unreadable or not what it claims to be."""


class RecipeError(TwinbeamError):
    """A parameter is unknown, out of bounds or contradicts another."""


class BeamlineError(TwinbeamError):
    """A PV, device or plan did not do what was asked of it."""


class StorageError(TwinbeamError):
    """A run cannot be stored, found or read back."""
