"""Every row of the tables is served with its type, size, enum strings and access."""

from __future__ import annotations

import warnings

import pytest
from caproto import AccessRights, ChannelType
from caproto.threading.client import Context
from ophyd import EpicsMotor
from ophyd.areadetector.base import EpicsSignalWithRBV
from ophyd.areadetector.cam import CamBase
from ophyd.areadetector.plugins import ImagePlugin

from sim_iocs.beamline.ioc import BeamlineSettings, beamline_records
from sim_iocs.detector.tables import CAM
from sim_iocs.plugins import plugin_tables

_TYPES = {
    "ai": ChannelType.DOUBLE,
    "ao": ChannelType.DOUBLE,
    "calc": ChannelType.DOUBLE,
    "calcout": ChannelType.DOUBLE,
    "int64in": ChannelType.DOUBLE,
    "bi": ChannelType.ENUM,
    "bo": ChannelType.ENUM,
    "mbbi": ChannelType.ENUM,
    "mbbo": ChannelType.ENUM,
    "busy": ChannelType.ENUM,
    "longin": ChannelType.LONG,
    "longout": ChannelType.LONG,
    "subArray": ChannelType.LONG,
    "fanout": ChannelType.LONG,
    "dfanout": ChannelType.DOUBLE,
    "sseq": ChannelType.LONG,
    "asyn": ChannelType.LONG,
    "stringin": ChannelType.STRING,
    "stringout": ChannelType.STRING,
    "text": ChannelType.CHAR,
}

_ELEMENTS = {
    "SHORT": ChannelType.INT,
    "LONG": ChannelType.LONG,
    "INT64": ChannelType.DOUBLE,
    "DOUBLE": ChannelType.DOUBLE,
}
PLUGINS = plugin_tables("TPX3")


@pytest.fixture(scope="module")
def context(beamline):
    context = Context()
    yield context
    context.disconnect()


@pytest.mark.parametrize("table", ["beamline", "cam1:", *PLUGINS])
def test_all_rows_are_served(context, beamline, table):
    rows, prefix = {
        "beamline": (beamline_records(BeamlineSettings()), beamline.prefixes.beamline),
        "cam1:": (CAM, f"{beamline.prefixes.detector}cam1:"),
        **{name: (rows, f"{beamline.prefixes.detector}{name}") for name, rows in PLUGINS.items()},
    }[table]
    pvs = context.get_pvs(*(prefix + row.name for row in rows), timeout=60)
    for pv in pvs:
        pv.wait_for_connection(timeout=60)
    wrong = []
    for row, pv in zip(rows, pvs, strict=True):
        channel = pv.channel
        expected_access = AccessRights.READ
        if not row.read_only:
            expected_access |= AccessRights.WRITE
        served = (channel.native_data_type, channel.native_data_count, pv.access_rights)
        kind = _TYPES[row.kind] if row.kind != "waveform" else _ELEMENTS[row.element]
        expected = (kind, row.length, expected_access)
        if served != expected:
            wrong.append((row.name, served, expected))
        if row.labels:
            answer = pv.read(data_type=ChannelType.CTRL_ENUM, timeout=60)
            labels = tuple(label.decode() for label in answer.metadata.enum_strings)
            if labels[: len(row.labels)] != row.labels:
                wrong.append((row.name, labels, row.labels))
    assert not wrong


def test_names_are_unique():
    for table in (CAM, *PLUGINS.values(), beamline_records(BeamlineSettings())):
        names = [row.name for row in table]
        assert len(names) == len(set(names))


def _suffixes(device_class):
    """Names that an ophyd class wants, without its prefix."""
    for attribute in device_class.component_names:
        component = getattr(device_class, attribute)
        parts = getattr(component, "defn", None)
        if parts is None:
            parts = {attribute: (component.cls, component.suffix, component.kwargs)}
        for cls, suffix, _ in parts.values():
            if suffix:
                yield suffix
                if issubclass(cls, EpicsSignalWithRBV):
                    yield f"{suffix}_RBV"


@pytest.mark.parametrize(("device_class", "group"), [(CamBase, "cam1:"), (ImagePlugin, "image1:")])
def test_ophyd_area_detector_classes_find_their_signals(context, beamline, device_class, group):
    # This one left ADCore long ago, and no driver of today has it.
    names = sorted(set(_suffixes(device_class)) - {"PoolMaxBuffers"})
    assert len(names) > 40
    pvs = context.get_pvs(*(beamline.prefixes.detector + group + name for name in names))
    for pv in pvs:
        pv.wait_for_connection(timeout=60)


def test_ophyd_motor_class_connects(beamline):
    with warnings.catch_warnings():
        motor = EpicsMotor(f"{beamline.prefixes.beamline}Gon-theta", name="theta")
    motor.wait_for_connection(all_signals=True, timeout=60)
    assert motor.egu == "deg"
    assert motor.precision == 5
    assert motor.limits == (-5.0, 90.0)
    motor.destroy()
