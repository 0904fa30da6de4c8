"""Records that only show something: the truth, the ring, currents and temperatures."""

from __future__ import annotations

import math
from collections.abc import Mapping

from sim_iocs.beamline.currents import diode_current_a, ion_chamber_current_a
from sim_iocs.beamline.description import BeamlineDescription
from sim_iocs.beamline.optics import mono_bragg_deg
from sim_iocs.beamline.pairs import PairState
from sim_iocs.beamline.world import Truth, World
from sim_iocs.records import Record

__all__ = [
    "RING_ALIASES",
    "pair_readings",
    "reading_records",
    "ring_readings",
    "temperature_readings",
    "truth_readings",
]

RING_ALIASES = {"Real-I": "", "Top-SP": "-SP"}

_TRUTH = {
    "Detuning": ("Theta above the true Bragg angle", "deg"),
    "PairDetuning": ("The same as the pairs show it", "deg"),
    "Bragg": ("True Bragg angle where the beam hits", "deg"),
    "Flux": ("Beam on the crystal, 1 = full", ""),
    "Transmission": ("Of the attenuators", ""),
    "Mosaic": ("Mosaic spread where the beam hits", "mdeg"),
    "Darwin": ("Darwin width at this energy", "mdeg"),
    "Reflected": ("Diffracted intensity, 1 = top", ""),
    "Energy": ("Photon energy", "keV"),
    "Distance": ("Crystal to sensor", "m"),
    "CentreX": ("Axis of the ring, column", "px"),
    "CentreY": ("Axis of the ring, row", "px"),
    "StopHalf": ("Half side of the beam stop's shadow", "px"),
    "SampleX": ("Sample from the axis", "px"),
    "SampleY": ("Sample from the axis", "px"),
    "RingRadius": ("Radius of the pair ring", "px"),
    "Acceptance": ("Share of pairs on the sensor", ""),
    "PairRate": ("Pairs on the sensor", "1/s"),
    "BestX": ("Best place of the crystal", "mm"),
    "BestY": ("Best place of the crystal", "mm"),
}


def reading_records(description: BeamlineDescription, world: World) -> list[Record]:
    """Rows of all readings, with the ring's set point and faults."""
    d, ring = description, description.ring
    best = {"BestX": world.crystal.best_x_mm, "BestY": world.crystal.best_y_mm}
    return [
        Record(f"{ring.pv}Real-I", "ai", ring.current_ma, "Current", units="mA", precision=3),
        Record(f"{ring.pv}Top-SP", "ao", ring.current_ma, "Current aimed at", units="mA"),
        Record(f"{ring.pv}Mode-Sts", "stringin", "Operations", "What the ring does"),
        Record("SIM:Dump", "bo", 0, "Lose the beam", ("Done", "Dump")),
        Record("SIM:Refill", "bo", 0, "Fill the ring again at once", ("Done", "Refill")),
        Record("SIM:Drift", "ao", d.crystal.drift_mdeg_h, "Goniometer drift", units="mdeg/h"),
        Record(f"{d.mono.pv}Bragg-I", "ai", 0.0, "Bragg angle", units="deg", precision=5),
        Record(f"{d.ion_chamber.pv}I-I", "ai", 0.0, "Current", units="A", precision=12),
        Record(f"{d.diode.pv}I-I", "ai", 0.0, "Current", units="A", precision=12),
        *(
            Record(t.pv, "ai", t.celsius, t.text, units="C", precision=3)
            for t in d.temperatures.values()
        ),
        *(
            Record(f"World:{name}_RBV", "ai", best.get(name, 0.0), text, units=units)
            for name, (text, units) in _TRUTH.items()
        ),
    ]


def truth_readings(truth: Truth, world: World) -> dict[str, float]:
    """Values of the records that follow each move."""
    d = world.description
    photons_hz = truth.flux * d.beam.full_flux_hz
    # the ion chamber is in front of the attenuators' shadow: it sees what goes to the crystal
    diffracted_hz = max(world.monitor_hz(truth) - d.beam.monitor_dark_hz, 0.0)
    in_stop = truth.stop_half_px > 0.0
    values = {
        "Detuning": truth.detuning_deg,
        "PairDetuning": truth.pair_detuning_deg,
        "Bragg": truth.bragg_deg,
        "Flux": truth.flux,
        "Transmission": truth.transmission,
        "Mosaic": truth.mosaic_mdeg,
        "Darwin": truth.darwin_mdeg,
        "Reflected": truth.reflected,
        "Energy": truth.energy_kev,
        "Distance": truth.distance_m,
        "CentreX": truth.centre_px[0],
        "CentreY": truth.centre_px[1],
        "StopHalf": truth.stop_half_px,
        "SampleX": truth.sample_px[0],
        "SampleY": truth.sample_px[1],
    }
    return {
        **{f"World:{name}_RBV": value for name, value in values.items()},
        f"{d.mono.pv}Bragg-I": mono_bragg_deg(truth.energy_kev),
        f"{d.ion_chamber.pv}I-I": ion_chamber_current_a(photons_hz, truth.energy_kev),
        f"{d.diode.pv}I-I": diode_current_a(diffracted_hz * in_stop, truth.energy_kev),
    }


def pair_readings(pairs: PairState) -> dict[str, float]:
    """Values of the records about the pairs."""
    return {
        "World:RingRadius_RBV": pairs.radius_px,
        "World:Acceptance_RBV": pairs.acceptance,
        "World:PairRate_RBV": pairs.rate_hz,
    }


def ring_readings(
    description: BeamlineDescription, current_ma: float, mode: str
) -> dict[str, object]:
    """Values of the records about the ring."""
    return {
        f"{description.ring.pv}Real-I": current_ma,
        f"{description.ring.pv}Mode-Sts": mode,
    }


def temperature_readings(description: BeamlineDescription, time_s: float) -> Mapping[str, float]:
    """Temperatures at a time: they swing slowly around their means."""
    return {
        t.pv: t.celsius + t.swing_c * math.sin(2.0 * math.pi * time_s / t.period_s)
        for t in description.temperatures.values()
    }
