"""All parameters of an analysis in one frozen model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import Field, model_validator

from twinbeam.images import ImageParameters
from twinbeam.pairs import Pairing, Replicas, Selection
from twinbeam.parameter_file import read_parameter_file
from twinbeam.parameters import FileReference, Parameters
from twinbeam.photons import Clustering, Response
from twinbeam.physics import Geometry
from twinbeam.tpx3 import TICK_NS

__all__ = ["Recipe"]


class Recipe(Parameters):
    """Everything a result depends on besides the raw data."""

    geometry: Geometry = Field(Geometry(), description="Energy, distance, pixels and axis.")
    response: Response = Field(Response(), description="ToT to energy, and timewalk.")
    clustering: Clustering = Field(Clustering(), description="Which hits are one photon.")
    pairing: Pairing = Field(Pairing(), description="Which photons are tried with which.")
    selection: Selection = Field(Selection(), description="Which candidates are pairs.")
    replicas: Replicas = Field(Replicas(), description="How accidentals are measured.")
    images: ImageParameters = Field(ImageParameters(), description="How results are binned.")

    @model_validator(mode="after")
    def _shifts_leave_the_window(self) -> Self:
        if self.replicas.turn_ns < 2.0 * self.pairing.window_ns + TICK_NS:
            raise ValueError(
                f"replicas.turn_ns of {self.replicas.turn_ns:g} must exceed twice pairing.window_ns"
                f" of {self.pairing.window_ns:g}, or true pairs would be in the accidentals"
            )
        return self

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits that name this recipe.

        Of a file it names, the digest counts and not the place, so a recipe keeps its name when it
        moves with its files.
        """
        values = _each_reference(self.as_dict(), lambda file: {"sha256": file["sha256"]})
        text = json.dumps(values, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON, YAML and a start document."""
        return self.model_dump(mode="json")

    def to_yaml(self, *, folder: str | Path | None = None) -> str:
        """The recipe as YAML text.

        Parameters
        ----------
        folder
            Where the text is going to be. Files in there are named relative to it, so that they
            and the recipe can move together, and others by their absolute paths.
        """
        values = self.as_dict()
        if folder is not None:
            start = Path(folder).absolute()
            values = _each_reference(
                values, lambda file: {**file, "path": _seen_from(start, file["path"])}
            )
        return yaml.safe_dump(values, sort_keys=False)

    @classmethod
    def load(cls, path: str | Path) -> Recipe:
        """Read a recipe from a YAML file; groups and keys that are left out keep their defaults.

        Relative paths of files that it names start from the folder the recipe is in.

        Raises
        ------
        RecipeError
            If the file cannot be read, is no YAML mapping, or holds a wrong key or value or a key
            twice.
        """
        values = read_parameter_file(path, "a recipe is a mapping of groups")
        return cls.from_mapping(values, where=str(path), folder=Path(path).parent)

    def legacy_metadata(self) -> dict[str, Any]:
        """The keys by which the group's notebooks know a run's geometry: keV, cm, degrees, px."""
        g = self.geometry
        return {
            "Epump": g.energy_kev,
            "dd": g.distance_m * 100.0,
            "theta": g.bragg_deg,
            "del_theta": g.detuning_deg,
            "x_cen": g.centre_px[0],
            "y_cen": g.centre_px[1],
        }


def _each_reference(values: Any, change: Callable[[dict[str, str]], dict[str, str]]) -> Any:
    """The same plain values with each reference to a file changed."""
    if isinstance(values, list):
        return [_each_reference(value, change) for value in values]
    if not isinstance(values, dict):
        return values
    if set(values) == set(FileReference.model_fields):
        return change(values)
    return {key: _each_reference(value, change) for key, value in values.items()}


def _seen_from(folder: Path, path: str) -> str:
    file = Path(path).absolute()
    return str(file.relative_to(folder) if file.is_relative_to(folder) else file)
