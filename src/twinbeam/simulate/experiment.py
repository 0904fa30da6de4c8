"""The experiment as a source of raw bytes with known truth; no EPICS."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbeam.simulate._response_kernel import HOT
from twinbeam.simulate.arrivals import Arrivals
from twinbeam.simulate.control_words import closing_words, opening_words, regular_words
from twinbeam.simulate.counts import Counts
from twinbeam.simulate.emission import NOMINAL_DETUNING_DEG, Emission, Piece
from twinbeam.simulate.hit_truth import HitTruth
from twinbeam.simulate.merge import arrivals_in_order
from twinbeam.simulate.parameters import SimulationParameters
from twinbeam.simulate.photon_truth import PhotonKind, PhotonTruth
from twinbeam.simulate.readout import Readout
from twinbeam.simulate.sample import Mask
from twinbeam.simulate.sensor import Sensor, SensorHits
from twinbeam.simulate.sensor_state import SensorState, noise_rate_hz
from twinbeam.simulate.truth import Truth
from twinbeam.tpx3 import TICK_NS

__all__ = ["Experiment"]


class Experiment:
    """Photon pairs and background on a Timepix3, as the bytes the detector would send.

    The same parameters and seed give the same bytes, however the time is cut into steps; every
    further acquisition of an experiment is another one.

    Parameters
    ----------
    parameters
        Beam, crystal, sample, sensor and read-out.
    seed
        Where all random numbers come from.
    keep_photons, keep_hits
        Whether the truth about every photon and about every hit is kept for `take_photons` and
        `take_hits`.
    mask
        A sample of matter in place of the opaque spokes of the parameters.

    Attributes
    ----------
    parameters
        Where beam, crystal and sample are; another value acts from the next slice of time on. The
        rates of background and dark photons, the response and the read-out stay as they were when
        the acquisition began.
    state
        Thresholds and bias; another value acts from the next slice of time on.
    """

    def __init__(
        self,
        parameters: SimulationParameters | None = None,
        seed: int = 0,
        *,
        keep_photons: bool = False,
        keep_hits: bool = False,
        mask: Mask | None = None,
    ) -> None:
        self.parameters = parameters or SimulationParameters()
        self.state = SensorState()
        self._mask = mask
        self._seed = seed
        self._keep_photons, self._keep_hits = keep_photons, keep_hits
        self._sensor = Sensor(self.parameters, seed)
        self._sensor.respond(Arrivals.empty())  # compiles, before time begins to count
        self._acquisition = 0
        self.start()

    @property
    def hot_pixels(self) -> NDArray[np.int64]:
        """Rows of x, y on the 512 grid of the hot pixels."""
        return self._sensor.hot_pixels

    @property
    def dead_pixels(self) -> NDArray[np.int64]:
        """Rows of x, y on the 512 grid of the dead pixels."""
        return self._sensor.dead_pixels

    @property
    def n_hits(self) -> int:
        """Hits since `start`, those still in the read-out included."""
        return self.counts.hits

    def start(self) -> bytes:
        """Begin an acquisition: the shutter opens."""
        p = self.parameters
        self._now_ps = 0
        self._emission = Emission(
            p, self._seed, self._acquisition, self._sensor.hot_pixels, self._mask
        )
        self._acquisition += 1
        self._sensor.reset()
        self._readout = Readout(p, keep_hits=self._keep_hits)
        self.counts = Counts()
        self._truth: list[Truth] = []
        self._photons: list[PhotonTruth] = []
        opening = Readout(p)
        self._readout.share_packets(opening)
        opening.add_words(opening_words(p, self._sensor.start_tick))
        return opening.rest(0)

    def advance(
        self,
        duration_s: float,
        detuning_deg: float = NOMINAL_DETUNING_DEG,
        flux: float = 1.0,
    ) -> bytes:
        """Bytes that leave the detector during the next slice of time.

        Parameters
        ----------
        duration_s
            Length of the slice in seconds, counted in whole ps.
        detuning_deg
            Angle of the crystal minus its Bragg angle during the slice.
        flux
            Intensity on the crystal as a share of the nominal one; 0 with the shutter closed.
        """
        stop_ps = self._now_ps + max(round(duration_s * 1e12), 0)
        words = regular_words(self.parameters, self._sensor.start_tick, self._now_ps, stop_ps)
        self._readout.add_words(words)
        self._now_ps = stop_ps
        self._sensor.state = self.state
        noise_hz = tuple(
            noise_rate_hz(self.parameters.threshold_kev + shift)
            for shift in self.state.threshold_shift_kev
        )
        self._emission.follow(self.parameters, noise_hz)
        out = []
        for piece in self._emission.until(stop_ps * 1e-3, flux):
            self._record(piece, detuning_deg)
            out.append(self._readout.until(int(piece.stop_ns / TICK_NS)))
        return b"".join(out)

    def stop(self) -> bytes:
        """Bytes still held by the read-out, then the shutter closes."""
        p, start = self.parameters, self._sensor.start_tick
        # a beat that falls on the very end is still sent
        words = regular_words(p, start, self._now_ps, self._now_ps + 1)
        self._readout.add_words(words)
        now = int(self._now_ps * 1e-3 / TICK_NS)
        held = self._readout.rest(now)
        closing = Readout(p)
        self._readout.share_packets(closing)
        closing.add_words(closing_words(p, start, now, 0))
        return held + closing.rest(0)

    def truth(self) -> Truth:
        """Pairs on the sensor area since `start`, or since the last `take_truth`."""
        self._truth = [Truth.concatenate(self._truth)]
        return self._truth[0]

    def take_truth(self) -> Truth:
        """As `truth`, and forget them."""
        truth, self._truth = self.truth(), []
        return truth

    def take_photons(self) -> PhotonTruth:
        """Photons since the last call, if they are kept, and forget them."""
        photons, self._photons = PhotonTruth.concatenate(self._photons), []
        return photons

    def take_hits(self) -> HitTruth:
        """Hits of the bytes given out since the last call, if they are kept, and forget them."""
        return self._readout.take_hits()

    def _record(self, piece: Piece, detuning_deg: float) -> None:
        """Let the candidates of a piece of time come to the sensor."""
        pairs, arrivals = arrivals_in_order(piece, detuning_deg, self.parameters, self._mask)
        if not len(arrivals) and not pairs["t_ns"].size:
            return
        hits = self._sensor.respond(arrivals)
        is_photon = arrivals.kind != HOT
        number = np.where(is_photon, self.counts.photons + np.cumsum(is_photon) - 1, -1)
        self._readout.add_hits(hits, number[hits.row])
        self._note(pairs, arrivals, hits, is_photon)

    def _note(
        self,
        pairs: dict[str, NDArray[Any]],
        arrivals: Arrivals,
        hits: SensorHits,
        is_photon: NDArray[np.bool_],
    ) -> None:
        left_hits = hits.n_hits > 0
        twin = arrivals.pair >= 0
        both = np.bincount(arrivals.pair[twin & left_hits], minlength=pairs["t_ns"].size) == 2
        start = self._sensor.start_tick
        t = start + pairs.pop("t_ns") / TICK_NS
        truth = Truth(t=t, **pairs, detected=both)
        if len(truth):
            self._truth.append(truth)
        if self._keep_photons:
            photons = arrivals[is_photon]
            n_hits = hits.n_hits[is_photon]
            self._photons.append(
                PhotonTruth(
                    t=start + photons.t_ns / TICK_NS,
                    x=photons.x.astype(np.float32),
                    y=photons.y.astype(np.float32),
                    energy_kev=photons.energy_kev.astype(np.float32),
                    kind=photons.kind,
                    pair=np.where(
                        photons.pair >= 0, self.counts.pairs_on_sensor + photons.pair, -1
                    ),
                    n_hits=n_hits,
                    recorded=n_hits > 0,
                )
            )
        kinds = np.bincount(arrivals.kind[is_photon], minlength=len(PhotonKind))
        self.counts.add(
            hits=int(hits.row.size),
            hits_hot=int(np.count_nonzero(~is_photon[hits.row])),
            hits_lost=hits.lost,
            photons=int(np.count_nonzero(is_photon)),
            photons_recorded=int(np.count_nonzero(left_hits & is_photon)),
            pairs_on_sensor=len(truth),
            pairs_transmitted=int(np.count_nonzero(truth.transmitted)),
            pairs_detected=int(np.count_nonzero(both)),
            photons_by_kind={kind.label: int(kinds[kind]) for kind in PhotonKind},
        )
