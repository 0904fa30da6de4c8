"""The simulated experiment as a source that is made after the records answer."""

from __future__ import annotations

import numpy as np

from twinbeam.simulate import Experiment, SimulationParameters
from twinbeam.simulate.sample import Mask
from twinbeam.simulate.sensor_state import SensorState

__all__ = ["LateExperiment"]


class LateExperiment(Experiment):
    """An experiment whose sensor is made when it is first wanted.

    Its compiled code takes a good part of a second to load, and some seconds to compile after an
    installation; no client should have to wait for its records until then.

    Parameters
    ----------
    parameters
        Beam, crystal, sample, sensor and read-out.
    seed
        Where all random numbers come from.
    mask
        A sample of matter in place of the opaque spokes.
    """

    def __init__(
        self, parameters: SimulationParameters, seed: int, *, mask: Mask | None = None
    ) -> None:
        self.parameters = parameters
        self.state = SensorState()
        self._sample = mask
        self._first = parameters
        self._late_seed = seed
        self._made = False

    def prepare(self) -> None:
        """Make what is missing; again, this does nothing."""
        if self._made:
            return
        self._made = True
        # what the beamline has said until now stays
        said = self.parameters
        try:
            super().__init__(self._first, self._late_seed, mask=self._sample)
        except BaseException:
            self._made = False
            raise
        finally:
            self.parameters = said
        if self._sample is not None:
            nowhere = np.zeros(0)
            self._sample.transmission(nowhere, nowhere, nowhere)  # loads its tables

    def start(self) -> bytes:
        """Begin an acquisition; the first one may have to wait for the sensor."""
        self.prepare()
        return super().start()
