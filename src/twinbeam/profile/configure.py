"""The namespace of a beamline prompt, under the names people know."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from twinbeam.errors import BeamlineError
from twinbeam.profile.environment import (
    catalog_place,
    data_folder,
    in_queue_worker,
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
    the_shell,
    without_noise,
)
from twinbeam.profile.simulated import SimulatedBeamline
from twinbeam.settings import fill_environment

if TYPE_CHECKING:
    from twinbeam.devices import Beamline

__all__ = ["add_devices", "add_help", "add_plans", "configure"]


def configure(user_ns: MutableMapping[str, Any]) -> Session:
    """Put RE, db, bec, sd, live … into a namespace, named as by `nslsii.configure_base`.

    Whatever of these names is there already stays, above all a RunEngine, which then stores and
    analyses its runs here as well. Works in IPython and in a queueserver worker; plots need a
    Matplotlib backend that can show them. The session is closed when the process ends. With
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
    """
    if isinstance(user_ns.get("session"), Session):
        return user_ns["session"]
    with _fewer_pauses():
        return _configure(user_ns)


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


def _configure(user_ns: MutableMapping[str, Any]) -> Session:
    fill_environment()
    simulation = _simulation()
    simulated = simulation is not None or use_channel_access()
    # What takes long to import comes while the simulated beamline starts.
    tools = _tools(user_ns)
    data = data_folder()
    data.mkdir(parents=True, exist_ok=True)
    service = os.environ.get("TWINBEAM_LIVE") == "service"
    session = Session(
        catalog_place(),
        readable=[data],
        service=service,
        page=service,
        tell=_tell,
        engine=user_ns.get("RE"),
    )
    _at_exit(session.close)
    if session.page:
        _tell(f"watch runs in a browser: {session.page}")
    for name, thing in {"db": session.db, "catalog": session.catalog.client, **tools}.items():
        user_ns.setdefault(name, thing)
    user_ns.update(
        session=session,
        simulation=simulation,
        simulated=simulated,
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
    if simulation is not None:
        simulation.wait_ready()
        os.environ.update(
            {k: v for k, v in simulation.environment.items() if k.startswith("EPICS_")}
        )
    if (shell := the_shell()) is not None:
        add_magics(shell)
        explain_errors(shell)
        without_noise()
        print_session(shell.display_formatter.formatters["text/plain"])
    return session


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
    from twinbeam.devices import load_site, make_beamline

    site = load_site(site_name())
    beamline = make_beamline(data_root=user_ns["data_root"], site=site)
    try:
        beamline.connect(timeout_s)
    except BeamlineError as error:
        from twinbeam.profile.unreachable import unreachable

        raise unreachable(beamline.devices, site_name()) from error
    user_ns.update(instruments(beamline), beamline=beamline)
    if user_ns["session"].owns_engine:
        user_ns["sd"].baseline = baseline(beamline)
    shell = the_shell()
    if shell is not None and hasattr(shell, "prompts") and not in_queue_worker():
        from twinbeam.profile.prompt import Watcher

        name = "sim" if site_name() is None and user_ns.get("simulated") else site.name
        show_state(shell, Watcher(beamline, user_ns["RE"], name))
    return beamline


def add_plans(user_ns: MutableMapping[str, Any]) -> None:
    """Publish all plans of `twinbeam.plans`.

    Those that take live results get those of `live`, and find earlier runs in the catalogue.
    """
    with _fewer_pauses():
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


def _at_exit(close: Callable[[], None]) -> None:
    """Call it when the process ends, while what is left can still be stored.

    Functions of `atexit` come after the pools of `concurrent.futures` are shut down, which the
    storage of a result needs; those pools themselves use what comes before.
    """
    register_early = getattr(threading, "_register_atexit", None)
    if register_early is not None:
        register_early(close)
    atexit.register(close)


def _tell(sentence: str) -> None:
    print(f"twinbeam: {sentence}")


def _shows_plots() -> bool:
    import matplotlib

    return str(matplotlib.get_backend()).lower() not in ("agg", "pdf", "svg", "ps", "template")
