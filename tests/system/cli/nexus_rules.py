"""The rules of NeXus for what can be plotted, walked over a file.

From the NeXus manual: "Rules for Storing Data Items in NeXus Files" and the class NXdata.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import h5py
import numpy as np

__all__ = ["breaches", "plots"]

_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.]*[A-Za-z0-9_])?")
_CLASSES = {"NXentry", "NXdata", "NXcollection", "NXnote", "NXprocess", "NXparameters"}
_TIMES = ("start_time", "end_time")


def plots(entry: h5py.Group) -> dict[str, h5py.Group]:
    """Groups of the class NXdata in an entry."""
    return {
        name: node
        for name, node in entry.items()
        if isinstance(node, h5py.Group) and node.attrs.get("NX_class") == "NXdata"
    }


def breaches(file: h5py.File) -> list[str]:
    """What breaks the rules; empty when the file keeps them."""
    return [*_default(file), *_walk(file)]


def _default(file: h5py.File) -> Iterator[str]:
    """The path of defaults leads from the root over an entry to a plot."""
    node: Any = file
    for wanted in ("NXentry", "NXdata"):
        name = node.attrs.get("default")
        if not isinstance(name, str) or name not in node:
            yield f"{node.name}: the attribute default is {name!r}"
            return
        node = node[name]
        if node.attrs.get("NX_class") != wanted:
            yield f"{node.name}: the default is no {wanted}"


def _walk(group: h5py.Group) -> Iterator[str]:
    for name, node in group.items():
        if not _NAME.fullmatch(name):
            yield f"{node.name}: no name for NeXus"
        if isinstance(node, h5py.Group):
            kind = node.attrs.get("NX_class")
            if kind not in _CLASSES:
                yield f"{node.name}: NX_class is {kind!r}"
            if kind == "NXentry" and not isinstance(group, h5py.File):
                yield f"{node.name}: an entry inside something"
            if kind == "NXdata":
                yield from _plot(node)
            yield from _walk(node)
        else:
            yield from _field(name, node)


def _field(name: str, field: h5py.Dataset) -> Iterator[str]:
    units = field.attrs.get("units", "")
    if not isinstance(units, str) or ("units" in field.attrs and not units):
        yield f"{field.name}: units are {units!r}"
    if name in _TIMES:
        try:
            known = datetime.fromisoformat(field.asstr()[()]).tzinfo is not None
        except ValueError:
            known = False
        if not known:
            yield f"{field.name}: no time with its zone by ISO 8601"


def _plot(group: h5py.Group) -> Iterator[str]:
    signal = group.attrs.get("signal")
    if not isinstance(signal, str) or not isinstance(group.get(signal), h5py.Dataset):
        yield f"{group.name}: signal is {signal!r}"
        return
    shape = group[signal].shape
    if group[signal].dtype.kind not in "iuf":
        yield f"{group.name}: the signal is not of numbers"
    axes = [str(axis) for axis in np.atleast_1d(group.attrs.get("axes", []))]
    if len(axes) != len(shape):
        yield f"{group.name}: {len(axes)} axes for {len(shape)} dimensions"
    for number, (axis, length) in enumerate(zip(axes, shape, strict=False)):
        yield from _axis(group, axis, number, length)
    for other in np.atleast_1d(group.attrs.get("auxiliary_signals", [])):
        if other not in group or group[other].shape != shape:
            yield f"{group.name}: auxiliary signal {other}"


def _axis(group: h5py.Group, axis: str, number: int, length: int) -> Iterator[str]:
    if axis == ".":
        return
    field = group.get(axis)
    if not isinstance(field, h5py.Dataset) or field.ndim != 1:
        yield f"{group.name}: axis {axis} is no field of one dimension"
        return
    if field.shape[0] not in (length, length + 1):  # centres or edges
        yield f"{field.name}: {field.shape[0]} values for {length} points"
    values = field[()]
    if not (np.all(np.diff(values) > 0) or np.all(np.diff(values) < 0)):
        yield f"{field.name}: goes back and forth"
    if "units" not in field.attrs:
        yield f"{field.name}: has no units"
    if group.attrs.get(f"{axis}_indices", number) != number:
        yield f"{group.name}: {axis}_indices is not {number}"
