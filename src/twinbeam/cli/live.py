"""`twinbeam live`."""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinbeam.cli.console import err
from twinbeam.cli.page_option import PageOption, live_page, showcase_of

if TYPE_CHECKING:
    from twinbeam.live import LiveServer, Showcase

__all__ = ["live"]


def live(
    catalog: Annotated[
        str | None,
        typer.Option(
            help="Where results are stored: a catalogue's folder, or the URI of a tiled server.",
            envvar="TWINBEAM_LIVE_CATALOG",
        ),
    ] = None,
    lines: Annotated[
        Path | None,
        typer.Option(help="Folder 'documents' of the catalogue the runs are kept in."),
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option(help="Recipe to use instead of those of the runs.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(help="Folder of the checkpoints, for this user only.")
    ] = None,
    documents: Annotated[
        str | None,
        typer.Option(help="ZMQ endpoint at which documents arrive; tcp://127.0.0.1:5577."),
    ] = None,
    results: Annotated[
        str | None, typer.Option(help="ZMQ endpoint of the results; tcp://127.0.0.1:5578.")
    ] = None,
    control: Annotated[
        str | None, typer.Option(help="ZMQ endpoint of requests; tcp://127.0.0.1:5579.")
    ] = None,
    checkpoint: Annotated[
        float | None, typer.Option(help="Seconds between two checkpoints; 30.")
    ] = None,
    kafka: Annotated[
        str | None,
        typer.Option(help="Kafka brokers, HOST:PORT, from which documents come instead of by ZMQ."),
    ] = None,
    topic: Annotated[str | None, typer.Option(help="Kafka topic of the documents.")] = None,
    kafka_config: Annotated[
        Path | None, typer.Option(help="YAML file with further settings of librdkafka.")
    ] = None,
    stream: Annotated[
        str | None,
        typer.Option(
            help="The detector's raw TCP stream, for the lowest latency: tcp://connect@HOST:PORT"
            " where Serval listens, tcp://listen@HOST:PORT where it connects."
        ),
    ] = None,
    stream_buffer: Annotated[
        float | None,
        typer.Option(help="MB of the stream that wait at most; the oldest are dropped; 256."),
    ] = None,
    silence: Annotated[
        float | None,
        typer.Option(
            help="Seconds of silence after which a run without a stop document is closed as"
            " interrupted; a tenth when a later run has begun; 600."
        ),
    ] = None,
    since: Annotated[
        float | None, typer.Option(help="At start, catch up runs of the last so many hours; 24.")
    ] = None,
    page: PageOption = None,
    tui: Annotated[
        bool,
        typer.Option(
            "--tui", help="Show the run in this terminal: rates, pairs, Δt, map, ledger, health."
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print where it listens as one line of JSON.")
    ] = False,
    parent_pid: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """The live analysis as a process of its own, until Ctrl-C.

    It takes the documents of runs by ZMQ and from their JSON lines, reads the raw files while they
    grow, publishes results about four times a second, and stores them. It may be killed and
    started again at any moment: what it missed it reads from the files, and the result is the same.
    With --stream results come from the detector's raw TCP stream while the run goes on; the last
    one is that of the files, if there are any.

    Documents, requests and readers of results need the token in TWINBEAM_LIVE_TOKEN; without one a
    new one is made and printed.

    Example: twinbeam live --lines twinbeam-demo/catalog/documents

    Example: twinbeam live --lines twinbeam-demo/catalog/documents --tui --page 5570
    """
    if tui:
        from twinbeam.cli.live_tui import require_terminal

        require_terminal(as_json=as_json)
    from twinbeam.live import LiveServer, LiveSettings, new_token
    from twinbeam.pipeline import Recipe

    given = {
        "documents": documents,
        "results": results,
        "control": control,
        "checkpoint_s": checkpoint,
        "kafka": kafka,
        "topic": topic,
        "kafka_config": None if kafka_config is None else str(kafka_config),
        "silence_s": silence,
        "stream": stream,
        "stream_buffer_mb": stream_buffer,
        "since_h": since,
    }
    if bool(kafka) != bool(topic):
        raise typer.BadParameter("--kafka and --topic go together")
    settings = LiveSettings.from_mapping(
        {name: value for name, value in given.items() if value is not None}, where="twinbeam live"
    )
    wanted = Recipe.load(recipe) if recipe is not None else None
    token = os.environ.get("TWINBEAM_LIVE_TOKEN") or new_token()
    if parent_pid is not None:
        _die_with(parent_pid)
    folder = state or _state_folder()
    opened = None
    if catalog is not None:
        from twinbeam.store import open_catalog

        # on a server, the JSON lines of derived runs are kept with the checkpoints
        remote = "://" in catalog or catalog.startswith("profile:")
        opened = open_catalog(catalog, documents=folder / "documents" if remote else None)
        if lines is None and not remote:
            lines = opened.documents_directory
    show = showcase_of(lines) if tui or page is not None else None
    try:
        with (
            LiveServer(
                settings, token, folder, lines=lines, catalog=opened, recipe=wanted, showcase=show
            ) as server,
            live_page(page, show, opened) as ends,
        ):
            server.about.update(ends)
            # before anybody can know of the service and end it
            signal.signal(signal.SIGTERM, lambda *_: server.service.stop())
            _greet({**server.endpoints, **ends}, token, folder, lines, as_json)
            with _dashboard(server, show, ends) if tui else nullcontext():
                server.run()
    finally:
        if opened is not None:
            opened.close()


def _dashboard(
    server: LiveServer, show: Showcase | None, ends: dict[str, str]
) -> AbstractContextManager[None]:
    from twinbeam.cli.live_tui import dashboard

    assert show is not None
    recorder = server.recorder
    return dashboard(show, ends, lambda: [] if recorder is None else list(recorder.problems))


def _greet(
    endpoints: dict[str, str], token: str, state: Path, lines: Path | None, as_json: bool
) -> None:
    own = "TWINBEAM_LIVE_TOKEN" not in os.environ
    if as_json:
        values: dict[str, Any] = {**endpoints, "pid": os.getpid(), "state": str(state)}
        if own:
            values["token"] = token
        print(json.dumps(values), flush=True)
        return
    for name, endpoint in endpoints.items():
        err.print(f"[cyan]{name:>10}[/]  {endpoint}")
    err.print(f"[cyan]{'lines':>10}[/]  {lines or 'none: documents come by ZMQ only'}")
    err.print(f"[cyan]{'state':>10}[/]  {state}")
    if own:
        err.print(f"[cyan]{'token':>10}[/]  {token}  (TWINBEAM_LIVE_TOKEN for clients)")
    policies = "policies: files wait (nothing is lost), maps drop (only the newest counts)"
    if "stream" in endpoints:
        policies += ", the raw stream drops its oldest bytes when it must (counted)"
    err.print(policies)


def _state_folder() -> Path:
    """The user's folder for what a program wants to find again."""
    root = os.environ.get("XDG_STATE_HOME")
    return (Path(root) if root else Path.home() / ".local" / "state") / "twinbeam" / "live"


def _die_with(parent_pid: int) -> None:
    """End soon after the parent: a service nobody can reach is of no use."""
    import threading
    import time

    def watch() -> None:
        while os.getppid() == parent_pid:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)

    if sys.platform.startswith("linux"):
        threading.Thread(target=watch, name="twinbeam-parent", daemon=True).start()
