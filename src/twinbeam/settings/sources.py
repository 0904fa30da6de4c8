"""Where the value of each setting comes from: the environment, the file, or nowhere."""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from twinbeam.errors import RecipeError
from twinbeam.settings.file import read_settings
from twinbeam.settings.key_file import read_key
from twinbeam.settings.model import VARIABLES, Settings

__all__ = ["Chosen", "choose", "fill_environment"]

#: Either of them says where runs are, so one in the environment stands above both in the file.
_WHERE = ("tiled_uri", "catalog")
_KEY = "TWINBEAM_TILED_API_KEY"


@dataclass(frozen=True)
class Chosen:
    """A setting as it holds now.

    Attributes
    ----------
    value
        Its value; None when it is not set.
    source
        ``environment``, ``file`` or ``default``.
    """

    value: Any
    source: str


def choose(
    settings: Settings | None = None, environment: Mapping[str, str] = os.environ
) -> dict[str, Chosen]:
    """All settings as they hold: an environment variable stands above the file.

    Parameters
    ----------
    settings
        What the file says; it is read when left out.

    Raises
    ------
    RecipeError
        If a variable or the file has a value that cannot be.
    """
    settings = settings if settings is not None else read_settings()
    chosen: dict[str, Chosen] = {}
    where_given = any(environment.get(VARIABLES[key]) for key in _WHERE)
    for key, variable in VARIABLES.items():
        remembered = getattr(settings, key)
        if given := environment.get(variable):
            chosen[key] = Chosen(_checked(key, variable, given), "environment")
        elif remembered is None or (key in _WHERE and where_given):
            chosen[key] = Chosen(None, "default")
        else:
            chosen[key] = Chosen(remembered, "file")
    return chosen


def fill_environment(environment: MutableMapping[str, str] = os.environ) -> None:
    """Put what the file says into the environment, for all that read their settings there.

    Variables that are set stay as they are. The key of the server is taken from its file.

    Raises
    ------
    RecipeError
        If the file has a value that cannot be.
    StorageError
        If others may read the file of the key, or it cannot be read.
    """
    chosen = choose(environment=environment)
    for key, setting in chosen.items():
        if setting.source == "file":
            environment[VARIABLES[key]] = str(setting.value)
    key_file = chosen["tiled_api_key_file"].value
    if key_file and not environment.get(_KEY):
        environment[_KEY] = read_key(key_file)


def _checked(key: str, variable: str, given: str) -> Any:
    """The value of a variable; paths may be relative there, for they hold here and now."""
    if Settings.model_fields[key].annotation == (int | None):
        try:
            return getattr(Settings.from_mapping({key: given}, where=variable), key)
        except RecipeError as error:
            hint = "set it to a number, or unset it"
            raise RecipeError(error.what, where=variable, hint=hint) from None
    return given
