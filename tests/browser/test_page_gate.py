"""Who gets in, and what is left when they have gone; without a browser."""

from __future__ import annotations

import asyncio
import gc
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from page_data import update_of
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClosedError, websocket_connect

from twinbeam.errors import BeamlineError
from twinbeam.live import Showcase
from twinbeam.pipeline import Result
from twinbeam.view.page import PageServer, PageSettings
from twinbeam.view.page.viewer import Viewer
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


async def opened_session(
    server: PageServer, session: str, *, query: str, origin: str
) -> tuple[Any, str]:
    """Open a session as a browser does; the connection and what the server says first."""
    request = HTTPRequest(
        f"ws://127.0.0.1:{server.port}/ws{query}",
        headers={"Origin": origin},
        connect_timeout=TIMEOUT_S,
        request_timeout=TIMEOUT_S,
    )
    connection = await websocket_connect(request, subprotocols=["bokeh", session])
    return connection, str(await asyncio.wait_for(connection.read_message(), TIMEOUT_S))


async def leave(connection: Any) -> None:
    """Close it and wait until the server has closed its end too."""
    connection.close()
    while await asyncio.wait_for(connection.read_message(), TIMEOUT_S) is not None:
        pass


async def connect(server: PageServer, session: str, *, query: str, origin: str) -> str:
    """Open a session and leave; what the server says first."""
    connection, said = await opened_session(server, session, query=query, origin=origin)
    if said == "None":  # the server has closed it without a word
        connection.close()
    else:
        await leave(connection)
    return said


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


def _rss_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024.0
    return 0.0


def n_kept() -> int:
    """What the server still keeps of viewers."""
    gc.collect()
    return sum(isinstance(each, Viewer) for each in gc.get_objects())


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is told by Linux")
def test_a_hundred_viewers_that_come_and_go_leave_nothing_behind(
    server: PageServer,
    showcase: Showcase,
    results: list[Result],
    wait_until: Callable[..., None],
) -> None:
    query, own = "?" + server.url.partition("?")[2], f"http://127.0.0.1:{server.port}"
    session_token(server)  # asked for and never opened
    threads = threading.active_count()
    given: set[str] = set()

    async def come_and_go(sessions: list[str]) -> None:
        opened = [await opened_session(server, one, query=query, origin=own) for one in sessions]
        assert server.n_viewers >= len(opened)
        for connection, said in opened:
            assert "msgid" in said
            await leave(connection)

    memory = []
    for turn in range(5):
        sessions = [session_token(server) for _ in range(20)]
        given.update(sessions)
        run(come_and_go(sessions))
        newest = results[2 + turn % 2]
        showcase.update(update_of(newest, 10 + turn), newest)
        memory.append(_rss_mb())
    assert len(given) == 100
    wait_until(lambda: server.n_viewers == 0, TIMEOUT_S, "all sessions are gone")
    assert threading.active_count() <= threads + 2  # the two workers start when they are needed
    assert memory[-1] - memory[1] < 60.0  # MB for the sixty that came after the first forty
    wait_until(lambda: n_kept() == 0, TIMEOUT_S, "nothing of them is kept")


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
