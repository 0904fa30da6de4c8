"""What is told of a result while it grows: numbers, not maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from twinbeam.live.health import Health

__all__ = ["Update"]


@dataclass(frozen=True)
class Update:
    """A result as plans, terminals and pages need it.

    Attributes
    ----------
    run, recipe_hash
        What it is of, and made with.
    version
        Grows with every result of a run and recipe.
    time_s
        When it was published, in seconds since the epoch.
    lag_s
        How much earlier the newest byte in it was written to its file.
    behind_bytes
        Bytes on disk, known to the service, that are not in it.
    summary
        As `pipeline.summary` gives it.
    health
        How the analysis is doing.
    """

    run: str
    recipe_hash: str
    version: int
    time_s: float
    lag_s: float
    behind_bytes: int
    summary: Mapping[str, Any]
    health: Health

    @property
    def final(self) -> bool:
        """Whether the run is over and everything is in it."""
        return self.health.state in ("complete", "damaged", "interrupted", "failed")

    def as_dict(self) -> dict[str, Any]:
        """A form JSON can say."""
        return {**asdict(self), "health": {**asdict(self.health)}}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Update:
        """The inverse of `as_dict`.

        Raises
        ------
        TypeError, KeyError
            If it is none.
        """
        health = {field.name: values["health"][field.name] for field in fields(Health)}
        health["problems"] = tuple(health["problems"])
        own = {field.name: values[field.name] for field in fields(cls)}
        return cls(**{**own, "health": Health(**health)})
