"""Values of JSON that must be of a kind; booleans and numbers may come as strings."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["Wrong", "boolean", "choice", "integer", "mapping", "number", "strings", "text"]


class Wrong(ValueError):
    """A value that Serval refuses; the message is the plain text of the refusal."""


def number(name: str, value: Any) -> float:
    """A finite number."""
    if not isinstance(value, bool):
        try:
            made = float(value)
        except (TypeError, ValueError):
            pass
        else:
            if math.isfinite(made):
                return made
    raise Wrong(f"{name} must be a number, not {value!r}")


def integer(name: str, value: Any) -> int:
    """A whole number."""
    made = number(name, value)
    if made != int(made):
        raise Wrong(f"{name} must be a whole number, not {value!r}")
    return int(made)


def boolean(name: str, value: Any) -> bool:
    """True or false; the driver sends them as strings."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise Wrong(f"{name} must be true or false, not {value!r}")


def text(name: str, value: Any) -> str:
    """A string."""
    if isinstance(value, str):
        return value
    raise Wrong(f"{name} must be a string, not {value!r}")


def strings(name: str, value: Any) -> list[str]:
    """A list of strings."""
    if isinstance(value, list):
        return [text(name, each) for each in value]
    raise Wrong(f"{name} must be an array, not {value!r}")


def choice(*labels: str) -> Callable[[str, Any], str]:
    """Function that takes one of some words."""

    def convert(name: str, value: Any) -> str:
        if isinstance(value, str) and value in labels:
            return value
        raise Wrong(f"{name} must be one of {', '.join(labels)}, not {value!r}")

    return convert


def mapping(name: str, value: Any) -> Mapping[str, Any]:
    """An object."""
    if isinstance(value, dict):
        return value
    raise Wrong(f"{name} must be an object, not {value!r}")
