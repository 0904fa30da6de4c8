"""The commands together, and what happens to their errors."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from twinbeam._version import __version__
from twinbeam.cli.bench import bench
from twinbeam.cli.calibrate import calibrate
from twinbeam.cli.compare import compare
from twinbeam.cli.console import problem
from twinbeam.cli.demo import demo
from twinbeam.cli.doctor import doctor
from twinbeam.cli.export import export
from twinbeam.cli.info import info
from twinbeam.cli.ingest import ingest
from twinbeam.cli.iocs import PASSED_ON, iocs
from twinbeam.cli.live import live
from twinbeam.cli.next_step import said
from twinbeam.cli.process import process
from twinbeam.cli.recipe import recipe
from twinbeam.cli.relocate import relocate
from twinbeam.cli.remembered import remembered_defaults
from twinbeam.cli.replay import replay
from twinbeam.cli.reprocess import reprocess
from twinbeam.cli.serve import serve
from twinbeam.cli.settings import settings
from twinbeam.cli.simulate import simulate
from twinbeam.cli.stored_runs import NUMBERED_RUNS
from twinbeam.cli.view import view
from twinbeam.errors import TwinbeamError

__all__ = ["app", "run"]

app = typer.Typer(
    name="twinbeam",
    help="X-ray photon pairs on a Timepix3: run the experiment, watch it live, replay it exactly.",
    epilog="COMMAND --help explains each, with an example. Status 0 is done, 1 a problem that the "
    "message names, 2 wrong usage, 130 Ctrl-C. Tab completes commands and options in bash, zsh and "
    "fish after 'twinbeam --install-completion' and in a new terminal.",
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
_SECTIONS: dict[str, tuple[Any, ...]] = {
    "Try it without a beamline": (demo, iocs),
    "Before the beam": (doctor, settings),
    "During a run": (live, view),
    "After a run": (replay, compare, reprocess, export),
    "Raw files": (info, process, calibrate, recipe, simulate, bench),
    "The catalogue of runs": (serve, ingest, relocate),
}
_CONTEXTS: dict[Any, dict[str, Any]] = {
    iocs: PASSED_ON,
    **dict.fromkeys((view, replay, compare, reprocess, export), NUMBERED_RUNS),
}
for _section, _commands in _SECTIONS.items():
    for _command in _commands:
        if isinstance(_command, typer.Typer):
            _name = next(name for name, thing in globals().items() if thing is _command)
            app.add_typer(_command, name=_name, rich_help_panel=_section)
            continue
        app.command(context_settings=_CONTEXTS.get(_command), rich_help_panel=_section)(_command)


#: Commands that Ctrl-C ends as it should, or that say themselves what it did.
_UNTIL_INTERRUPTED = ("demo", "iocs", "live", "serve", "view")
_INTERRUPTED = 130
_TRACEBACK = "TWINBEAM_TRACEBACK"


def run(arguments: list[str]) -> int:
    """Run one command line; returns the exit status."""
    try:
        app(arguments, default_map=remembered_defaults(arguments))
    except (TwinbeamError, OSError) as error:
        problem(said(error))
        return 1
    except MemoryError as error:
        problem(f"not enough memory: {error}")
        return 1
    except Exception as error:
        if os.environ.get(_TRACEBACK):
            raise
        first = next((line for line in str(error).splitlines() if line.strip()), "")
        hint = f"{_TRACEBACK}=1 shows where it happened; please report it"
        problem(f"unexpected {type(error).__name__}: {first} ({hint})")
        return 1
    except SystemExit as leave:
        if leave.code == _INTERRUPTED and arguments[0] not in _UNTIL_INTERRUPTED:
            problem("interrupted; no file is left half written")
        return leave.code if isinstance(leave.code, int) else 0
    return 0
