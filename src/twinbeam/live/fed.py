"""Which bytes of a run's raw files a pipeline was fed, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Part", "part_from_json", "unfed"]


@dataclass(frozen=True)
class Part:
    """The first bytes of a raw file, or all of them.

    Attributes
    ----------
    acquisition
        Folder and template; files with the same one share a clock.
    path
        The file.
    n_bytes
        How many bytes.
    """

    acquisition: str
    path: Path
    n_bytes: int

    def as_json(self) -> list[str | int]:
        """A form JSON can say."""
        return [self.acquisition, str(self.path), self.n_bytes]


def part_from_json(values: Sequence[str | int]) -> Part:
    """The inverse of `Part.as_json`; raises ValueError or TypeError when it is none."""
    acquisition, path, n_bytes = values
    return Part(str(acquisition), Path(str(path)), int(n_bytes))


def unfed(fed: Sequence[Part], wanted: Sequence[Part]) -> list[tuple[int, int]] | None:
    """What is left to feed so that a pipeline has had all that is wanted and nothing else.

    Parameters
    ----------
    fed
        What it was fed.
    wanted
        What it is to be fed, each file with its whole size.

    Returns
    -------
    list or None
        Rows of `wanted` with the byte to go on from; None when something else was fed already, or
        less of a file than it holds although a later one followed.
    """
    if len(fed) > len(wanted):
        return None
    for have, want in zip(fed, wanted, strict=False):
        if (have.acquisition, have.path) != (want.acquisition, want.path):
            return None
    if any(have.n_bytes != want.n_bytes for have, want in zip(fed[:-1], wanted, strict=False)):
        return None
    rest = [(at, 0) for at in range(len(fed), len(wanted))]
    if not fed:
        return rest
    last, whole = fed[-1].n_bytes, wanted[len(fed) - 1].n_bytes
    if last > whole:
        return None
    return [(len(fed) - 1, last), *rest] if last < whole else rest
