"""`twinbeam demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from twinbeam.cli.console import problem
from twinbeam.errors import RawDataError, TwinbeamError

__all__ = ["demo"]

PAPER_PAIR_RATE_HZ = 2.17
PAPER_BACKGROUND_RATE_HZ = 4.33e5


def demo(
    seconds: Annotated[
        float, typer.Option(min=2.0, max=86400.0, help="How long to collect pairs, in s.")
    ] = 60.0,
    out: Annotated[Path, typer.Option(help="Folder for everything the demo writes.")] = Path(
        "twinbeam-demo"
    ),
    paper_rates: Annotated[
        bool,
        typer.Option(
            "--paper-rates",
            help=f"{PAPER_PAIR_RATE_HZ} pairs/s under {PAPER_BACKGROUND_RATE_HZ:.2g} "
            "background/s, as at the beamline.",
        ),
    ] = False,
    pair_rate: Annotated[float, typer.Option(min=0.0, max=1e6, help="Pairs per second.")] = 200.0,
    background_rate: Annotated[
        float, typer.Option(min=0.0, max=1e8, help="Background photons per second.")
    ] = 2e4,
    playback: Annotated[
        Path | None, typer.Option(help="Let the detector play this .tpx3 file instead.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulation.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON on stdout.")] = False,
) -> None:
    """The whole experiment on a simulated beamline, in about a minute and a half.

    Aligns the crystal, measures the rocking curve, detunes, collects photon pairs and shows them
    live, stores the run, replays it through databroker and compares bit by bit. Ends with status 0
    only if everything held.

    Example: twinbeam demo --seconds 20
    """
    from twinbeam.cli.demo_report import present
    from twinbeam.cli.demo_run import DemoSettings, run_demo

    recorded = None
    if playback is not None:
        from twinbeam.tpx3 import check_raw_file, read_hits

        playback = check_raw_file(playback).resolve()
        recorded = read_hits(playback)
        if not len(recorded):
            raise RawDataError(
                "holds no hits to play", where=str(playback), hint="choose a file with photons"
            )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TwinbeamError(
            f"the folder cannot be created: {error.strerror}", where=str(out)
        ) from error
    settings = DemoSettings(
        seconds=seconds,
        out=out.resolve(),
        pair_rate_hz=PAPER_PAIR_RATE_HZ if paper_rates else pair_rate,
        background_rate_hz=PAPER_BACKGROUND_RATE_HZ if paper_rates else background_rate,
        playback=playback,
        seed=seed,
        recorded_hits=None if recorded is None else len(recorded),
        recorded_span_s=None if recorded is None else recorded.span_s,
    )
    try:
        report = run_demo(settings)
    except KeyboardInterrupt:
        problem("interrupted; everything is stopped")
        raise typer.Exit(130) from None
    present(report, as_json=as_json)
    if not all(report["checks"].values()):
        raise typer.Exit(1)
