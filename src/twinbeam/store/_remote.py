"""A catalogue on a tiled server: reached, let in, and found to have what runs need."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from twinbeam.errors import StorageError

__all__ = ["is_remote", "remote_client", "state_documents"]

KEY_VARIABLES = ("TWINBEAM_TILED_API_KEY", "TILED_API_KEY")
_PROFILE = "profile:"
_OPTIONS = ("headers", "max_connections", "verify")  # of a profile
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def is_remote(where: str | Path) -> bool:
    """Whether a catalogue is named by the address of a server or a tiled profile."""
    return isinstance(where, str) and where.startswith(("http://", "https://", _PROFILE))


def state_documents() -> Path:
    """The user's folder for JSON lines of runs that go to a server."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "twinbeam" / "documents"


def remote_client(where: str, api_key: str | None, closing: ExitStack) -> tuple[Any, str]:
    """Tiled client of a server's container, and its address without any key.

    Parameters
    ----------
    where
        `http(s)://…`, up to the container that holds the catalogue, or `profile:NAME`.
    api_key
        The key; otherwise that in the address or the environment.

    Raises
    ------
    StorageError
        If no tiled server answers there, it does not let this key in, or it cannot export runs.
    """
    import httpx
    from tiled.client import Context, from_context

    address, options = _resolved(where)
    address, in_address = _without_key(address)
    key = api_key or in_address or key_from_environment()
    loopback = urlsplit(address).hostname in _LOOPBACK
    options.setdefault("trust_env", not loopback)  # a proxy cannot reach this machine's loopback
    _preflight(address, key, bool(options["trust_env"]))
    try:
        context, path = Context.from_any_uri(address, api_key=key, **options)
        closing.callback(context.close)
        client = from_context(context, node_path_parts=path)
    except httpx.HTTPStatusError as error:
        if error.response.status_code not in (400, 401, 403):
            raise StorageError(
                f"the tiled server gives no catalogue: {_first_line(error)}", where=address
            ) from error
        raise StorageError(
            "the tiled server does not accept this key", where=address, hint=_hint_key()
        ) from error
    except (httpx.HTTPError, RuntimeError, KeyError, OSError, ValueError) as error:
        raise StorageError(
            f"the tiled server does not give its catalogue: {_first_line(error)}",
            where=address,
            hint=_hint_key(),
        ) from error
    formats = context.server_info.formats
    if "application/json-seq" not in formats.get("BlueskyRun", ()):
        raise StorageError(
            "the tiled server lacks the exporter of runs as documents, so none can be replayed",
            where=address,
            hint="serve with 'twinbeam serve', or put bluesky_tiled_plugins.exporters:"
            "json_seq_exporter for BlueskyRun, application/json-seq, into its media_types",
        )
    return client, address


def key_from_environment() -> str | None:
    """The key in `TWINBEAM_TILED_API_KEY` or `TILED_API_KEY`."""
    return next((key for name in KEY_VARIABLES if (key := os.environ.get(name))), None)


def _resolved(where: str) -> tuple[str, dict[str, Any]]:
    """Address and further options of a client; those of a profile are in tiled's own files."""
    if not where.startswith(_PROFILE):
        return where, {}
    from tiled.profiles import load_profiles

    name = where.removeprefix(_PROFILE)
    profiles = load_profiles()
    if name not in profiles:
        known = ", ".join(sorted(profiles)) or "none"
        raise StorageError(
            "there is no tiled profile of this name", where=where, hint=f"known are: {known}"
        )
    path, content = profiles[name]
    if "uri" not in content:
        raise StorageError(
            "the tiled profile names no server",
            where=f"{where} in {path}",
            hint="give it a uri; a folder is opened by its path",
        )
    return str(content["uri"]), {key: content[key] for key in _OPTIONS if key in content}


def _without_key(address: str) -> tuple[str, str | None]:
    parts = urlsplit(address)
    (key,) = parse_qs(parts.query).get("api_key", [None])[:1]
    return urlunsplit(parts._replace(query="", fragment="")).rstrip("/"), key


def _preflight(address: str, key: str | None, trust_env: bool) -> None:
    """Ask once: tiled's own client would try for 45 s before it says that nobody is there."""
    import httpx

    parts = urlsplit(address)
    path = parts.path.partition("/api/v1")[0] + "/api/v1/"
    headers = {"Authorization": f"Apikey {key}"} if key else {}
    try:
        answer = httpx.get(
            urlunsplit(parts._replace(path=path)),
            headers=headers,
            timeout=10.0,
            follow_redirects=True,
            trust_env=trust_env,
        )
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise StorageError(
            f"no tiled server answers: {_first_line(error)}",
            where=address,
            hint="start one with 'twinbeam serve', or correct the address",
        ) from error
    try:
        about = answer.json() if answer.status_code == 200 else {}
        required = about["authentication"]["required"]
        providers = about["authentication"]["providers"]
    except (ValueError, KeyError, TypeError):
        raise StorageError(
            f"what answers is no tiled server (status {answer.status_code})",
            where=address,
            hint="correct the address",
        ) from None
    if required and not providers and key is None:
        raise StorageError("the tiled server wants a key", where=address, hint=_hint_key())


def _hint_key() -> str:
    return f"put the key the server was started with into {KEY_VARIABLES[0]}"


def _first_line(error: BaseException) -> str:
    text = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return text or type(error).__name__
