"""A raw file with known pairs, written without a beamline."""

from __future__ import annotations

from pathlib import Path

from twinbeam.simulate.experiment import Experiment
from twinbeam.simulate.parameters import SimulationParameters
from twinbeam.simulate.truth import Truth

__all__ = ["simulate"]

_SLICE_S = 0.1


def simulate(
    out: str | Path,
    *,
    seconds: float,
    parameters: SimulationParameters | None = None,
    seed: int = 0,
    detuning_deg: float = 0.040,
    truth: str | Path | None = None,
) -> Truth:
    """Write `seconds` of the experiment as a raw `.tpx3` file and return the truth.

    Parameters
    ----------
    out
        The raw file to write.
    truth
        Where to write the truth table as parquet; None to only return it.
    """
    experiment = Experiment(parameters, seed)
    with Path(out).open("wb") as stream:
        stream.write(experiment.start())
        left = seconds
        while left > 1e-9:
            step = min(_SLICE_S, left)
            stream.write(experiment.advance(step, detuning_deg))
            left -= step
        stream.write(experiment.stop())
    table = experiment.truth()
    if truth is not None:
        table.write_parquet(truth)
    return table
