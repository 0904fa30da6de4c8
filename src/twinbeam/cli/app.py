"""The commands together, and what happens to their errors."""

from __future__ import annotations

from typing import Annotated

import typer

from twinbeam._version import __version__
from twinbeam.cli.bench import bench
from twinbeam.cli.calibrate import calibrate
from twinbeam.cli.compare import compare
from twinbeam.cli.console import problem
from twinbeam.cli.demo import demo
from twinbeam.cli.export import export
from twinbeam.cli.info import info
from twinbeam.cli.ingest import ingest
from twinbeam.cli.iocs import iocs
from twinbeam.cli.live import live
from twinbeam.cli.process import process
from twinbeam.cli.recipe import recipe
from twinbeam.cli.relocate import relocate
from twinbeam.cli.replay import replay
from twinbeam.cli.reprocess import reprocess
from twinbeam.cli.serve import serve
from twinbeam.cli.simulate import simulate
from twinbeam.cli.stored_runs import NUMBERED_RUNS
from twinbeam.cli.view import view
from twinbeam.errors import TwinbeamError

__all__ = ["app", "run"]

app = typer.Typer(
    name="twinbeam",
    help="X-ray photon pairs on a Timepix3: run the experiment, watch it live, replay it exactly.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"twinbeam {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and leave.", is_eager=True, callback=_show_version
        ),
    ] = False,
) -> None:
    pass


# in the order of a user's day
for _command in (
    demo,
    iocs,
    live,
    view,
    replay,
    compare,
    reprocess,
    serve,
    export,
    ingest,
    relocate,
    process,
    info,
    simulate,
    bench,
):
    _numbered = _command in (view, replay, compare, reprocess, export)
    app.command(context_settings=NUMBERED_RUNS if _numbered else None)(_command)
app.add_typer(recipe, name="recipe")
app.add_typer(calibrate, name="calibrate")


def run(arguments: list[str]) -> int:
    """Run one command line; returns the exit status."""
    try:
        app(arguments)
    except TwinbeamError as error:
        problem(str(error))
        return 1
    except OSError as error:
        problem(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        return 1
    except MemoryError as error:
        problem(f"not enough memory: {error}")
        return 1
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else 0
    return 0
