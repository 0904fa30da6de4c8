"""Strangers at the sockets of the live service: every message refused, none of them does harm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
import zmq
from measurements import Service

from twinbeam.errors import BeamlineError
from twinbeam.live import new_token
from twinbeam.live.control import ControlSocket, ask
from twinbeam.live.wire import PUBLIC, decode, encode

TOKENS: dict[str, Callable[[str], str]] = {
    "none": lambda token: "",
    "public": lambda token: PUBLIC,
    "another": lambda token: new_token(),
    "beginning": lambda token: token[:-1],
    "longer": lambda token: token + "x",
    "upper": lambda token: token.swapcase(),
    "turned": lambda token: token[::-1],
}
REQUESTS = ["status", "recipe", "stop", "exec", "", "__class__"]


def answer_to(endpoint: str, message: bytes) -> dict[str, Any]:
    """What a socket says to bytes."""
    with zmq.Context() as context, context.socket(zmq.REQ) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(endpoint)
        socket.send(message)
        assert socket.poll(60_000), "no answer"
        return decode(PUBLIC, socket.recv())[1]


def test_every_request_without_the_token_is_refused(service: Callable[..., Service]) -> None:
    one = service()
    control = one.process.endpoints["control"]
    messages = [
        encode(change(one.token), name, {"recipe": None})
        for change, name in product(TOKENS.values(), REQUESTS)
    ]
    token = one.token.encode()
    messages += [b"", b" ", b"garbage", token, b"\0" * 64, b'{"doc": {}}', b"\xff" * 1000]
    messages += [token + b" exec {}", token + b" status", token + b" status {", token + b"  [1]"]
    answers = [answer_to(control, message) for message in messages]
    refused = [answer for answer in answers if set(answer) == {"error"}]
    print(f"\n{len(refused)} of {len(messages)} requests without the token refused")
    assert len(refused) == len(messages)
    assert not any(one.token in answer["error"] for answer in refused)
    assert one.process.running
    assert one.link.status(60.0)["pid"] == one.process.pid


@pytest.fixture
def control() -> Iterator[tuple[ControlSocket, str]]:
    """A control socket in this process, and its token."""
    token = new_token()
    requests = {"status": lambda _: {"well": True}, "fail": lambda content: content["missing"]}
    made = ControlSocket("tcp://127.0.0.1:*", token, requests)
    yield made, token
    made.close()


@pytest.mark.parametrize(
    "parts",
    [
        [b"", b"a", b"b"],
        [b"", b"", b""],
        [b"no envelope"],
        [b""],
    ],
)
def test_odd_messages_do_not_end_the_control(
    control: tuple[ControlSocket, str], parts: list[bytes]
) -> None:
    socket_there, token = control
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.setsockopt(zmq.LINGER, 500)
        socket.connect(socket_there.endpoint)
        for _ in range(3):
            socket.send_multipart(parts)
        # the same connection, so it comes after them
        socket.send_multipart([b"", encode(token, "status", {})])
        assert socket.poll(60_000)
    assert ask(socket_there.endpoint, token, "status", timeout_s=60.0) == {"well": True}
    with pytest.raises(BeamlineError, match="token"):
        ask(socket_there.endpoint, "wrong", "status", timeout_s=60.0)


def test_a_request_that_fails_is_answered_and_does_not_end_the_control(
    control: tuple[ControlSocket, str],
) -> None:
    there, token = control
    for _ in range(2):
        with pytest.raises(BeamlineError, match="'fail' failed: KeyError: 'missing'"):
            ask(there.endpoint, token, "fail", timeout_s=60.0)
        assert ask(there.endpoint, token, "status", timeout_s=60.0) == {"well": True}
    assert there.refused == 0
