"""The models behind the records, without Channel Access."""

from __future__ import annotations

import pytest

from sim_iocs.cli import main
from sim_iocs.network import Ports, client_environment, export_lines
from sim_iocs.records import Record, pair


def test_records_check_themselves():
    with pytest.raises(ValueError, match="no record type"):
        Record("X", "float")
    setpoint, readback = pair("X", "ao", 1.5, "Text", units="s")
    assert (setpoint.name, setpoint.kind, setpoint.read_only) == ("X", "ao", False)
    assert (readback.name, readback.kind, readback.read_only) == ("X_RBV", "ai", True)
    assert readback.value == 1.5


def test_ports_are_three_different_numbers():
    ports = Ports.free()
    assert len({ports.beamline, ports.detector, ports.repeater}) == 3
    assert Ports.parse("1,2,3") == Ports(1, 2, 3)
    for wrong in ("1,2", "1,1,2", "x", "0,1,2"):
        with pytest.raises(ValueError):
            Ports.parse(wrong)


def test_exports_are_quoted_for_the_shell():
    lines = export_lines(client_environment(Ports(1, 2, 3)))
    assert lines[0] == "export EPICS_CA_ADDR_LIST='127.0.0.1:1 127.0.0.1:2'"


def test_all_records_can_be_listed(capsys):
    assert main(["records", "--detector-prefix=DET:", "--driver=1.7.2"]) == 0
    head, *rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert {len(row) for row in rows} == {len(head)} == {6}
    names = [row[0] for row in rows]
    assert len(names) == len(set(names)) > 4000
    by_name = {row[0]: row[1:] for row in rows}
    assert by_name["DET:cam1:RawFilePath"][:2] == ["text[256]", "write"]
    assert by_name["DET:cam1:DetectorState_RBV"][1] == "read"
    assert by_name["DET:SIM:Lag"][3] == "s"
    assert "SIM:ES{Gon-Ax:Th}Mtr" in by_name
