"""The namespace of a beamline prompt, under the names people know."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import sys
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinbeam.errors import BeamlineError, StorageError
from twinbeam.profile.ending import at_exit, end_plan, end_when_hung_up
from twinbeam.profile.environment import (
    catalog_place,
    data_folder,
    in_queue_worker,
    is_simulated_site,
    simulation_arguments,
    site_name,
    use_channel_access,
)
from twinbeam.profile.guide import guide
from twinbeam.profile.instruments import baseline, instruments
from twinbeam.profile.printed import print_results, print_session
from twinbeam.profile.session import Session
from twinbeam.profile.shell import (
    add_magics,
    explain_errors,
    show_state,
    starting,
    the_shell,
    without_noise,
)
from twinbeam.profile.simulated import SimulatedBeamline
from twinbeam.settings import fill_environment

if TYPE_CHECKING:
    from twinbeam.devices import Beamline, Site

__all__ = ["add_devices", "add_help", "add_plans", "configure"]


def configure(user_ns: MutableMapping[str, Any]) -> Session:
    """Put RE, db, bec, sd, live … into a namespace, named as by `nslsii.configure_base`.

    Whatever of these names is there already stays, above all a RunEngine, which then stores and
    analyses its runs here as well. Works in IPython and in a queueserver worker; plots need a
    Matplotlib backend that can show them. The session is closed when the process ends, also when
    its terminal is closed; a plan that is paused or running then is aborted first. With
    `TWINBEAM_SIM` the simulated beamline is started first and ends with the session; with
    `TWINBEAM_LIVE=service` the live analysis is a process of its own and `live` the `LiveLink` to
    it.

    Parameters
    ----------
    user_ns
        The namespace to fill. Calling it twice for the same one gives the session that is there.

    Raises
    ------
    BeamlineError
        If the simulated beamline, or the live service, does not start.
    StorageError
        If the catalogue cannot be opened, or the folder of the raw files cannot be made.
    """
    if isinstance(user_ns.get("session"), Session):
        return user_ns["session"]
    with starting(user_ns), _fewer_pauses():
        fill_environment()
        simulation = _simulation()
        try:
            return _configure(user_ns, simulation)
        except BaseException:
            if simulation is not None:
                simulation.close()
            raise


@contextlib.contextmanager
def _fewer_pauses() -> Iterator[None]:
    """No garbage collection meanwhile: it takes a fifth of the time of large imports."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _configure(user_ns: MutableMapping[str, Any], simulation: SimulatedBeamline | None) -> Session:
    if simulation is None:
        use_channel_access()
    # What takes long to import comes while the simulated beamline starts.
    tools = _tools(user_ns)
    data = data_folder()
    _make_folder(data)
    session = _session(data, user_ns.get("RE"))

    def close() -> None:
        end_plan(session.RE, _tell)
        session.close()

    at_exit(close)
    if simulation is not None:
        _wait_for(simulation, session)
    if session.page:
        _tell(f"watch runs in a browser: {session.page}")
    for name, thing in {"db": session.db, "catalog": session.catalog.client, **tools}.items():
        user_ns.setdefault(name, thing)
    user_ns.update(
        session=session,
        simulation=simulation,
        simulated=simulation is not None or is_simulated_site(site_name()),
        data_root=data,
        RE=session.RE,
        live=session.live,
    )
    user_ns.setdefault("cat", user_ns["catalog"])
    if session.owns_engine:
        session.RE.subscribe(user_ns["bec"])
        session.RE.preprocessors.append(user_ns["sd"])
        if sys.stderr.isatty() and not in_queue_worker():
            session.RE.waiting_hook = user_ns["pbar_manager"]
    if (shell := the_shell()) is not None:
        add_magics(shell)
        explain_errors(shell)
        without_noise()
        print_session(shell.display_formatter.formatters["text/plain"])
        if hasattr(shell, "prompts") and not in_queue_worker():  # in a terminal
            end_when_hung_up(shell)
    return session


def _wait_for(simulation: SimulatedBeamline, session: Session) -> None:
    try:
        simulation.wait_ready()
    except BaseException:
        session.close()
        raise
    os.environ.update({k: v for k, v in simulation.environment.items() if k.startswith("EPICS_")})


def _make_folder(data: Path) -> None:
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"the folder of the raw files cannot be made: {error.strerror}",
            where=str(data),
            hint="TWINBEAM_DATA_DIR names another; by default it is beside TWINBEAM_CATALOG",
        ) from error


