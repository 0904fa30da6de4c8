"""What Serval answers to a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["NO_ANSWER", "Reply"]


@dataclass(frozen=True)
class Reply:
    """Status and content of an answer; 200 is good, 0 is none at all.

    Attributes
    ----------
    code
        HTTP status.
    text
        Plain text of an answer that has no `body`.
    body
        What goes out as JSON, when it is not None.
    """

    code: int = 200
    text: str = "OK"
    body: Any = None

    @property
    def ok(self) -> bool:
        """Whether the request was accepted."""
        return self.code == 200


NO_ANSWER = Reply(0, "Could not connect to server")
