"""Checks of the settings, and of the ports of the live service and its page."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from twinbeam.cli.doctor_finding import FAULT, OK, WARNING, Finding
from twinbeam.errors import TwinbeamError

__all__ = ["live_service", "page_port", "remembered"]

_ANSWER_S = 1.5
_LOCAL = ("127.0.0.1", "localhost", "::1", "*", "0.0.0.0")


def remembered() -> Iterator[Finding]:
    """Whether the file of the settings, and the variables above it, can be read and are safe."""
    from twinbeam.settings import VARIABLES, choose, read_key, settings_path

    name, path = "settings", settings_path()
    try:
        chosen = choose()
    except TwinbeamError as error:
        yield Finding(name, FAULT, f"{error.where}: {error.what}", error.hint or "")
        return
    n_file = sum(each.source == "file" for each in chosen.values())
    above = [VARIABLES[key] for key, each in chosen.items() if each.source == "environment"]
    text = f"{path}: {n_file} set" if path.exists() else f"no {path}: all are defaults"
    text += f"; above it: {', '.join(above)}" if above else ""
    if path.exists() and path.stat().st_mode & 0o022:
        advice = f"chmod 600 {path}"
        yield Finding(name, WARNING, f"{text}; others may change the file", advice)
    else:
        yield Finding(name, OK, text)
    key_file = chosen["tiled_api_key_file"].value
    if key_file:
        try:
            read_key(key_file)
        except TwinbeamError as error:
            yield Finding("key of tiled", FAULT, f"{error.where}: {error.what}", error.hint or "")
        else:
            yield Finding("key of tiled", OK, f"{key_file}, which only you can read")


def live_service(endpoints: dict[str, str]) -> Iterator[Finding]:
    """Whether the live service runs, or its ports are free for it.

    Parameters
    ----------
    endpoints
        By what they are for; `control` is where requests are answered.
    """
    from twinbeam.live import ask

    name, control = "live service", endpoints["control"]
    ports = {use: _port(endpoint) for use, endpoint in endpoints.items()}
    taken = [f"{use} {port}" for use, port in ports.items() if port and not _is_free(port)]
    if not taken and (urlsplit(control).hostname or "") in _LOCAL:
        free = ", ".join(str(port) for port in ports.values() if port)
        yield Finding(name, OK, f"does not run; its ports are free ({free})")
        return
    token = os.environ.get("TWINBEAM_LIVE_TOKEN")
    if not token:
        yield Finding(
            name,
            WARNING,
            f"{control}: something is there ({', '.join(taken) or 'elsewhere'}), but without a"
            " token it does not say what",
            "set TWINBEAM_LIVE_TOKEN to the token 'twinbeam live' printed, or choose other ports",
        )
        return
    try:
        status = ask(control, token, "status", timeout_s=_ANSWER_S)
    except TwinbeamError as error:
        advice = "is that a live service with this token? else 'twinbeam settings set live_control'"
        yield Finding(name, WARNING, f"{control}: {error.what}", advice)
        return
    text = f"{control}: process {status.get('pid')}, {status.get('state')}"
    text += f", {float(status.get('lag_s') or 0.0):.1f} s behind"
    if problems := status.get("problems"):
        yield Finding(name, WARNING, f"{text}; {problems[-1]}", "look at its log")
    else:
        yield Finding(name, OK, f"{text}, page {'served' if status.get('page') else 'not served'}")


def page_port(port: int | None) -> Iterator[Finding]:
    """Whether the port of the page is free."""
    name = "page"
    if not port:
        yield Finding(name, OK, "takes any free port; 'twinbeam settings set page_port' fixes one")
    elif _is_free(port):
        yield Finding(name, OK, f"port {port} is free")
    else:
        advice = "a live service that runs already, or another program: choose another port"
        yield Finding(name, WARNING, f"port {port} is in use", advice)


def _port(endpoint: str) -> int | None:
    text = endpoint.rpartition(":")[2]
    return int(text) if text.isdigit() else None


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
