"""`twinbeam simulate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from twinbeam.cli.console import out, show_json, two_columns
from twinbeam.errors import StorageError

__all__ = ["simulate"]


def simulate(
    out_file: Annotated[Path, typer.Option("--out", help="Raw .tpx3 file to write.")],
    truth: Annotated[
        Path | None, typer.Option(help="Parquet file for the table of true pairs.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.001, max=1e6, help="Beam time in s.")] = 10.0,
    pair_rate: Annotated[
        float,
        typer.Option(min=0.0, max=1e6, help="Pairs per second with both photons on the sensor."),
    ] = 200.0,
    background_rate: Annotated[
        float, typer.Option(min=0.0, max=1e8, help="Background photons per second.")
    ] = 2e4,
    detuning: Annotated[
        float, typer.Option(min=-1.0, max=1.0, help="Crystal detuning in degrees.")
    ] = 0.040,
    no_sample: Annotated[
        bool, typer.Option("--no-sample", help="No mask in the signal half.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed; the same seed gives the same bytes.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON on stdout.")] = False,
) -> None:
    """Write raw data with known pairs, without a beamline.

    Example: twinbeam simulate --out f.tpx3 --truth t.parquet --seconds 60
    """
    from twinbeam.simulate import SimulationParameters
    from twinbeam.simulate import simulate as write
    from twinbeam.tpx3 import Decoder

    parameters = SimulationParameters.from_mapping(
        {
            "pair_rate_hz": pair_rate,
            "background_rate_hz": background_rate,
            "sample": "none" if no_sample else "spokes",
        },
        where="simulate",
    )
    for path in (out_file, truth):
        if path is not None and path.exists() and not force:
            raise StorageError("exists already", where=str(path), hint="--force replaces it")
    pairs = write(
        out_file,
        seconds=seconds,
        parameters=parameters,
        seed=seed,
        detuning_deg=detuning,
        truth=truth,
    )
    decoder = Decoder()
    decoder.feed(out_file.read_bytes())
    values = {
        "file": str(out_file),
        "truth": str(truth) if truth else None,
        "bytes": out_file.stat().st_size,
        "hits": decoder.census().n_hits,
        "pairs_on_sensor": len(pairs),
        "pairs_transmitted": int(pairs.transmitted.sum()),
        "pairs_detected": int(pairs.detected.sum()),
        "seconds_of_beam": seconds,
        "seed": seed,
    }
    if as_json:
        show_json(values)
        return
    rows = [(name.replace("_", " "), str(value)) for name, value in values.items()]
    out.print(two_columns("simulated raw data", rows))
