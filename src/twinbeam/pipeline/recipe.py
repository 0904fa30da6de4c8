"""All parameters of an analysis in one frozen model."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import Field, model_validator

from twinbeam.errors import RecipeError
from twinbeam.images import ImageParameters
from twinbeam.pairs import Pairing, Replicas, Selection
from twinbeam.parameters import Parameters
from twinbeam.photons import Clustering, Response
from twinbeam.physics import Geometry

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
        if self.replicas.turn_ns <= 2.0 * self.pairing.window_ns:
            raise ValueError(
                f"replicas.turn_ns of {self.replicas.turn_ns:g} must exceed twice pairing.window_ns"
                f" of {self.pairing.window_ns:g}, or true pairs would be in the accidentals"
            )
        return self

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits that name this recipe."""
        text = json.dumps(self.as_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON, YAML and a start document."""
        return self.model_dump(mode="json")

    def to_yaml(self) -> str:
        """The recipe as YAML text."""
        return yaml.safe_dump(self.as_dict(), sort_keys=False)

    @classmethod
    def load(cls, path: str | Path) -> Recipe:
        """Read a recipe from a YAML file; groups and keys that are left out keep their defaults.

        Raises
        ------
        RecipeError
            If the file cannot be read, is no YAML mapping, or holds a wrong key or value.
        """
        path = Path(path)
        try:
            values = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise RecipeError(f"cannot be read: {error}", where=str(path)) from error
        except yaml.YAMLError as error:
            raise RecipeError(f"no valid YAML: {error}", where=str(path)) from error
        if values is None:
            values = {}
        if not isinstance(values, dict):
            raise RecipeError("a recipe is a mapping of groups", where=str(path))
        return cls.from_mapping(values, where=str(path))

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
