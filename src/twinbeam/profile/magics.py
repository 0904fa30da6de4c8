"""Bluesky's magics, and what else is labelled: the values of what has no position."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Mapping
from typing import Any

from bluesky.magics import BlueskyMagics, get_labeled_devices, is_positioner
from IPython.core.error import UsageError
from IPython.core.magic import line_magic, magics_class

__all__ = ["BeamlineMagics", "readings"]

_COUNTED = "detectors"  # those take their time; `%ct` reads them


@magics_class
class BeamlineMagics(BlueskyMagics):
    """`%mov`, `%movr`, `%ct` and `%wa`, which here also tells the state of the shutter and such.

    What is typed wrongly is one sentence, before anything moves or counts.
    """

    @line_magic
    def mov(self, line: str) -> None:  # type: ignore[override]  # bluesky's has no annotations
        """Move: `%mov theta 11.58`, or several pairs of a motor and its position."""
        self._check_pairs("mov", line)
        move: Any = BlueskyMagics.mov
        move(self, line)

    @line_magic
    def movr(self, line: str) -> None:  # type: ignore[override]
        """Move by: `%movr theta 0.001`, or several pairs of a motor and a distance."""
        self._check_pairs("movr", line)
        move: Any = BlueskyMagics.movr
        move(self, line)

    @line_magic
    def ct(self, line: str) -> None:  # type: ignore[override]
        """Count once with all detectors, or with what has the labels after it; nothing is kept."""
        if not type(self).detectors:
            self._check_labels("ct", line)
        count: Any = BlueskyMagics.ct
        count(self, line)

    @line_magic
    def wa(self, line: str) -> None:  # type: ignore[override]
        """List where all positioners stand, and what else of the labels has a value.

        Labels after it, such as `%wa motors ring`, name what to list; all without any.
        """
        where_all: Any = BlueskyMagics.wa
        if type(self).positioners:
            where_all(self, line)
            return
        labelled = self._check_labels("wa", line)
        for label in line.split() or list(labelled):
            where_all(self, label)
            if label == _COUNTED:
                continue
            for told in readings(device for _, device in labelled.get(label, [])):
                print(f"  {told}")

    def _check_labels(self, name: str, line: str) -> dict[str, Any]:
        """What has which label, when all labels in the line are known."""
        shell: Any = self.shell
        labelled: dict[str, Any] = get_labeled_devices(user_ns=shell.user_ns)
        if unknown := [label for label in line.split() if label not in labelled]:
            raise UsageError(
                f"%{name} takes labels with spaces between them, not names; there are"
                f" {', '.join(labelled)}, but not {', '.join(unknown)}"
            )
        return labelled

    def _check_pairs(self, name: str, line: str) -> None:
        shell: Any = self.shell
        words = line.split()
        if not words or len(words) % 2:
            raise UsageError(
                f"%{name} takes a motor and a number, or several such pairs; %{name} theta 0.001,"
                " without spaces in an expression"
            )
        for word in words:
            _check_names(word, shell.user_ns)
        for motor in words[::2]:
            try:
                device = eval(motor, shell.user_ns)  # noqa: S307  # typed by who sits here
            except Exception as error:
                raise UsageError(f"{motor}: {error}") from None
            if not hasattr(device, "set"):
                raise UsageError(f"{motor} cannot be moved; %wa lists what can")


def _check_names(word: str, namespace: Mapping[str, Any]) -> None:
    """Make sure that a word is an expression of known names, without computing it."""
    try:
        nodes = list(ast.walk(ast.parse(word, mode="eval")))
    except SyntaxError:
        raise UsageError(f"{word} is neither a name nor a number") from None
    for node in nodes:
        if isinstance(node, ast.Name) and not (node.id in namespace or hasattr(builtins, node.id)):
            raise UsageError(f"there is no {node.id}")


def readings(devices: Iterable[Any]) -> list[str]:
    """Name, value and unit of what devices read that have no position; a head before them.

    A device that does not answer is told instead of its value.
    """
    lines = []
    for device in devices:
        children = [getattr(device, name) for name in getattr(device, "read_attrs", [])]
        if any(is_positioner(each) for each in (device, *children)):
            continue
        try:
            values, kinds = device.read(), device.describe()
        except Exception as error:  # one that is away must not hide the others
            lines.append(f"{device.name:<30} does not answer ({type(error).__name__})")
            continue
        lines += [f"{key:<30} {_told(each['value'], kinds[key])}" for key, each in values.items()]
    return [f"{'Reading':<30} Value", *lines, ""] if lines else []


def _told(value: Any, kind: Mapping[str, Any]) -> str:
    number = f"{value:.6g}" if isinstance(value, float) else str(value)
    return f"{number} {kind.get('units') or ''}".rstrip()
