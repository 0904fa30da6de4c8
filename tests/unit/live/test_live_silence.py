"""The link tells of a service that is silent, and of none that it has not listened to."""

from __future__ import annotations

import time

import pytest

from twinbeam.live import LiveLink, link, new_token
from twinbeam.live.outlet import ZmqOutlet

WAIT_S = 60.0


def test_a_callback_that_takes_long_is_no_silence_of_the_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor is a process that did not run for a while, as on a machine that slept."""
    monkeypatch.setattr(link, "_SILENT_S", 1.5)
    token, told = new_token(), []
    outlet = ZmqOutlet("tcp://127.0.0.1:*", token, dict)
    nowhere = "tcp://127.0.0.1:9"
    here = LiveLink(None, outlet.endpoint, nowhere, token, tell=told.append)
    heard: list[str] = []

    def slow(name: str, _: object) -> None:
        time.sleep(2.5)
        heard.append(name)

    here.subscribe(slow)
    try:
        assert here.wait_for(lambda: here.alive, WAIT_S)
        told.clear()
        outlet.send("start", {"uid": "a-run"})
        assert here.wait_for(lambda: bool(heard), WAIT_S)
        assert here.wait_for(lambda: here.alive, WAIT_S)
        assert told == []
        outlet.close()
        deadline = time.monotonic() + WAIT_S
        while not told and time.monotonic() < deadline:
            time.sleep(0.05)
        assert "silent" in told[0]
    finally:
        here.close()
        outlet.close()
