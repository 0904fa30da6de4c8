"""A beamline without Channel Access whose detector writes real raw files."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ophyd.status import Status
from pure_beamline import PureBeamline, PureDetector, PureMotor, done

from twinbeam.simulate import Experiment, SimulationParameters

_KEYS = ("raw_uri", "raw_template", "raw_first", "raw_count", "raw_bytes")


class RawDetector(PureDetector):
    """One raw file for each acquisition, of what the simulated experiment gives there."""

    def __init__(self, bench: RawBeamline, folder: Path) -> None:
        super().__init__()
        self._bench, self._folder = bench, folder
        self._data: dict[str, Any] = {}

    def trigger(self) -> Status:
        """Make one acquisition."""
        assert self.staged
        world = self._bench.world
        seconds = int(self.num_frames.get()) * float(self.frame_time_s.get())
        self._acquisitions += 1
        experiment = Experiment(self._bench.parameters(), seed=self._acquisitions)
        detuning_deg = world.theta_deg - world.bragg_deg
        data = experiment.start()
        data += experiment.advance(seconds, detuning_deg, float(world.flux * world.is_open))
        data += experiment.stop()
        self._bench.experiment = experiment
        template = f"run{self._acquisitions}_{{:06d}}.tpx3"
        frames = int(self.num_frames.get())
        for index in range(frames):  # all hits in the first
            (self._folder / template.format(index)).write_bytes(b"" if index else data)
        uri = f"file://localhost{self._folder}/"
        values = (uri, template, 0, frames, len(data))
        self._data = dict(zip(_KEYS, values, strict=True))
        for key, value in self._data.items():
            getattr(self, key).put(value)
        self.raw_hits.put(len(data) // 8)  # few words are something else
        return done()

    def read(self) -> dict[str, Any]:
        """Where the file is."""
        now_s = time.time()
        return {f"tpx3_{k}": {"value": v, "timestamp": now_s} for k, v in self._data.items()}

    def describe(self) -> dict[str, Any]:
        """Words and numbers."""
        return {
            f"tpx3_{k}": {
                "source": "pure",
                "dtype": "string" if isinstance(v, str) else "integer",
                "shape": [],
            }
            for k, v in self._data.items()
        }


class RawBeamline(PureBeamline):
    """All of it, with an energy and a threshold that the detector's data follow."""

    def __init__(self, folder: Path, **values: Any) -> None:
        super().__init__()
        self.values = values
        self.experiment: Experiment | None = None
        self.world.energy_kev = 15.0  # type: ignore[attr-defined]
        self.world.threshold = 3.0  # type: ignore[attr-defined]
        self.energy = PureMotor("energy", self.world, "energy_kev")
        self.threshold = PureMotor("threshold", self.world, "threshold")
        self.detector = RawDetector(self, folder)

    def parameters(self) -> SimulationParameters:
        """The experiment as it is now; below a threshold of 2.5 many pixels are noisy."""
        noisy = self.world.threshold < 2.5  # type: ignore[attr-defined]
        values = {"pump_kev": self.world.energy_kev, **self.values}  # type: ignore[attr-defined]
        if noisy:
            values["hot"] = {"count": 200, "rate_hz": 500.0}
        return SimulationParameters.model_validate(values)
