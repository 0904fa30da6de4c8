"""Which settings are remembered, and the environment variable that stands above each."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, field_validator

from twinbeam.parameters import Parameters

__all__ = ["VARIABLES", "Settings"]

_ENDPOINT = r"^tcp://[^\s/]+:(\d{1,5}|\*)$"


class Settings(Parameters):
    """Settings of the commands and of the profile; what is not set has the default of each command.

    Keys of servers are never among them, only the files they are in.
    """

    catalog: str | None = Field(
        None, min_length=1, description="Folder of the catalogue of runs, as an absolute path."
    )
    tiled_uri: str | None = Field(
        None,
        pattern=r"^(https?://|profile:)\S+$",
        description="Address of a tiled server, or profile:NAME, taken instead of the folder.",
    )
    tiled_api_key_file: str | None = Field(
        None,
        min_length=1,
        description="File whose first line is the key of the tiled server; only you may read it.",
    )
    data_dir: str | None = Field(
        None, min_length=1, description="First folder of the raw files that the profile takes."
    )
    site: str | None = Field(
        None,
        min_length=1,
        description="YAML file, or name, of the site whose process variables the profile uses.",
    )
    recipe: str | None = Field(
        None,
        min_length=1,
        description="Recipe (YAML) of process, calibrate and bench when none is named; stored runs"
        " keep the recipe they were taken with.",
    )
    workers: int | None = Field(
        None, ge=1, le=64, description="Threads or processes of process, reprocess and bench."
    )
    cache: str | None = Field(
        None, min_length=1, description="Folder for the partial results of reprocess."
    )
    live: Literal["here", "service"] | None = Field(
        None,
        description="Whether the profile analyses runs in its own process or in a live service.",
    )
    live_documents: str | None = Field(
        None, pattern=_ENDPOINT, description="Endpoint at which 'twinbeam live' takes documents."
    )
    live_results: str | None = Field(
        None, pattern=_ENDPOINT, description="Endpoint at which 'twinbeam live' publishes."
    )
    live_control: str | None = Field(
        None,
        pattern=_ENDPOINT,
        description="Endpoint at which 'twinbeam live' answers, and 'twinbeam view' asks.",
    )
    page_port: int | None = Field(
        None, ge=0, le=65535, description="Port of the page of 'twinbeam live' and 'twinbeam view'."
    )
    serve_port: int | None = Field(None, ge=0, le=65535, description="Port of 'twinbeam serve'.")

    @field_validator("catalog", "tiled_api_key_file", "data_dir", "recipe", "cache")
    @classmethod
    def _is_absolute(cls, path: str | None) -> str | None:
        if path is not None and not Path(path).expanduser().is_absolute():
            raise ValueError(f"{path} is no absolute path; it would mean another place elsewhere")
        return path

    @field_validator("tiled_uri")
    @classmethod
    def _holds_no_key(cls, uri: str | None) -> str | None:
        if uri is not None:
            parts = urlsplit(uri)
            if parts.password or "api_key" in parse_qs(parts.query):
                raise ValueError(
                    "holds a key; put it into a file and name that as tiled_api_key_file"
                )
        return uri


#: The environment variable that stands above each setting.
VARIABLES: dict[str, str] = {name: f"TWINBEAM_{name.upper()}" for name in Settings.model_fields}
