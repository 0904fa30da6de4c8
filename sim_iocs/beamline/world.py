"""What is true about the beam, of which the instruments see a part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sim_iocs.beamline.crystal import Crystal
from sim_iocs.beamline.description import BeamlineDescription
from sim_iocs.beamline.diffraction import (
    bragg_reading_deg,
    chi_shift_deg,
    darwin,
    phi_shift_deg,
    reflected_fraction,
)
from sim_iocs.beamline.optics import foil_transmission, gaussian_through_gap
from sim_iocs.beamline.pairs import PairState, acceptance, pair_detuning_deg, pair_state
from twinbeam.physics import DARWIN_WIDTH_MDEG, FWHM_PER_SIGMA

__all__ = ["Truth", "World"]

_TABLE_KEV = 15.0


@dataclass(frozen=True)
class Truth:
    """State of the beam.

    Attributes
    ----------
    energy_kev
        Photon energy.
    flux
        Beam on the crystal; 1 is full current, open shutter and slits, no attenuator.
    transmission
        Share of photons that pass the attenuators.
    bragg_deg
        Reading of theta on top of the rocking curve where the beam hits.
    detuning_deg, pair_detuning_deg
        How far theta stands above it, and what the pairs show.
    mosaic_mdeg, darwin_mdeg
        Mosaic spread where the beam hits, and the Darwin width at this energy.
    reflected
        Diffracted intensity for the full beam; 1 on top of the nominal rocking curve.
    seen
        Share of it that goes into the monitor, for the place of the 2θ arm.
    distance_m, centre_px, stop_half_px
        Crystal to sensor, axis of the ring on the 514 grid, and half side of the shadow of the
        beam stop, 0 when that is not on the axis.
    sample_px
        Place of the sample from the axis, x and y in pixels.
    """

    energy_kev: float
    flux: float
    transmission: float
    bragg_deg: float
    detuning_deg: float
    pair_detuning_deg: float
    mosaic_mdeg: float
    darwin_mdeg: float
    reflected: float
    seen: float
    distance_m: float
    centre_px: tuple[float, float]
    stop_half_px: float
    sample_px: tuple[float, float]


class World:
    """Crystal and beam of one beamline and seed; it holds no state, all functions are pure.

    Parameters
    ----------
    description
        The beamline.
    seed
        Of the crystal.
    """

    def __init__(self, description: BeamlineDescription, seed: int) -> None:
        self.description = description
        self.crystal = Crystal.grown(description.crystal, seed)
        self._start = {role: motor.start for role, motor in description.motors.items()}

    def bragg_deg(self, at: Mapping[str, float], drift_mdeg: float = 0.0) -> float:
        """Reading of theta on top of the local rocking curve, in degrees.

        Parameters
        ----------
        at
            Where the axes stand, by role.
        drift_mdeg
            How far the goniometer has drifted, in millidegrees.
        """
        c = self.description.crystal
        bragg = bragg_reading_deg(
            at["energy"], c.bragg_reading_deg, c.energy_kev, c.lattice_angstrom
        )
        bragg += chi_shift_deg(bragg, at["chi"]) + phi_shift_deg(at["phi"], c.miscut_deg)
        turned_mdeg = self.crystal.misorientation_mdeg(at["crystal_x"], at["crystal_y"])
        return bragg + 1e-3 * (turned_mdeg + drift_mdeg)

    def truth(
        self,
        at: Mapping[str, float],
        *,
        current: float,
        shutter_open: bool,
        foils: Sequence[bool],
        drift_mdeg: float = 0.0,
    ) -> Truth:
        """State of the beam for places of the axes.

        Parameters
        ----------
        at
            Where the axes stand, by role.
        current
            Stored current as a share of the nominal one.
        foils
            Which foils are in the beam.
        drift_mdeg
            How far the goniometer has drifted, in millidegrees.
        """
        d = self.description
        energy = at["energy"]
        passed = foil_transmission(
            d.filters.material,
            sum(t for t, is_in in zip(d.filters.thickness_um, foils, strict=True) if is_in),
            energy,
        )
        flux = current * passed * self.slit_fraction(at) if shutter_open else 0.0
        bragg = self.bragg_deg(at, drift_mdeg)
        detuning = at["theta"] - bragg
        mosaic = self.crystal.mosaic_mdeg(at["crystal_x"], at["crystal_y"])
        width = self._darwin_width_mdeg(energy)
        on_plate = self.crystal.hit_fraction(
            at["crystal_x"],
            at["crystal_y"],
            d.beam.width_mm / float(FWHM_PER_SIGMA),
            d.beam.height_mm / float(FWHM_PER_SIGMA),
        )
        reflected = on_plate * reflected_fraction(
            1e3 * detuning, mosaic, d.crystal.instrument_mdeg, width
        )
        pixel_mm = 1e-3 * d.detector.pixel_um
        offset = {role: at[role] - self._start[role] for role in at}
        centre = d.detector.centre_px
        stop_off_axis = max(abs(offset["beam_stop_x"]), abs(offset["beam_stop_y"]))
        half_mm = d.detector.stop_half_mm
        return Truth(
            energy_kev=energy,
            flux=flux,
            transmission=passed,
            bragg_deg=bragg,
            detuning_deg=detuning,
            pair_detuning_deg=pair_detuning_deg(detuning, bragg, energy, d.pairs.index_shift),
            mosaic_mdeg=mosaic,
            darwin_mdeg=width,
            reflected=reflected,
            seen=_window(at["two_theta"] - 2.0 * bragg, d.beam.arm_window_deg),
            distance_m=1e-3 * at["detector_z"],
            centre_px=(
                centre[0] - offset["detector_x"] / pixel_mm,
                centre[1] - offset["detector_y"] / pixel_mm,
            ),
            stop_half_px=half_mm / pixel_mm if stop_off_axis < half_mm else 0.0,
            sample_px=(offset["sample_x"] / pixel_mm, offset["sample_y"] / pixel_mm),
        )

    def _darwin_width_mdeg(self, energy_kev: float) -> float:
        if energy_kev == _TABLE_KEV:  # what nearly all experiments are at needs no tables
            return DARWIN_WIDTH_MDEG
        return darwin(round(energy_kev, 4), self.description.crystal.lattice_angstrom).width_mdeg

    def slit_fraction(self, at: Mapping[str, float]) -> float:
        """Share of the beam that passes the slits."""
        beam = self.description.beam
        return gaussian_through_gap(
            at["slit_x_gap"], at["slit_x_centre"], beam.width_mm
        ) * gaussian_through_gap(at["slit_y_gap"], at["slit_y_centre"], beam.height_mm)

    def pairs(self, truth: Truth) -> PairState:
        """Ring, acceptance and rate of the pairs."""
        d = self.description
        crystal, place = d.crystal, d.detector
        nominal = acceptance(
            d.pairs.detuning_deg,
            crystal.bragg_reading_deg,
            1e-3 * self._start["detector_z"],
            place.pixel_um,
            place.centre_px,
            1e3 * place.stop_half_mm / place.pixel_um,
        )
        return pair_state(
            truth.pair_detuning_deg,
            truth.bragg_deg,
            truth.distance_m,
            place.pixel_um,
            truth.centre_px,
            truth.stop_half_px,
            truth.flux * d.pairs.rate_hz / nominal,
        )

    def monitor_hz(self, truth: Truth) -> float:
        """Expected count rate of the monitor in the diffracted beam."""
        beam = self.description.beam
        diffracted = beam.monitor_peak_hz * truth.reflected * truth.seen
        return beam.monitor_dark_hz + truth.flux * (beam.monitor_scatter_hz + diffracted)


def _window(offset_deg: float, half_deg: float) -> float:
    """1 in the middle of an opening, falling to 0 over the outer fifth of its half width."""
    edge = 0.2 * half_deg
    return min(max((half_deg - abs(offset_deg)) / edge, 0.0), 1.0)
