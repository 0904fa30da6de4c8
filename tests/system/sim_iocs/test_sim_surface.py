"""What a Channel Access client sees of the detector's records is what the real IOC shows.

The digests were made from the database templates of the driver and of ADCore, not from the tables
here: name, record type, number of elements, states and access of each record, one a line.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from caproto import AccessRights, ChannelType
from caproto.threading.client import Context

from sim_iocs.channels import Channels
from sim_iocs.detector.tables import CAM
from sim_iocs.plugins import PluginSet, plugin_tables

DIGESTS = json.loads(Path(__file__).with_name("surface_digests.json").read_text())
FACTS = Path(__file__).parents[4] / "shared" / "facts" / "adtimepix3_pvs.csv"
TABLES = {"cam1:": CAM, **plugin_tables("TPX3")}
_TIMEOUT_S = 60.0
_NUMBERS = count(1)

_TYPES = {
    **dict.fromkeys(("ai", "ao", "calc", "calcout", "int64in", "dfanout"), ChannelType.DOUBLE),
    **dict.fromkeys(("bi", "bo", "mbbi", "mbbo", "busy"), ChannelType.ENUM),
    **dict.fromkeys(("stringin", "stringout"), ChannelType.STRING),
    **dict.fromkeys(("longin", "longout", "subArray", "fanout", "sseq", "asyn"), ChannelType.LONG),
}
_ARRAYS = {
    "CHAR": ChannelType.CHAR,
    "SHORT": ChannelType.INT,
    "LONG": ChannelType.LONG,
    "INT64": ChannelType.DOUBLE,
    "DOUBLE": ChannelType.DOUBLE,
}
_PIXELS = 512 * 512


@dataclass(frozen=True)
class Seen:
    """One record, as Channel Access shows it."""

    record_type: str
    data_type: ChannelType
    length: int
    states: tuple[str, ...]
    access: str

    def line(self, name: str) -> str:
        states = "|".join(self.states)
        return "\t".join((name, self.record_type, str(self.length), states, self.access))


@pytest.fixture(scope="module")
def context(beamline):
    context = Context()
    yield context
    context.disconnect()


def _look(context: Context, prefix: str, names: list[str]) -> dict[str, Seen]:
    """Connect to records and to their types; fails if one of them does not answer."""
    pvs = context.get_pvs(*(prefix + name for name in names), timeout=_TIMEOUT_S)
    types = context.get_pvs(*(f"{prefix}{name}.RTYP" for name in names), timeout=_TIMEOUT_S)
    for pv in (*pvs, *types):
        pv.wait_for_connection(timeout=_TIMEOUT_S)
    seen = {}
    for name, pv, rtyp in zip(names, pvs, types, strict=True):
        states: tuple[str, ...] = ()
        if pv.channel.native_data_type == ChannelType.ENUM:
            answer = pv.read(data_type=ChannelType.CTRL_ENUM, timeout=_TIMEOUT_S)
            states = tuple(state.decode() for state in answer.metadata.enum_strings if state)
        writes = bool(pv.access_rights & AccessRights.WRITE)
        seen[name] = Seen(
            rtyp.read(timeout=_TIMEOUT_S).data[0].decode(),
            pv.channel.native_data_type,
            pv.channel.native_data_count,
            states,
            "rw" if writes else "r",
        )
    return seen


@pytest.fixture(scope="module")
def look(context, beamline):
    """Function that gives what is seen of the records of one prefix; each is looked at once."""
    known: dict[str, dict[str, Seen]] = {}

    def seen(prefix: str) -> dict[str, Seen]:
        if prefix not in known:
            names = [record.name for record in TABLES[prefix]]
            known[prefix] = _look(context, beamline.prefixes.detector + prefix, names)
        return known[prefix]

    return seen


@pytest.mark.parametrize("prefix", DIGESTS)
def test_records_are_those_of_the_templates(look, prefix):
    lines = sorted(seen.line(name) for name, seen in look(prefix).items())
    assert len(lines) == DIGESTS[prefix]["records"]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    assert digest == DIGESTS[prefix]["sha256"], "a name, type, length, state or access differs"


@pytest.mark.parametrize("kind", ["Stats", "Stats:TS", "ROI"])
def test_plugins_of_a_kind_have_the_same_records(kind):
    name, _, part = kind.partition(":")
    tables = [
        {record.name: record.kind for record in rows}
        for prefix, rows in TABLES.items()
        if re.fullmatch(rf"{name}\d:{f'{part}:' if part else ''}", prefix)
    ]
    assert len(tables) == {"Stats": 5, "ROI": 4}[name]
    assert all(table == tables[0] for table in tables)


def _facts() -> dict[str, dict[str, str]]:
    """Rows of the list of records, by name, with the chips and supplies written out."""
    rows = {}
    with FACTS.open(newline="") as file:
        for row in csv.DictReader(file):
            numbers = re.search(r"\{(\d)\.\.(\d)\}", row["pv"])
            if numbers is None:
                rows[row["pv"]] = row
                continue
            for number in range(int(numbers[1]), int(numbers[2]) + 1):
                rows[row["pv"].replace(numbers[0], str(number))] = row
    return rows


def test_thousands_of_channels_are_made_at_once():
    began_s = time.process_time()
    driver = Channels("x:cam1:", CAM)
    plugins = PluginSet("x:", "TPX3", driver)
    assert len(driver) + len(plugins.pvdb) == 4011
    # all of an IOC's start is to take less than 3 s
    assert time.process_time() - began_s < 1.5


@pytest.mark.skipif(not FACTS.exists(), reason="the list of the driver's records is not here")
def test_every_record_of_the_list_is_served(look):
    rows = _facts()
    assert len(rows) == 767
    seen, wrong = look("cam1:"), []
    assert set(rows) == set(seen)
    sizes = {"MASK_BPC_NELEMENTS": _PIXELS, "MAX_PIXELS": _PIXELS}
    for name, row in rows.items():
        states: tuple[str, ...] = ()
        if "=" in row["enum_or_units"]:
            parts = (part.partition("=")[2] for part in row["enum_or_units"].split("|"))
            states = tuple(re.sub(r" \(raw \d+\)", "", part) for part in parts)
        kind, length = row["record_type"], 1
        data_type = _TYPES.get(kind)
        if array := re.fullmatch(r"(\w+)\[(\w+);(\w+)\]", kind):
            kind, length = array[1], sizes.get(array[3]) or int(array[3])
            data_type = _ARRAYS[array[2]]
        access = "r" if row["access"] == "r" else "rw"
        expected = Seen(kind, data_type, length, states, access)
        if seen[name] != expected:
            wrong.append((name, seen[name], expected))
    assert not wrong


# --- fields ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("AcquireTime.EGU", "s"),
        ("AcquireTime.PREC", 3),
        ("AcquireTime.RTYP", "ao"),
        ("AcquireTime.NAME", "{prefix}cam1:AcquireTime"),
        ("AcquireTime.DRVH", 0),
        ("ImgFramesToSum.DRVH", 100_000),
        ("ImgFramesToSum.LOPR", 1),
        ("AcquireTime_RBV.SCAN", "I/O Intr"),
        ("Health.SCAN", "1 second"),
        ("Health.ZNAM", ""),
        ("NumImages.HOPR", 0),
        ("NumImages.DESC", "Frames a run"),
        ("TriggerMode.ZRST", "PEXSTART_NEXSTOP"),
        ("TriggerMode.EIST", "FOLLOWING"),
        ("TriggerMode.NIST", ""),
        ("TriggerMode.FVVL", 5),
        ("WriteRaw.ZNAM", "false"),
        ("WriteRaw.ONAM", "true"),
        ("Acquire_RBV.OSV", "MINOR"),
        ("DetectorState_RBV.NISV", "INVALID"),
        ("RawFilePath.NELM", 256),
        ("RawFilePath.FTVL", "CHAR"),
        ("WriteFileMessage.NELM", 512),
        ("ImgImageData.FTVL", "INT64"),
        ("ImgImageData.NORD", 512 * 512),
        ("ArraySizeX_RBV.SEVR", "NO_ALARM"),
        ("AcquireTime.VAL", None),
    ],
)
def test_fields_of_records(context, beamline, name, expected):
    prefix = f"{beamline.prefixes.detector}cam1:"
    (pv,) = context.get_pvs(prefix + name, timeout=_TIMEOUT_S)
    pv.wait_for_connection(timeout=_TIMEOUT_S)
    if expected is None:
        assert pv.read(timeout=_TIMEOUT_S).data[0] > 0
        return
    if pv.channel.native_data_type == ChannelType.ENUM:
        value = pv.read(data_type=ChannelType.STRING, timeout=_TIMEOUT_S).data[0]
    else:
        value = pv.read(timeout=_TIMEOUT_S).data[0]
    if isinstance(value, bytes):
        assert value.decode() == expected.format(prefix=beamline.prefixes.detector)
    else:
        assert value == expected


def test_fields_follow_their_record(cam, tmp_path, wait_until):
    severity = cam.signal("RawFilePathExists_RBV.SEVR", text=True)
    status = cam.signal("RawFilePathExists_RBV.STAT", text=True)
    length = cam.signal("RawFileTemplate_RBV.NORD")
    cam.put("RawFilePath", "file:/no/such/folder")
    cam.put("RawFileTemplate", "twelve_chars")
    wait_until(lambda: severity.get() == "MAJOR", 60, "alarm")
    assert status.get() == "STATE"
    assert length.get() == 12
    cam.put("RawFilePath", f"file:{tmp_path}")
    wait_until(lambda: severity.get() == "NO_ALARM", 60, "no alarm")


def test_fields_that_can_be_written(cam):
    cam.put("Gain.PREC", 5)
    cam.put("Gain.EGU", "photons")
    assert cam.get("Gain.EGU", text=True) == "photons"
    gain = cam.signal("Gain")
    gain.get()
    meta = gain._read_pv.get_ctrlvars(timeout=60)
    assert (meta["precision"], meta["units"]) == (5, "photons")
    cam.put("Gain.PREC", 3)
    cam.put("Gain.EGU", "")


def test_unknown_fields_are_not_found(context, beamline):
    prefix = f"{beamline.prefixes.detector}cam1:"
    names = ("AcquireTime.ZNAM", "WriteRaw.EGU", "AcquireTime.NOPE", "NoSuchRecord", "NumImages")
    *none, there = context.get_pvs(*(prefix + name for name in names), timeout=_TIMEOUT_S)
    there.wait_for_connection(timeout=_TIMEOUT_S)
    there.read(timeout=_TIMEOUT_S)
    assert not any(pv.connected for pv in none)


def test_long_strings_by_modifier(context, beamline):
    prefix = f"{beamline.prefixes.detector}cam1:"
    names = ("Model_RBV.VAL$", "NumImages.DESC$", "AcquireTime.NAME$")
    for pv, text in zip(
        context.get_pvs(*(prefix + name for name in names), timeout=_TIMEOUT_S),
        ("TPX3", "Frames a run", f"{prefix}AcquireTime"),
        strict=True,
    ):
        pv.wait_for_connection(timeout=_TIMEOUT_S)
        assert pv.channel.native_data_type == ChannelType.CHAR
        assert bytes(pv.read(timeout=_TIMEOUT_S).data).rstrip(b"\0").decode() == text


def test_numbers_are_kept_within_the_drive_limits(cam):
    cam.put("ImgFramesToSum", 0)
    assert cam.get("ImgFramesToSum") == 1
    cam.put("ImgFramesToSum", 10)


def test_one_shots_go_back_to_zero(cam):
    for name in ("ImgImageDataReset", "PrvHstDataReset", "RefreshPixelConfig", "ApplyConfig"):
        cam.put(name, 1)
        assert cam.get(name) == 0, name


def test_calibration_folders_end_with_a_slash(cam, tmp_path):
    cam.put("BPCFilePath", str(tmp_path))
    assert cam.get("BPCFilePath_RBV", text=True) == f"{tmp_path}/"
    assert cam.get("BPCFilePathExists_RBV") == 1
    cam.put("BPCFilePath", "/no/such/folder")
    assert cam.get("BPCFilePathExists_RBV") == 0
    assert cam.get("BPCFilePathExists_RBV.SEVR", text=True) == "MAJOR"


def test_what_is_wrong_is_summed_up(cam, wait_until):
    def wait(**expected):
        wait_until(
            lambda: all(cam.get(name) == value for name, value in expected.items()), 60, expected
        )

    wait(FileWriterCalc=0, Tpx3StatusCalc=0, Alarm=0)
    cam.put("WriteImg1", 1)
    wait(FileWriterCalc1=1, FileWriterCalc2=0, FileWriterCalc=1, Tpx3StatusCalc=1, Alarm=1)
    cam.put("AlarmDisable", 0)
    wait(Tpx3StatusCalc=1, Alarm=0)
    assert cam.get("AlarmDisable.SEVR", text=True) == "MINOR"
    cam.put_all({"WriteImg1": 0, "AlarmDisable": 1})
    wait(FileWriterCalc=0, Alarm=0)


# --- other versions, other starts ------------------------------------------------------------


@pytest.fixture(scope="module")
def bare(run_iocs, beamline):
    """Prefix of a detector of an old driver, started without the init script."""
    # a worker may come to this file twice, and its clients are slow to find again what was away
    prefix, port = f"OLD{next(_NUMBERS)}:", beamline.spare_ports[0]
    with run_iocs(
        "detector",
        "--fast",
        "--init=bare",
        "--driver=1.6",
        f"--port={port}",
        f"--detector-prefix={prefix}",
        f"--beamline=127.0.0.1:{beamline.ports.beamline}",
        f"--data-dir={beamline.data_dir}",
    ):
        yield prefix


def test_an_old_driver_has_its_own_states_and_fewer_records(bare, context):
    names = ["TriggerMode", "TriggerMode_RBV", "DetOrient", "DriverVersion_RBV"]
    seen = _look(context, f"{bare}cam1:", names)
    for name in names[:2]:
        assert seen[name].states == (
            *("PexSt_NexSp", "NexSt_PexSp", "PexSt_TmrSp", "NexSt_TmrSp", "AutoTrgSt_TmrSp"),
            *("Continuous", "SwReSt_TmrSp", "SwReSt_SwReSp"),
        )
    later = ("PipelineState_RBV", "GainMode", "CHIP5_PixelConfigStatus_RBV", "WriteProcessedImg")
    *none, there = context.get_pvs(*(f"{bare}cam1:{name}" for name in (*later, "ApplyConfig")))
    there.wait_for_connection(timeout=_TIMEOUT_S)
    there.read(timeout=_TIMEOUT_S)
    assert not any(pv.connected for pv in none)


def test_a_bare_start_has_the_values_of_the_records(bare, client):
    cam = client(f"{bare}cam1:")
    for name, value in {
        "TriggerMode": 0,
        "NumImages": 1,
        "AcquireTime": 1.0,
        "ImageMode": 2,
        "PrvPeriod": 0.2,
        "PrvImgQueueSize": 16,
        "ImgFileFmt": 0,
        "WritePrvImg": 0,
        "SizeX": 1,
        "MaskMinX": 60,
    }.items():
        assert cam.get(name) == value, name
    assert cam.get("TriggerModeC_RBV", text=True) == "PEXSTART_NEXSTOP"
    assert cam.get("RawFilePath", text=True) == ""
    assert cam.get("DriverVersion_RBV", text=True) == "1.6"
    for plugin in ("image1:", "Stats1:", "HDF1:"):
        assert client(f"{bare}{plugin}").get("EnableCallbacks") == 0
    # a start needs a destination
    assert cam.get("HttpCode_RBV") in (200, 409)


def test_the_shipped_start_has_the_values_of_the_init_script(client, beamline):
    prefix = beamline.prefixes.detector
    cam = client(f"{prefix}cam1:")
    for name, value in {
        "PrvImgFileFmt": 3,
        "PrvImgFileMode": 1,
        "PrvImgQueueSize": 160,
        "PrvHstNumBins": 16_000,
        "PrvHstFileMode": 3,
        "PrvHstIntgSize": 0,
        "Img1IntgMode": 1,
        "Img1StpOnDskLim": 1,
    }.items():
        assert cam.get(name) == value, name
        assert cam.get(f"{name}_RBV") == value, name
    # the driver moves on when the port is taken, as by the detector of another worker
    place, _, port = cam.get("PrvImgFilePath_RBV", text=True).rpartition(":")
    assert place == "tcp://listen@localhost"
    assert 8089 <= int(port) < 9000
    for plugin, enabled in {"Stats1:": 1, "Stats5:": 1, "Stats2:": 0, "ROI1:": 0}.items():
        assert client(f"{prefix}{plugin}").get("EnableCallbacks_RBV") == enabled
