"""The base of every parameter group: frozen, validated, and helpful about typing errors."""

from __future__ import annotations

import difflib
import hashlib
import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from twinbeam.errors import RecipeError

__all__ = ["FileReference", "Parameters", "read_arrays"]


class Parameters(BaseModel):
    """A frozen group of parameters; unknown keys are errors that name the nearest right key."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def from_mapping(
        cls,
        values: Mapping[str, Any],
        *,
        where: str = "recipe",
        folder: str | Path | None = None,
    ) -> Self:
        """Build the group from plain values, as read from YAML or a start document.

        Parameters
        ----------
        where
            What errors name as the place of the values.
        folder
            Files with relative paths are in this folder; without it in the present one.

        Raises
        ------
        RecipeError
            With the full path of the first wrong key, what is wrong, and the nearest right key.
        """
        try:
            return cls.model_validate(values, context={"folder": folder})
        except ValidationError as error:
            first = error.errors()[0]
            path = ".".join(str(part) for part in first["loc"])
            hint = None
            if first["type"] == "extra_forbidden":
                what = f"unknown key '{path}'"
                near = difflib.get_close_matches(
                    str(first["loc"][-1]), _keys_at(cls, first["loc"][:-1]), n=1, cutoff=0.4
                )
                hint = f"did you mean '{near[0]}'?" if near else None
            elif first["type"] == "value_error":
                what = first["msg"].removeprefix("Value error, ")
                what = f"'{path}': {what}" if path else what
            else:
                what = f"'{path}': {first['msg']}, got {first['input']!r}"
            raise RecipeError(what, where=where, hint=hint) from None


def _keys_at(group: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """Names of the fields of the group that `path` leads to."""
    for part in path:
        field = group.model_fields.get(str(part))
        for inner in (field.annotation, *get_args(field.annotation)) if field else ():
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                group = inner
    return list(group.model_fields)


class FileReference(Parameters):
    """A file a parameter lives in, with the digest of its content.

    The digest is taken when the reference is made without one; a file that was changed since is
    refused when it is read.
    """

    path: str = Field(min_length=1, description="Where the file is.")
    sha256: str = Field(
        pattern="^[0-9a-f]{64}$", description="SHA-256 of its content; taken if left out."
    )

    @classmethod
    def of(cls, path: str | Path) -> FileReference:
        """Reference to an existing file.

        Raises
        ------
        RecipeError
            If the file cannot be read.
        """
        return cls.from_mapping({"path": str(path)}, where=str(path))

    @model_validator(mode="before")
    @classmethod
    def _find_file(cls, values: Any, info: ValidationInfo) -> Any:
        if isinstance(values, str):
            values = {"path": values}
        if not isinstance(values, Mapping) or not isinstance(values.get("path"), str):
            return values
        if not values["path"]:
            return values
        folder = (info.context or {}).get("folder")
        if folder is not None:
            values = {**values, "path": str(Path(folder).absolute() / values["path"])}
        if not values.get("sha256"):
            try:
                content = Path(values["path"]).read_bytes()
            except (OSError, ValueError) as error:
                why = getattr(error, "strerror", None) or error
                raise ValueError(f"cannot read {values['path']}: {why}") from error
            values = {**values, "sha256": hashlib.sha256(content).hexdigest()}
        return values

    def read(self) -> bytes:
        """The content of the file.

        Raises
        ------
        RecipeError
            If the file cannot be read or is no longer the one that was meant.
        """
        try:
            content = Path(self.path).read_bytes()
        except OSError as error:
            raise RecipeError(f"cannot be read: {error.strerror}", where=self.path) from error
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise RecipeError(
                "the file was changed since the recipe was made",
                where=self.path,
                hint="restore the file, or leave sha256 out of the recipe to take the new one",
            )
        return content


def read_arrays(reference: FileReference) -> dict[str, NDArray[Any]]:
    """Arrays of an npz file by name, or the array of an npy file under an empty name.

    Raises
    ------
    RecipeError
        If the file cannot be read, was changed, or is neither.
    """
    content = io.BytesIO(reference.read())
    try:
        loaded = np.load(content, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"": loaded}
        return {name: loaded[name] for name in loaded.files}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise RecipeError(f"no valid npz or npy file: {error}", where=reference.path) from error
