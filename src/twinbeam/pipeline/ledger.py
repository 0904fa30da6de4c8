"""Conservation: what came in is used, rejected by a named reason, dropped, or still held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Ledger", "Stage"]


@dataclass(frozen=True)
class Stage:
    """The account of one stage.

    Attributes
    ----------
    taken
        What came in.
    used
        What went on to the next stage.
    rejected
        What did not, by reason, in the order of the steps.
    dropped
        What was given up under load; always counted.
    held
        What waits inside the stage; 0 when the run is finished.
    """

    taken: int
    used: int
    rejected: Mapping[str, int] = field(default_factory=dict)
    dropped: int = 0
    held: int = 0

    @property
    def difference(self) -> int:
        """What is missing in the account; 0 when it closes."""
        gone = self.used + sum(self.rejected.values()) + self.dropped + self.held
        return self.taken - gone

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "in": self.taken,
            "used": self.used,
            "rejected": dict(self.rejected),
            "dropped": self.dropped,
            "held": self.held,
        }


@dataclass(frozen=True)
class Ledger:
    """The accounts of all stages, in the order of the data path."""

    stages: Mapping[str, Stage]

    @property
    def closes(self) -> bool:
        """Whether every account balances exactly."""
        return all(stage.difference == 0 for stage in self.stages.values())

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """Plain values for JSON, by stage."""
        return {name: stage.as_dict() for name, stage in self.stages.items()}
