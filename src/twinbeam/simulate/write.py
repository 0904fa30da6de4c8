"""A raw file with known pairs, written without a beamline."""

from __future__ import annotations

from pathlib import Path

from twinbeam.errors import StorageError
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

    Raises
    ------
    StorageError
        If a file cannot be written, or both names are the same; an earlier file then stays.
    """
    out = Path(out)
    if truth is not None and Path(truth).absolute() == out.absolute():
        raise StorageError("raw data and truth table need a file each", where=str(out))
    if truth is not None and not Path(truth).parent.is_dir():
        raise StorageError("the folder of the truth table does not exist", where=str(truth))
    part = out.with_name(out.name + ".part")
    try:
        table = _write(part, seconds, Experiment(parameters, seed), detuning_deg)
        if truth is not None:
            table.write_parquet(truth)
        part.replace(out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StorageError(
            f"cannot be written: {error.strerror or error}", where=str(error.filename or out)
        ) from error
    return table


def _write(path: Path, seconds: float, experiment: Experiment, detuning_deg: float) -> Truth:
    with path.open("wb") as stream:
        stream.write(experiment.start())
        left = seconds
        while left > 1e-9:
            step = min(_SLICE_S, left)
            stream.write(experiment.advance(step, detuning_deg))
            left -= step
        stream.write(experiment.stop())
    return experiment.truth()
