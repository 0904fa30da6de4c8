"""`twinbeam doctor`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from twinbeam.cli.catalog_option import is_server
from twinbeam.cli.console import out, plain, show_json
from twinbeam.errors import TwinbeamError

if TYPE_CHECKING:
    from twinbeam.cli.doctor_finding import Check, Finding
    from twinbeam.settings import Chosen

__all__ = ["doctor"]

_COLOURS = {"ok": "green", "warning": "yellow", "fault": "red"}


def doctor(
    catalog: Annotated[
        str | None,
        typer.Option(
            help="Folder of the catalogue, or address of a tiled server; else that of the settings."
        ),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of the raw files; else that of the settings.")
    ] = None,
    site: Annotated[
        str | None, typer.Option(help="File or name of the site; else that of the settings.")
    ] = None,
    beamline: Annotated[
        bool,
        typer.Option("--beamline/--no-beamline", help="Whether instruments are looked for."),
    ] = True,
    timeout: Annotated[
        float, typer.Option(min=1.0, max=120.0, help="Longest time for all checks, in s.")
    ] = 15.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON on stdout.")] = False,
) -> None:
    """Whether everything a run needs is there, and what to do about what is not.

    Settings, packages, processors, clock, folders with their room and speed, the catalogue or its
    server, the live service, and which process variables of the site answer. Nothing is changed.
    The checks run side by side and take a few seconds even if nothing answers. Status 0 only
    without a fault; a warning is something that works, but may not for long.

    Example: twinbeam doctor

    Example: twinbeam doctor --no-beamline --json
    """
    from twinbeam.cli.doctor_finding import run_checks
    from twinbeam.settings import choose

    begun = time.perf_counter()
    try:
        chosen: dict[str, Chosen] = choose()
    except TwinbeamError:
        chosen = {}  # the check of the settings says what is wrong
    checks = _checks(chosen, catalog, data_dir, site, beamline)
    found: list[Finding] = []
    table = Table(show_header=False, box=None, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for findings in run_checks(checks, timeout_s=timeout):
        for one in findings:
            found.append(one)
            advice = f"\n[bold]→ {plain(one.advice)}[/]" if one.advice else ""
            colour = _COLOURS[one.state]
            table.add_row(f"[{colour}]{one.state}[/]", one.check, plain(one.value) + advice)
    faults, warnings = (sum(f.state == s for f in found) for s in ("fault", "warning"))
    seconds = time.perf_counter() - begun
    if as_json:
        values = [one.as_dict() for one in found]
        show_json({"checks": values, "faults": faults, "warnings": warnings, "seconds": seconds})
    else:
        out.print(table)
        verdict = f"{faults} fault(s), {warnings} warning(s)" if faults or warnings else "all well"
        out.print(f"{verdict}; {len(found)} checks in {seconds:.1f} s")
    if faults:
        raise typer.Exit(1)


def _checks(
    chosen: dict[str, Chosen],
    catalog: str | None,
    data_dir: Path | None,
    site: str | None,
    beamline: bool,
) -> list[Check]:
    """All checks, in the order in which they are told."""
    # here, not in the threads of the checks, which would wait for each other's imports
    from twinbeam.cli import doctor_channels, doctor_machine, doctor_service, doctor_storage
    from twinbeam.cli.doctor_finding import Check
    from twinbeam.live import LiveSettings
    from twinbeam.profile.environment import use_channel_access

    def setting(key: str) -> str | None:
        value = chosen[key].value if key in chosen else None
        return None if value is None else str(value)

    where = catalog or setting("tiled_uri") or setting("catalog")
    remote = where is not None and is_server(where)
    local = Path.home() / "twinbeam" / "catalog"
    if not remote and where is not None:
        local = Path(where).expanduser().absolute()
    elif remote and (beside := setting("catalog")):
        local = Path(beside).expanduser().absolute()
    raw = data_dir or (Path(given) if (given := setting("data_dir")) else local.parent / "raw")
    own = LiveSettings()
    endpoints = {
        "documents": setting("live_documents") or own.documents,
        "results": setting("live_results") or own.results,
        "control": setting("live_control") or own.control,
    }
    page = setting("page_port")
    checks = [
        Check("settings", doctor_service.remembered),
        Check("packages", doctor_machine.packages),
        Check("processors", doctor_machine.processors),
        Check("compiled kernels", doctor_machine.kernels),
        Check("clock", doctor_machine.clock),
        Check("raw files", lambda: doctor_storage.folder("raw files", raw.expanduser())),
    ]
    if remote and where is not None:
        key = _key(setting("tiled_api_key_file"))
        checks.append(Check("tiled", lambda: doctor_storage.tiled_server(where, key)))
    else:
        checks += [
            Check("catalogue", lambda: doctor_storage.embedded_catalog(local)),
            Check("runs", lambda: doctor_storage.folder("runs", local)),
        ]
    checks += [
        Check("live service", lambda: doctor_service.live_service(endpoints)),
        Check("page", lambda: doctor_service.page_port(int(page) if page else None)),
    ]
    if beamline:
        simulated = use_channel_access()
        named = site or setting("site")
        checks.append(
            Check(
                "Channel Access",
                lambda: doctor_channels.channel_access(named, simulated=simulated),
            )
        )
    return checks


def _key(path: str | None) -> str | None:
    """The key in a file; the check of the settings says what is wrong with one that has none."""
    from twinbeam.settings import read_key

    try:
        return read_key(path) if path else None
    except TwinbeamError:
        return None
