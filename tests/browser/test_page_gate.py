"""Who gets in, and what is left when they have gone; without a browser."""

from __future__ import annotations

import asyncio
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from page_data import update_of
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClosedError, websocket_connect

from twinbeam.errors import BeamlineError
from twinbeam.live import Showcase
from twinbeam.pipeline import Result
from twinbeam.view.page import PageServer, PageSettings
from twinbeam.view.sources import LiveSource

TIMEOUT_S = 100.0


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run it in a thread of its own: the browser's driver has a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
        return str(answer.read().decode())


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def session_token(server: PageServer) -> str:
    """The signed name of a new session, as it stands in the page."""
    found = re.search(r'"token":"([^"]+)"', fetch(server.url))
    assert found is not None
    return found.group(1)


async def connect(server: PageServer, session: str, *, query: str, origin: str) -> str:
    """Open a session as a browser does; what the server says first."""
    request = HTTPRequest(
        f"ws://127.0.0.1:{server.port}/ws{query}",
        headers={"Origin": origin},
        connect_timeout=TIMEOUT_S,
        request_timeout=TIMEOUT_S,
    )
    connection = await websocket_connect(request, subprotocols=["bokeh", session])
    try:
        said = await asyncio.wait_for(connection.read_message(), TIMEOUT_S)
    finally:
        connection.close()
    rest = said
    while rest is not None:  # until the server has closed its end too
        rest = await asyncio.wait_for(connection.read_message(), TIMEOUT_S)
    return str(said)


def test_nothing_is_shown_without_the_token(server: PageServer) -> None:
    root = f"http://127.0.0.1:{server.port}"
    for path in ("/", "/?token=wrong", "/download/dt.csv", "/download/result.h5?token="):
        assert status_of(root + path) == 403
    query = server.url.partition("?")[2]
    assert status_of(server.url) == 200
    assert status_of(f"{root}/download/dt.csv?{query}") == 200
    assert status_of(f"{root}/download/no_such_panel.csv?{query}") == 404
    assert status_of(f"{root}/download/result.h5?{query}&chosen=../../etc") == 200
    session, own = session_token(server), f"http://127.0.0.1:{server.port}"
    said = run(connect(server, session, query=f"?{query}", origin=own))
    assert "msgid" in said
    for wrong_query, origin in (
        ("", own),
        ("?token=wrong", own),
        (f"?{query}", "http://elsewhere.example"),
    ):
        with pytest.raises(HTTPClientError) as refused:
            run(connect(server, session, query=wrong_query, origin=origin))
        assert refused.value.code == 403


def test_a_session_that_was_not_given_out_is_refused(server: PageServer) -> None:
    query = "?" + server.url.partition("?")[2]
    own = f"http://127.0.0.1:{server.port}"
    forged = session_token(server)[:-3] + "abc"
    try:
        said = run(connect(server, forged, query=query, origin=own))
    except (WebSocketClosedError, HTTPClientError):
        return
    assert said == "None"  # closed without a word


def test_viewers_that_come_and_go_leave_nothing_behind(
    server: PageServer,
    showcase: Showcase,
    results: list[Result],
    wait_until: Callable[..., None],
) -> None:
    query, own = "?" + server.url.partition("?")[2], f"http://127.0.0.1:{server.port}"
    before = threading.active_count()
    unused = [session_token(server)]  # asked for and never opened

    async def come_and_go() -> None:
        await asyncio.gather(
            *(connect(server, session, query=query, origin=own) for session in sessions)
        )

    for turn in range(2):
        sessions = [session_token(server) for _ in range(6)]
        run(come_and_go())
        showcase.update(update_of(results[2], 10 + turn), results[2])
    assert len(set(unused + sessions)) == 7
    wait_until(lambda: server.n_viewers == 0, TIMEOUT_S, "all sessions are gone")
    assert threading.active_count() <= before + 2  # the two workers start when they are needed


def test_a_server_that_is_closed_leaves_no_thread_and_frees_its_port(
    showcase: Showcase,
) -> None:
    before = set(threading.enumerate())
    with PageServer(LiveSource(showcase)) as server:
        assert status_of(server.url) == 200
        port = server.port
        with pytest.raises(BeamlineError, match="cannot be served") as refused:
            PageServer(LiveSource(showcase), settings=PageSettings(port=port))
        assert "choose another port" in str(refused.value)
    left = [t for t in set(threading.enumerate()) - before if t.name.startswith("twinbeam-page")]
    for thread in left:
        thread.join(TIMEOUT_S)
    assert not any(thread.is_alive() for thread in left)
    with PageServer(LiveSource(showcase), settings=PageSettings(port=port)) as server:
        assert server.port == port
