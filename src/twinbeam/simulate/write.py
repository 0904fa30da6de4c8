"""A raw file with known photons and pairs, written without a beamline."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from twinbeam.errors import StorageError
from twinbeam.simulate.counts import Counts
from twinbeam.simulate.emission import NOMINAL_DETUNING_DEG
from twinbeam.simulate.experiment import Experiment
from twinbeam.simulate.hit_truth import HitTruth
from twinbeam.simulate.parameters import SimulationParameters
from twinbeam.simulate.photon_truth import PhotonTruth
from twinbeam.simulate.truth import Truth
from twinbeam.simulate.truth_files import TruthFile

__all__ = ["simulate"]

_LONGEST_STEP_PS = 10**12
_PHOTONS_A_STEP = 200_000


def simulate(
    out: str | Path,
    *,
    seconds: float,
    parameters: SimulationParameters | None = None,
    seed: int = 0,
    detuning_deg: float = NOMINAL_DETUNING_DEG,
    flux: float = 1.0,
    truth: str | Path | None = None,
    truth_photons: str | Path | None = None,
    truth_hits: str | Path | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Counts:
    """Write `seconds` of the experiment as a raw `.tpx3` file, with bounded memory.

    Parameters
    ----------
    out
        The raw file to write.
    seconds
        Time with the shutter open in s.
    detuning_deg
        Angle of the crystal minus its Bragg angle in degrees.
    flux
        Intensity on the crystal as a share of the nominal one.
    truth, truth_photons, truth_hits
        Parquet files for the tables of pairs (`Truth`), photons (`PhotonTruth`) and hits
        (`HitTruth`); None for a table that is not wanted.
    on_progress
        Called with the seconds of simulated time that were added.

    Returns
    -------
    Counts
        What the raw file holds.

    Raises
    ------
    StorageError
        If a file cannot be written, or two names are the same. Then, and when interrupted, nothing
        is left behind and earlier files of these names stay.
    """
    out = Path(out)
    wanted = {Truth: truth, PhotonTruth: truth_photons, HitTruth: truth_hits}
    tables = {kind: Path(path) for kind, path in wanted.items() if path is not None}
    _check_names([out, *tables.values()])
    experiment = Experiment(
        parameters, seed, keep_photons=PhotonTruth in tables, keep_hits=HitTruth in tables
    )
    part = out.with_name(out.name + ".part")
    with ExitStack() as cleanup:
        try:
            cleanup.callback(part.unlink, missing_ok=True)
            stream = cleanup.enter_context(part.open("wb"))
            files: dict[type, TruthFile] = {}
            for kind, path in tables.items():
                files[kind] = TruthFile(path, kind)
                cleanup.callback(files[kind].discard)
            run = _Run(experiment, stream, files, on_progress)
            run.write(seconds, detuning_deg, flux)
            stream.close()
            for file in files.values():
                file.finish()
            part.replace(out)
        except OSError as error:
            raise StorageError(
                f"cannot be written: {error.strerror or error}", where=str(error.filename or out)
            ) from error
    return experiment.counts


def _check_names(paths: list[Path]) -> None:
    for path in paths:
        if sum(path.absolute() == other.absolute() for other in paths) > 1:
            raise StorageError("raw data and truth tables need a file each", where=str(path))
        if not path.absolute().parent.is_dir():
            raise StorageError("the folder of this file does not exist", where=str(path))


class _Run:
    """An experiment on its way into files."""

    def __init__(
        self,
        experiment: Experiment,
        stream: BinaryIO,
        files: dict[type, TruthFile],
        on_progress: Callable[[float], None] | None,
    ) -> None:
        self._experiment = experiment
        self._stream = stream
        self._files = files
        self._on_progress = on_progress

    def write(self, seconds: float, detuning_deg: float, flux: float) -> None:
        p = self._experiment.parameters
        rate_hz = p.background_rate_hz * max(flux, 0.0) + 4.0 * p.pair_rate_hz
        rate_hz += p.dark_rate_hz + p.hot.count * p.hot.rate_hz
        step_ps = min(_LONGEST_STEP_PS, round(_PHOTONS_A_STEP / max(rate_hz, 1.0) * 1e12))
        left_ps = round(seconds * 1e12)
        self._stream.write(self._experiment.start())
        while left_ps > 0:
            step_s = min(step_ps, left_ps) * 1e-12
            self._stream.write(self._experiment.advance(step_s, detuning_deg, flux))
            left_ps -= step_ps
            self._take_truth()
            if self._on_progress is not None:
                self._on_progress(step_s)
        self._stream.write(self._experiment.stop())
        self._take_truth()

    def _take_truth(self) -> None:
        pairs = self._experiment.take_truth()
        if Truth in self._files:
            self._files[Truth].write(pairs)
        if PhotonTruth in self._files:
            self._files[PhotonTruth].write(self._experiment.take_photons())
        if HitTruth in self._files:
            self._files[HitTruth].write(self._experiment.take_hits())
