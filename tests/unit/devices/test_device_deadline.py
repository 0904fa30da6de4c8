"""A status that nothing ends in time fails, whatever happens while it says why."""

from __future__ import annotations

import pytest
from ophyd import Device
from ophyd.utils import DisconnectedError

from twinbeam.devices.deadline import Deadline
from twinbeam.errors import BeamlineError


def late() -> BeamlineError:
    return BeamlineError("did not open", where="shutter")


def lost() -> BeamlineError:
    raise DisconnectedError("shutter is not connected")


@pytest.mark.parametrize(
    ("complaint", "words"),
    [(late, "did not open"), (lost, "does not answer: DisconnectedError")],
    ids=["answers", "does not answer"],
)
def test_what_is_not_done_in_time_fails_with_a_reason(complaint, words) -> None:
    status = Deadline(Device(name="shutter"), timeout_s=0.01, complaint=complaint)
    with pytest.raises(BeamlineError, match=words):
        status.wait(30.0)


def test_what_was_done_in_time_stays_done() -> None:
    status = Deadline(Device(name="shutter"), timeout_s=60.0, complaint=lost)
    status.finish()
    status.fail(late())
    status.wait(30.0)
    assert status.success
