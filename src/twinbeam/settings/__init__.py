"""What a user chose once for all commands and for the profile: one file, under the environment."""

from __future__ import annotations

from twinbeam.settings.file import forget, read_settings, remember, settings_path
from twinbeam.settings.key_file import read_key
from twinbeam.settings.model import VARIABLES, Settings
from twinbeam.settings.sources import Chosen, choose, fill_environment

__all__ = [
    "VARIABLES",
    "Chosen",
    "Settings",
    "choose",
    "fill_environment",
    "forget",
    "read_key",
    "read_settings",
    "remember",
    "settings_path",
]
