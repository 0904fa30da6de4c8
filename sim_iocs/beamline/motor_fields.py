"""Rows of a motor record: the fields that clients and motor screens use.

Names and meanings are those of the EPICS motor record, release 7.
"""

from __future__ import annotations

from typing import Any

from sim_iocs.beamline.description import MotorDescription
from sim_iocs.records import Record

__all__ = ["SEVERITIES", "STATUSES", "motor_records"]

SEVERITIES = ("NO_ALARM", "MINOR", "MAJOR", "INVALID")
#: The first sixteen; an enum has no room for more.
STATUSES = (
    "NO_ALARM", "READ", "WRITE", "HIHI", "HIGH", "LOLO", "LOW", "STATE",
    "COS", "COMM", "TIMEOUT", "HWLIMIT", "CALC", "SCAN", "LINK", "SOFT",
)  # fmt: skip
_YES_NO = ("No", "Yes")
_SCREW_STEPS = 200


def motor_records(motor: MotorDescription) -> list[Record]:
    """Rows of one motor record; `VAL` is the record itself too."""
    name, units, start, speed = motor.pv, motor.units, motor.start, motor.speed
    steps, turn = round(start / motor.resolution), motor.resolution * _SCREW_STEPS

    def row(field: str, kind: Any, value: Any, text: str, **more: Any) -> Record:
        return Record(f"{name}.{field}" if field else name, kind, value, text, **more)

    def number(field: str, value: float, text: str, read_only: bool = False) -> Record:
        return row(
            field, "ao", value, text, units=units, precision=motor.precision, read_only=read_only
        )

    def shown(field: str, value: float, text: str) -> Record:
        return number(field, value, text, read_only=True)

    def flag(field: str, value: int, text: str, read_only: bool = True) -> Record:
        return row(field, "longout", value, text, read_only=read_only)

    def button(field: str, text: str) -> Record:
        return flag(field, 0, text, read_only=False)

    def menu(field: str, value: int, text: str, labels: tuple[str, ...], **more: Any) -> Record:
        return row(field, "mbbo", value, text, labels=labels, **more)

    return [
        number("", start, "Position, set point"),
        # where it is and where it goes: user, dial and raw
        shown("RBV", start, "Position, readback"),
        number("DVAL", start, "Dial position, set point"),
        shown("DRBV", start, "Dial position, readback"),
        number("RVAL", steps, "Steps, set point"),
        shown("RRBV", steps, "Steps, readback"),
        shown("REP", steps, "Steps of the encoder"),
        number("RLV", 0.0, "Move by this much"),
        shown("DIFF", 0.0, "Dial set point minus readback"),
        shown("RDIF", 0.0, "The same in steps"),
        # moving
        flag("DMOV", 1, "Done moving"),
        flag("MOVN", 0, "Moving"),
        flag("TDIR", 1, "Direction of travel, 1 is up"),
        flag("CDIR", 1, "Raw direction of travel"),
        button("STOP", "Stop"),
        menu("SPMG", 3, "Stop, pause, move, go", ("Stop", "Pause", "Move", "Go")),
        number("TWV", 0.1, "Tweak step"),
        button("TWF", "Tweak forward"),
        button("TWR", "Tweak backward"),
        button("JOGF", "Jog forward"),
        button("JOGR", "Jog backward"),
        button("HOMF", "Home forward"),
        button("HOMR", "Home backward"),
        flag("ATHM", int(start == motor.home), "At the home switch"),
        # limits
        number("HLM", motor.high, "High limit"),
        number("LLM", motor.low, "Low limit"),
        number("DHLM", motor.high, "High limit, dial"),
        number("DLLM", motor.low, "Low limit, dial"),
        flag("HLS", 0, "At the high limit switch"),
        flag("LLS", 0, "At the low limit switch"),
        flag("RHLS", 0, "Raw high limit switch"),
        flag("RLLS", 0, "Raw low limit switch"),
        flag("LVIO", 0, "Limit violation"),
        menu("HLSV", 2, "Severity at a limit switch", SEVERITIES),
        number("HOPR", motor.high, "High limit of displays"),
        number("LOPR", motor.low, "Low limit of displays"),
        # how it moves
        number("VELO", speed, "Speed, units a second"),
        number("VBAS", 0.0, "Base speed"),
        number("VMAX", 0.0, "Greatest speed, 0 is any"),
        number("BVEL", speed, "Speed of the backlash move"),
        number("HVEL", speed, "Speed of homing"),
        number("JVEL", speed, "Speed of jogging"),
        number("JAR", speed / max(motor.acceleration_s, 1e-3), "Acceleration of jogging"),
        number("ACCL", motor.acceleration_s, "Seconds to full speed"),
        number("BACC", motor.acceleration_s, "The same for the backlash move"),
        number("S", speed / turn, "Speed, turns a second"),
        number("BDST", motor.backlash, "Backlash distance"),
        number("FRAC", 1.0, "Part of the way that a move goes"),
        number("DLY", 0.0, "Settling time in seconds"),
        # scales
        number("OFF", 0.0, "User offset"),
        menu("DIR", 0, "User direction", ("Pos", "Neg")),
        menu("FOFF", 0, "Offset freeze switch", ("Variable", "Frozen")),
        menu("SET", 0, "Set or use", ("Use", "Set")),
        number("MRES", motor.resolution, "Size of a step"),
        number("ERES", motor.resolution, "Size of a step of the encoder"),
        number("UREV", turn, "Way a turn"),
        flag("SREV", _SCREW_STEPS, "Steps a turn"),
        menu("UEIP", 0, "Use the encoder", _YES_NO),
        # end of a move
        number("RDBD", motor.resolution, "Retry deadband"),
        number("SPDB", 0.0, "Set point deadband"),
        flag("RTRY", 0, "Most retries", read_only=False),
        flag("RCNT", 0, "Retries"),
        flag("MISS", 0, "Ran out of retries"),
        # status
        flag("MSTA", 2, "Motor status bits"),
        button("STUP", "Status update"),
        menu("CNEN", 1, "Power", ("Disable", "Enable")),
        menu("STAT", 0, "Alarm status", STATUSES, read_only=True),
        menu("SEVR", 0, "Alarm severity", SEVERITIES, read_only=True),
        # names
        row("EGU", "stringout", units, "Units", read_only=True),
        flag("PREC", motor.precision, "Digits shown"),
        row("DESC", "stringout", motor.text or f"simulated {name}"[:39], "Description"),
        row("RTYP", "stringin", "motor", "Record type"),
    ]
