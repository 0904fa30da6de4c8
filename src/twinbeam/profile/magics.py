"""Bluesky's magics, and what else is labelled: the values of what has no position."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bluesky.magics import BlueskyMagics, get_labeled_devices, is_positioner
from IPython.core.magic import line_magic, magics_class

__all__ = ["BeamlineMagics", "readings"]

_COUNTED = "detectors"  # those take their time; `%ct` reads them


@magics_class
class BeamlineMagics(BlueskyMagics):
    """`%mov`, `%movr`, `%ct` and `%wa`, which here also tells the state of the shutter and such."""

    @line_magic
    def wa(self, line: str) -> None:  # type: ignore[override]  # bluesky's has no annotations
        """List where all positioners stand, and what else of the labels has a value.

        Labels after it, such as `%wa motors ring`, name what to list; all without any.
        """
        shell: Any = self.shell
        where_all: Any = BlueskyMagics.wa
        labelled = get_labeled_devices(user_ns=shell.user_ns)
        if type(self).positioners or "[" in line or "]" in line:
            where_all(self, line)
            return
        for label in line.split() or list(labelled):
            where_all(self, label)
            if label == _COUNTED:
                continue
            for told in readings(device for _, device in labelled.get(label, [])):
                print(f"  {told}")


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
