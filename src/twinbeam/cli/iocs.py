"""`twinbeam iocs`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["PASSED_ON", "iocs"]

PASSED_ON = {"ignore_unknown_options": True, "allow_extra_args": True}


def iocs(
    context: typer.Context,
    playback: Annotated[
        Path | None, typer.Option(help="Serve a recorded .tpx3 file instead of simulating.")
    ] = None,
    pair_rate: Annotated[float, typer.Option(min=0.0, max=1e6, help="Pairs per second.")] = 200.0,
    background_rate: Annotated[
        float, typer.Option(min=0.0, max=1e8, help="Background photons per second.")
    ] = 2e4,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all random numbers.")] = 1,
    data_dir: Annotated[
        Path | None, typer.Option(help="First folder of the raw files; a temporary one if none.")
    ] = None,
) -> None:
    """Only the simulated beamline, until Ctrl-C; prints how clients reach it.

    The IPython profile finds it without further settings. Options that are not listed here go to
    the simulated beamline as they are, such as --sample, --beamline-file, --fault and --driver;
    'python -m sim_iocs all --help' explains them.

    Example: twinbeam iocs --pair-rate 500 --data-dir raw --sample disc
    """
    arguments = [f"--seed={seed}", f"--pair-rate-hz={pair_rate}"]
    arguments.append(f"--background-rate-hz={background_rate}")
    if playback is not None:
        from twinbeam.tpx3 import check_raw_file

        arguments.append(f"--playback={check_raw_file(playback).resolve()}")
    if data_dir is not None:
        arguments.append(f"--data-dir={data_dir}")
    arguments += [*context.args, f"--parent-pid={os.getpid()}"]
    command = [sys.executable, "-m", "sim_iocs", "all", *arguments]
    # a session of its own: Ctrl-C is handed on as a signal it knows from its first moment
    child = subprocess.Popen(command, start_new_session=True)
    try:
        status = child.wait()
    except KeyboardInterrupt:
        child.terminate()
        status = max(child.wait(), 0)  # one that had not begun is ended by the signal
    raise typer.Exit(status if status in (0, 2) else 1)