def _session(data: Path, engine: Any) -> Session:
    service = os.environ.get("TWINBEAM_LIVE") == "service"
    place = catalog_place()
    try:
        return Session(
            place, readable=[data], service=service, page=service, tell=_tell, engine=engine
        )
    except StorageError as error:
        if not isinstance(place, Path):
            raise
        hint = "TWINBEAM_CATALOG names another folder"
        hint = f"{error.hint}; {hint}" if error.hint else hint
        raise StorageError(error.what, where=error.where, hint=hint) from error


def add_devices(user_ns: MutableMapping[str, Any], timeout_s: float = 10.0) -> Beamline:
    """Make the devices of the site, connect them, and publish each under its name.

    `TWINBEAM_SITE` names the site: a YAML file as `twinbeam.devices.load_site` reads, or the name
    of one that comes with the package. Where everything stands is read before and after each run,
    for the stream `baseline`, if the RunEngine is the session's own. The prompt of a terminal then
    tells the state.

    Raises
    ------
    BeamlineError
        If the site cannot be read, or naming every process variable that does not answer.
    """
    from twinbeam.devices import load_site

    with starting(user_ns):
        site = load_site(site_name())
        beamline = _connected(site, user_ns, timeout_s)
    user_ns.update(instruments(beamline), beamline=beamline)
    if user_ns["session"].owns_engine:
        user_ns["sd"].baseline = baseline(beamline)
    shell = the_shell()
    if shell is not None and hasattr(shell, "prompts") and not in_queue_worker():
        from twinbeam.profile.prompt import Watcher

        name = "sim" if is_simulated_site(site_name()) else site.name
        show_state(shell, Watcher(beamline, user_ns["RE"], name))
    return beamline


def _connected(site: Site, user_ns: MutableMapping[str, Any], timeout_s: float) -> Beamline:
    from twinbeam.devices import make_beamline

    beamline = make_beamline(data_root=user_ns["data_root"], site=site)
    try:
        beamline.connect(timeout_s)
    except BeamlineError as error:
        from twinbeam.profile.unreachable import unreachable

        starts_it = user_ns.get("simulation") is not None
        raise unreachable(beamline.devices, site_name(), simulation=starts_it) from error
    return beamline


def add_plans(user_ns: MutableMapping[str, Any]) -> None:
    """Publish all plans of `twinbeam.plans`.

    Those that take live results get those of `live`, and find earlier runs in the catalogue.
    """
    with starting(user_ns), _fewer_pauses():
        from twinbeam.profile.published_plans import published_plans

        session = user_ns.get("session")
        catalog = session.catalog if isinstance(session, Session) else None
        published = published_plans(user_ns, user_ns.get("live"), catalog)
    user_ns.update(published)
    if (shell := the_shell()) is not None:
        print_results(shell.display_formatter.formatters["text/plain"], published)


def add_help(user_ns: MutableMapping[str, Any]) -> None:
    """Publish `help_twinbeam`, which tells what one can do."""

    def help_twinbeam() -> None:
        """Print what one can do here, in the order of an evening."""
        print(guide(user_ns))

    user_ns["help_twinbeam"] = help_twinbeam


def _simulation() -> SimulatedBeamline | None:
    """The simulated beamline, if one is to be started: on free ports, for any number of them."""
    arguments = simulation_arguments()
    if arguments is None:
        return None
    where = [f"--data-dir={data_folder()}", "--ports=free"]
    simulation = SimulatedBeamline([*where, *arguments], wait=False)
    atexit.register(simulation.close)
    return simulation


def _tools(user_ns: MutableMapping[str, Any]) -> dict[str, Any]:
    """Bluesky's modules and helpers."""
    import bluesky.plan_stubs as bps
    import bluesky.plans as bp
    import bluesky.preprocessors as bpp
    import numpy as np
    from bluesky.preprocessors import SupplementalData
    from bluesky.simulators import check_limits, summarize_plan
    from bluesky.utils import ProgressBarManager
    from matplotlib import pyplot as plt

    from twinbeam.profile.run_tables import RunTables

    tables = user_ns.get("bec") or RunTables()
    if _shows_plots():
        plt.ion()
    elif "bec" not in user_ns:
        tables.disable_plots()
    return {
        "bec": tables,
        "peaks": tables.peaks,
        "sd": SupplementalData(),
        "pbar_manager": ProgressBarManager(),
        "bp": bp,
        "bps": bps,
        "bpp": bpp,
        "summarize_plan": summarize_plan,
        "check_limits": check_limits,
        "mv": bps.mv,
        "mvr": bps.mvr,
        "np": np,
        "plt": plt,
    }


def _tell(sentence: str) -> None:
    print(f"twinbeam: {sentence}")


def _shows_plots() -> bool:
    import matplotlib

    return str(matplotlib.get_backend()).lower() not in ("agg", "pdf", "svg", "ps", "template")
