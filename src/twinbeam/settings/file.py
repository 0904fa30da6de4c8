"""The file of the settings: found, read, and written whole or not at all."""

from __future__ import annotations

import difflib
import os
import tempfile
from pathlib import Path

import yaml

from twinbeam.errors import RecipeError, TwinbeamError
from twinbeam.parameter_file import read_parameter_file
from twinbeam.settings.model import Settings

__all__ = ["forget", "read_settings", "remember", "settings_path"]

_HEAD = (
    "# Settings of twinbeam; 'twinbeam settings' explains them. No keys or tokens belong here.\n"
)
_PATHS = ("catalog", "tiled_api_key_file", "data_dir", "recipe", "cache")


def settings_path() -> Path:
    """Where the settings are: `twinbeam/settings.yaml` in the user's folder of configurations."""
    home = os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "twinbeam" / "settings.yaml"


def read_settings(path: Path | None = None) -> Settings:
    """The settings in the file; none are set when there is no file.

    Raises
    ------
    RecipeError
        If the file cannot be read, or has a key or value that cannot be.
    """
    path = path or settings_path()
    if not path.exists():
        return Settings()
    try:
        values = read_parameter_file(path, "settings are lines of key: value")
        return Settings.from_mapping(values, where=str(path))
    except RecipeError as error:
        if error.hint is None:
            hint = "mend the line, or take it out with 'twinbeam settings unset'"
            raise RecipeError(error.what, where=error.where, hint=hint) from None
        raise


def remember(key: str, value: str, path: Path | None = None) -> Settings:
    """Write one setting into the file; paths become absolute.

    Raises
    ------
    RecipeError
        If there is no such setting, or it cannot have this value; the file stays as it was.
    TwinbeamError
        If the file cannot be written.
    """
    path = path or settings_path()
    _require_known(key)
    if key in _PATHS or (key == "site" and Path(value).expanduser().is_file()):
        value = str(Path(value).expanduser().absolute())
    before = read_settings(path).model_dump(exclude_none=True)
    changed = Settings.from_mapping({**before, key: value}, where="settings")
    _write(path, changed)
    return changed


def forget(key: str, path: Path | None = None) -> Settings:
    """Take one setting out of the file, also one whose value cannot be.

    Raises
    ------
    RecipeError
        If there is no such setting.
    TwinbeamError
        If the file cannot be written.
    """
    path = path or settings_path()
    rule = "settings are lines of key: value"
    values = read_parameter_file(path, rule) if path.exists() else {}
    if key not in values:
        _require_known(key)
    values.pop(key, None)
    changed = Settings.from_mapping(values, where=str(path))
    if path.exists():
        _write(path, changed)
    return changed


def _require_known(key: str) -> None:
    if key in Settings.model_fields:
        return
    if key.endswith(("token", "key")):
        raise RecipeError(
            "keys and tokens are not kept with the settings",
            where=key,
            hint="put a server's key into a file that only you may read, and name the file as"
            " tiled_api_key_file",
        )
    near = difflib.get_close_matches(key, Settings.model_fields, n=1, cutoff=0.4)
    hint = f"did you mean '{near[0]}'?" if near else "'twinbeam settings' lists them"
    raise RecipeError(f"no setting '{key}'", where="settings", hint=hint)


def _write(path: Path, settings: Settings) -> None:
    text = yaml.safe_dump(settings.model_dump(exclude_none=True), sort_keys=False)
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # a new file of mkstemp is for its owner only, and takes the old one's place at once
        descriptor, temporary = tempfile.mkstemp(prefix=".settings-", dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(_HEAD + (text if text != "{}\n" else ""))
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise TwinbeamError(
            f"the settings cannot be written: {error.strerror}", where=str(path)
        ) from error
