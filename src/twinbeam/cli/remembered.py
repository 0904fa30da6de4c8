"""Remembered settings as defaults of the commands' options."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["remembered_defaults"]

#: Commands and the parameter of each that a setting is the default of.
_TAKERS: dict[str, dict[str, str]] = {
    "catalog": dict.fromkeys(
        (
            "view",
            "replay",
            "compare",
            "reprocess",
            "export",
            "ingest",
            "relocate",
            "recipe from-run",
        ),
        "catalog",
    ),
    "recipe": dict.fromkeys(
        (
            "process",
            "bench",
            *(f"calibrate {n}" for n in ("pixels", "energy", "timewalk", "columns", "geometry")),
        ),
        "recipe",
    ),
    "workers": dict.fromkeys(("process", "reprocess", "bench"), "workers"),
    "cache": {"reprocess": "cache"},
    "live_documents": {"live": "documents"},
    "live_results": {"live": "results"},
    "live_control": {"live": "control", "view": "control"},
    "page_port": {"live": "page", "view": "port"},
    "serve_port": {"serve": "port"},
}
#: Commands that help with a broken file, or have no use of it.
_WITHOUT = {"settings", "doctor", "demo", "iocs"}


def remembered_defaults(arguments: list[str]) -> dict[str, Any]:
    """Defaults for the options of the commands, as click takes them.

    An option of the command line stands above them, and so does its environment variable.

    Parameters
    ----------
    arguments
        The command line; when it asks for help or mends the settings, they are not read.

    Raises
    ------
    RecipeError
        If the file of the settings, or a variable, has a value that cannot be.
    """
    if not arguments or arguments[0] in _WITHOUT or {"-h", "--help", "--version"} & {*arguments}:
        return {}
    from twinbeam.settings import VARIABLES, choose, settings_path

    if not settings_path().exists() and not any(map(os.environ.get, VARIABLES.values())):
        return {}
    chosen = {key: each.value for key, each in choose().items() if each.value is not None}
    folder = chosen.get("catalog")
    defaults: dict[str, Any] = {"serve": {"catalog": folder}} if folder else {}
    chosen["catalog"] = chosen.get("tiled_uri", folder)
    for key, takers in _TAKERS.items():
        value = chosen.get(key)
        if value is None:
            continue
        for command, parameter in takers.items():
            if command == "live" and "--parent-pid" in " ".join(arguments):
                continue  # a session that starts the service says itself where it listens
            _put(defaults, (*command.split(), parameter), os.path.expanduser(str(value)))
    return defaults


def _put(defaults: dict[str, Any], path: tuple[str, ...], value: str) -> None:
    for part in path[:-1]:
        defaults = defaults.setdefault(part, {})
    defaults[path[-1]] = value
