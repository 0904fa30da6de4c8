"""`twinbeam simulate`."""

from __future__ import annotations

import time
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinbeam.cli.console import number, out, show_json, two_columns
from twinbeam.cli.out_file import check_out_file
from twinbeam.cli.progress import QuietOption, bar
from twinbeam.errors import StorageError

if TYPE_CHECKING:
    from twinbeam.simulate import SimulationParameters

__all__ = ["simulate"]


class _Preset(StrEnum):
    default = "default"
    benchmark = "benchmark"
    chx = "chx"


class _Serval(StrEnum):
    two = "2"
    three_two = "3.2"
    four_three = "4.3"


def simulate(
    out_file: Annotated[
        Path | None,
        typer.Option("--out", help="Raw .tpx3 file to write; needed unless --print-config."),
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Parquet file for the table of true pairs.")
    ] = None,
    truth_photons: Annotated[
        Path | None, typer.Option(help="Parquet file for the table of all photons.")
    ] = None,
    truth_hits: Annotated[
        Path | None,
        typer.Option(help="Parquet file for all hits in the order of the raw data; large."),
    ] = None,
    seconds: Annotated[float, typer.Option(min=1e-6, max=1e6, help="Beam time in s.")] = 10.0,
    config: Annotated[
        Path | None, typer.Option(help="All parameters from a YAML file; options go before it.")
    ] = None,
    preset: Annotated[
        _Preset | None,
        typer.Option(
            help="All parameters from a ready-made set. benchmark: 3.75 Mhit/s, nearly all "
            "background. chx: rates and resolution of the published measurement."
        ),
    ] = None,
    pair_rate: Annotated[
        float | None,
        typer.Option(
            min=0.0, max=1e6, help="Pairs per second with both photons on the sensor.  [200]"
        ),
    ] = None,
    background_rate: Annotated[
        float | None,
        typer.Option(min=0.0, max=1e8, help="Background photons per second.  [20000]"),
    ] = None,
    detuning: Annotated[
        float, typer.Option(min=-1.0, max=1.0, help="Crystal detuning in degrees.")
    ] = 0.040,
    no_sample: Annotated[
        bool, typer.Option("--no-sample", help="No mask in the signal half.")
    ] = False,
    hot_pixels: Annotated[
        int | None, typer.Option(min=0, max=10_000, help="Pixels that fire by themselves.  [0]")
    ] = None,
    serval: Annotated[
        _Serval | None,
        typer.Option(help="Generation of the read-out software whose words are written.  [4.3]"),
    ] = None,
    tdc_rate: Annotated[
        float | None, typer.Option(min=0.0, max=1e6, help="Pulses per second on TDC 1.  [0]")
    ] = None,
    clock_start: Annotated[
        float | None,
        typer.Option(
            min=0.0, max=1e7, help="Detector clock in s at the start; it rolls over at 26.8.  [0]"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed; the same seed gives the same bytes.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Print all parameters as YAML and leave.")
    ] = False,
    _quiet: QuietOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON on stdout.")] = False,
) -> None:
    """Write raw data with known pairs, photons and hits, without a beamline.

    The defaults in brackets hold without --config and --preset.

    Example: twinbeam simulate --out f.tpx3 --truth t.parquet --seconds 60
    """
    from twinbeam.simulate import parameters_to_yaml
    from twinbeam.simulate import simulate as write

    given = {
        "pair_rate_hz": pair_rate,
        "background_rate_hz": background_rate,
        "sample": "none" if no_sample else None,
        "hot.count": hot_pixels,
        "serval": serval.value if serval else None,
        "tdc.rate_hz": tdc_rate,
        "clock_start_s": clock_start,
    }
    parameters = _parameters(config, preset, given)
    if print_config:
        print(parameters_to_yaml(parameters), end="")
        return
    if out_file is None:
        raise typer.BadParameter("name the raw file to write", param_hint="--out")
    tables = {"truth": truth, "truth_photons": truth_photons, "truth_hits": truth_hits}
    for path in (out_file, *tables.values()):
        if path is not None and path.exists() and not force:
            raise StorageError("exists already", where=str(path), hint="--force replaces it")
        check_out_file(path)
    started = time.perf_counter()
    with bar("simulating", seconds, silent=as_json) as shown:
        counts = write(
            out_file,
            seconds=seconds,
            parameters=parameters,
            seed=seed,
            detuning_deg=detuning,
            truth=truth,
            truth_photons=truth_photons,
            truth_hits=truth_hits,
            on_progress=shown.advance,
        )
    values: dict[str, Any] = {
        "file": str(out_file),
        **{name: str(path) if path else None for name, path in tables.items()},
        "bytes": out_file.stat().st_size,
        **asdict(counts),
        "hit_rate_hz": counts.hits / seconds,
        "seconds_of_beam": seconds,
        "seed": seed,
        "seconds": time.perf_counter() - started,
    }
    if as_json:
        show_json(values)
        return
    kinds = values.pop("photons_by_kind")
    rows = [(name.replace("_", " "), _text(value)) for name, value in values.items()]
    rows += [(f"photons, {kind}", number(n)) for kind, n in kinds.items() if n]
    out.print(two_columns("simulated raw data", rows))


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.6g}" if value < 1e4 else f"{value:,.0f}"
    return number(value) if isinstance(value, int) or value is None else str(value)


def _parameters(
    config: Path | None, preset: _Preset | None, given: dict[str, Any]
) -> SimulationParameters:
    """The parameters of a file or set with the options that were given put in."""
    from twinbeam.simulate import PRESETS, SimulationParameters, load_parameters

    if config is not None and preset is not None:
        raise typer.BadParameter("not together with --config", param_hint="--preset")
    base = load_parameters(config) if config else PRESETS[(preset or _Preset.default).value]
    values = base.model_dump(mode="json")
    for key, value in given.items():
        if value is not None:
            group = values
            *path, name = key.split(".")
            for part in path:
                group = group[part]
            group[name] = value
    return SimulationParameters.from_mapping(values, where="simulate")
