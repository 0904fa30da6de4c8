"""The steps of the demo."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinbeam.cli.console import err
from twinbeam.errors import BeamlineError
from twinbeam.pipeline import Pipeline, Recipe, write_nexus

__all__ = ["DemoSettings", "run_demo"]

_FRAME_S = 1.0
_FINISH_S = 120.0


@dataclass(frozen=True)
class DemoSettings:
    """What the user chose; rates in Hz, `out` absolute."""

    seconds: float
    out: Path
    pair_rate_hz: float
    background_rate_hz: float
    playback: Path | None
    seed: int
    recorded_hits: int | None = None
    recorded_span_s: float | None = None


def run_demo(settings: DemoSettings) -> dict[str, Any]:
    """Run all steps and return what was found, with a `checks` entry of named truths.

    Raises
    ------
    TwinbeamError
        If a step cannot be done at all.
    KeyboardInterrupt
        After Ctrl-C, when the run is closed and everything is stopped.
    """
    from twinbeam.profile import PauseAtOnce, Session, SimulatedBeamline

    # bluesky logs the traceback of every aborted plan; here errors are told in a line
    log = logging.getLogger("bluesky")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    started = time.perf_counter()
    (settings.out / "raw").mkdir(exist_ok=True)
    _say("starting the simulated beamline")
    # the catalogue first: where another process has it open, nothing else needs to start
    with (
        Session(
            settings.out / "catalog",
            readable=[settings.out / "raw"],
            service=True,
            page=True,
            tell=_say,
            context_managers=[PauseAtOnce],
        ) as session,
        SimulatedBeamline(_ioc_arguments(settings)) as iocs,
    ):
        # not before the catalogue is open: numba and tiled both change Python's warning filters
        warm_up = threading.Thread(target=_compile_kernels, name="twinbeam-compile", daemon=True)
        warm_up.start()
        # Channel Access reads its settings once, when the first client of the process is made
        os.environ.update(iocs.environment)
        if session.page:
            _say(f"watch it in a browser: {session.page}")
        report = _with_beamline(settings, session, warm_up)
    report["seconds"] = time.perf_counter() - started
    return report


def _ioc_arguments(settings: DemoSettings) -> list[str]:
    arguments = [
        "--ports=free",
        f"--seed={settings.seed}",
        f"--pair-rate-hz={settings.pair_rate_hz}",
        f"--background-rate-hz={settings.background_rate_hz}",
        f"--data-dir={settings.out / 'raw'}",
    ]
    if settings.playback is not None:
        arguments.append(f"--playback={settings.playback}")
    return arguments


def _compile_kernels() -> None:
    """Compile the analysis before data come, on a moment of simulated data."""
    from twinbeam.simulate import Experiment

    experiment = Experiment(seed=0)
    pipeline = Pipeline()
    pipeline.feed(experiment.start() + experiment.advance(0.2) + experiment.stop())
    pipeline.finish()


def _with_beamline(
    settings: DemoSettings, session: Any, warm_up: threading.Thread
) -> dict[str, Any]:
    from twinbeam.devices import make_beamline

    beamline = make_beamline(data_root=settings.out / "raw")
    beamline.connect()
    return _experiment(settings, session, beamline, warm_up)


def _experiment(
    settings: DemoSettings, session: Any, beamline: Any, warm_up: threading.Thread
) -> dict[str, Any]:
    from twinbeam import plans
    from twinbeam.cli.demo_panel import CollectPanel

    recipe = Recipe()
    theta, monitor = beamline.goniometer.theta, beamline.monitor
    report: dict[str, Any] = {"theta_start_deg": float(theta.position)}

    _say(f"aligning: the crystal stands at {theta.position:.4f}°, somewhere near the Bragg angle")
    bragg = _run(
        session,
        plans.find_bragg(
            monitor, theta, centre_deg=float(theta.position), shutter=beamline.shutter
        ),
    ).plan_result
    report["bragg_deg"] = bragg.angle_deg
    _say(f"found the Bragg reflection at {bragg.angle_deg:.5f}°")

    rocking = _run(
        session,
        plans.rocking_curve(monitor, theta, centre_deg=bragg.angle_deg, shutter=beamline.shutter),
    ).plan_result
    report["rocking"] = {
        "centre_deg": rocking.centre_deg,
        "centre_err_deg": rocking.centre_err_deg,
        "fwhm_mdeg": rocking.fwhm_mdeg,
        "fwhm_err_mdeg": rocking.fwhm_err_mdeg,
    }
    _say(f"rocking curve: centre {rocking.centre_deg:.5f}°, FWHM {rocking.fwhm_mdeg:.2f} mdeg")

    nominal = recipe.geometry.detuning_deg
    _run(session, plans.set_detuning(theta, rocking.centre_deg, nominal))
    report["detuning_set_deg"] = float(theta.position) - rocking.centre_deg
    _say(f"detuned by {report['detuning_set_deg']:.5f}°; collecting for {settings.seconds:.0f} s")

    warm_up.join()
    with CollectPanel(session.analysis, settings.seconds) as panel:
        token = session.RE.subscribe(_every_event(panel.line))
        try:
            run = _run(
                session,
                plans.collect_pairs(
                    beamline.detector,
                    beamline.shutter,
                    seconds=settings.seconds,
                    frame_s=_FRAME_S,
                    bragg_deg=rocking.centre_deg,
                    detuning_deg=nominal,
                    recipe_md=recipe.as_dict(),
                    ring=beamline.ring,
                    monitor=monitor,
                    theta=theta,
                ),
            )
        finally:
            session.RE.unsubscribe(token)
        uid = run.run_start_uids[0]
        digest = session.analysis.finish(uid, _FINISH_S)
    session.writer.join()
    session.registration.wait()
    return _finish(settings, session, report, uid, digest)


def _finish(
    settings: DemoSettings, session: Any, report: dict[str, Any], uid: str, digest: str | None
) -> dict[str, Any]:
    from twinbeam.cli.demo_checks import checks, truth_of
    from twinbeam.live import CoincidenceCallback
    from twinbeam.replay import replay
    from twinbeam.view import save_figures

    live, health = session.analysis.look()
    if live is None or digest is None or health.run != uid:
        raise BeamlineError(
            "the live analysis has no result of the run",
            where=f"run {uid}",
            hint="; ".join(session.analysis.problems) or None,
        )
    _say("replaying the stored run through databroker")
    again = CoincidenceCallback()
    try:
        replay(session.db, uid, again)
        again.wait()
        replayed, replay_health = again.latest
    finally:
        again.close()
    if replayed is None:
        raise BeamlineError("the replayed run gives no result", where=f"run {uid}")
    title = "playback" if settings.playback else "simulated beamline"
    figures = save_figures(replayed, settings.out / "figures", title)
    write_nexus(replayed, settings.out / "result.h5")
    problems = [*session.analysis.problems, *session.registration.problems]
    problems += [*session.problems, *replay_health.problems, *again.errors]
    report.update(
        run=uid,
        catalog=str(settings.out / "catalog"),
        result_file=str(settings.out / "result.h5"),
        figures=[str(path) for path in figures],
        live=dict(live),
        digest=digest,
        replay={"identical": replayed.digest() == digest},
        problems=list(dict.fromkeys(problems)),
        truth=truth_of(session.db, uid, replayed) if settings.playback is None else None,
        seconds_asked=settings.seconds,
        recorded_hits=settings.recorded_hits,
        recorded_span_s=settings.recorded_span_s,
    )
    report["checks"] = checks(report)
    return report


def _run(session: Any, plan: Any) -> Any:
    """Run a plan; after Ctrl-C it is aborted, which closes its run and cleans up."""
    from bluesky.utils import FailedStatus, RunEngineInterrupted

    try:
        return session.RE(plan)
    except RunEngineInterrupted:
        _say("interrupted: closing the run and putting the instruments back")
        session.RE.abort("Ctrl-C")
        raise KeyboardInterrupt from None
    except FailedStatus as error:
        cause = error.__cause__ or error
        raise BeamlineError(str(cause), where="plan") from error


def _every_event(action: Callable[[], None]) -> Callable[[str, Any], None]:
    """Callback that calls an action on every event."""

    def callback(name: str, doc: Any) -> None:
        if name in ("event", "event_page"):
            action()

    return callback


def _say(text: str) -> None:
    err.print(f"[cyan]•[/] {text}", soft_wrap=True)
