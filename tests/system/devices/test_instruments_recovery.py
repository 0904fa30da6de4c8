"""Instruments whose connection is lost at the worst moment, or that were moved before."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from caproto.threading.pyepics_compat import PV
from ophyd import Component as Cpt
from ophyd import Device, EpicsSignalRO

from twinbeam.devices import Beamline, Goniometer, Monochromator, connect
from twinbeam.devices.axis import Axis
from twinbeam.errors import BeamlineError
from twinbeam.physics import bragg_angle_deg

WAIT_S = 60.0


@pytest.fixture
def lose(beamline: Any, instruments: Beamline, wait_until: Any) -> Iterator[Callable[..., Any]]:
    """Function that does something whose answer the connection to the beamline IOC takes along."""
    pid, port = beamline.children["beamline"], beamline.ports.beamline

    def during(action: Callable[[], Any], *, held: bool = True) -> Any:
        if held:
            os.kill(pid, signal.SIGSTOP)  # so that it cannot answer before
        try:
            result = action()
            for manager in list(PV.default_context().circuit_managers.values()):
                if manager.circuit.address[1] == port:
                    manager.socket.shutdown(socket.SHUT_RDWR)
        finally:
            os.kill(pid, signal.SIGCONT)
        return result

    yield during
    every: tuple[Device, ...] = instruments.devices
    wait_until(lambda: all(device.connected for device in every), WAIT_S, "all are back")


def test_foils_are_commanded_again(instruments: Beamline, lose: Any) -> None:
    attenuators = instruments.attenuators
    assert attenuators is not None
    try:
        lose(lambda: attenuators.set(0.1)).wait(WAIT_S)
        assert attenuators.transmission.get() == pytest.approx(0.1, rel=0.06)
    finally:
        attenuators.set(1.0).wait(WAIT_S)


def test_it_counts_again(instruments: Beamline, lose: Any) -> None:
    monitor = instruments.monitor
    monitor.count_time.set(1.0).wait(WAIT_S)
    lose(monitor.trigger, held=False).wait(WAIT_S)
    monitor.count_time.set(0.1).wait(WAIT_S)
    assert monitor.intensity.get() >= 0.0


def test_the_shutter_is_told_again(instruments: Beamline, lose: Any, wait_until: Any) -> None:
    shutter = instruments.shutter
    for wanted in ("open", "closed"):
        lose(lambda wanted=wanted: shutter.set(wanted)).wait(WAIT_S)
        assert shutter.status.get(use_monitor=False).lower() == wanted
        wait_until(lambda: shutter.connected, WAIT_S, "it is back")


def test_what_is_not_connected_is_not_commanded(instruments: Beamline, wait_until: Any) -> None:
    shutter, monitor, attenuators = (
        type(device)("NOBODY:", name="nobody")
        for device in (instruments.shutter, instruments.monitor, instruments.attenuators)
    )
    try:
        for command in (lambda: shutter.set("open"), monitor.trigger, lambda: attenuators.set(0.1)):
            with pytest.raises(BeamlineError, match="NOBODY:: nobody is not connected"):
                command()
    finally:
        for device in (shutter, monitor, attenuators):
            device.destroy()


class Incomplete(Axis):
    """A motor one of whose channels never answers, or does so last of all."""

    last = Cpt(EpicsSignalRO, ".NOBODY", kind="omitted")


class IncompleteMono(Monochromator):
    energy = Cpt(Incomplete, "-Ax:Energy}Mtr")


def test_the_angle_follows_before_every_channel_of_the_motor_is_there(
    beamline: Any, instruments: Beamline, wait_until: Any
) -> None:
    assert instruments.mono is not None
    energy = instruments.mono.energy
    mono = IncompleteMono(instruments.mono.prefix, name="mono")
    gonio = Goniometer(instruments.goniometer.prefix, name="gonio")
    try:
        energy.set(12.0).wait(WAIT_S)
        mono.lead(gonio)
        computed = lambda: abs(gonio.bragg.get() - float(bragg_angle_deg(12.0))) < 1e-6  # noqa: E731
        wait_until(computed, WAIT_S, "it is the angle of the energy that was found")
        assert not mono.energy.connected
        gonio.bragg.put(16.0)
        assert gonio.bragg_found.get() == 1
    finally:
        energy.set(15.0).wait(WAIT_S)
        mono.destroy()
        gonio.destroy()


def test_a_session_that_finds_another_energy_follows_from_there(
    beamline: Any, instruments: Beamline, wait_until: Any
) -> None:
    assert instruments.mono is not None
    energy, found_deg = instruments.mono.energy, float(bragg_angle_deg(12.0)) + 0.002
    mono, gonio = (
        Monochromator(instruments.mono.prefix, name="mono"),
        Goniometer(instruments.goniometer.prefix, name="gonio"),
    )
    try:
        energy.set(12.0).wait(WAIT_S)
        mono.lead(gonio)
        connect(mono, gonio, timeout_s=WAIT_S)
        computed = lambda: abs(gonio.bragg.get() - float(bragg_angle_deg(12.0))) < 1e-6  # noqa: E731
        wait_until(computed, WAIT_S, "it is the angle of the energy that was found")
        assert gonio.bragg_found.get() == 0
        gonio.bragg.put(found_deg)
        # moved by somebody else
        energy.set(12.1).wait(WAIT_S)
        shift = float(bragg_angle_deg(12.1)) - float(bragg_angle_deg(12.0))
        followed = lambda: abs(gonio.bragg.get() - found_deg - shift) < 1e-6  # noqa: E731
        wait_until(followed, WAIT_S, "the angle follows the energy")
        assert gonio.bragg_found.get() == 1
        gonio.follow_energy(0.0)  # a motor record that has just been started
        assert followed()
    finally:
        energy.set(15.0).wait(WAIT_S)
        mono.destroy()
        gonio.destroy()
