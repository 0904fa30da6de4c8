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
        values = _without_places(self.as_dict())
        text = json.dumps(values, sort_keys=True, separators=(",", ":"))
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

        Relative paths of files that it names start from the folder the recipe is in.

        Raises
        ------
        RecipeError
            If the file cannot be read, is no YAML mapping, or holds a wrong key or value or a key
            twice.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RecipeError(f"cannot be read: {error}", where=str(path)) from error
        values = _plain_values(text, str(path))
        if values is None:
            values = {}
        if not isinstance(values, dict):
            raise RecipeError("a recipe is a mapping of groups", where=str(path))
        return cls.from_mapping(values, where=str(path), folder=path.parent)

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


def _without_places(values: Any) -> Any:
    """The same values, of references to files only their digest."""
    if isinstance(values, list):
        return [_without_places(value) for value in values]
    if not isinstance(values, dict):
        return values
    if set(values) == set(FileReference.model_fields):
        return {"sha256": values["sha256"]}
    return {key: _without_places(value) for key, value in values.items()}


def _plain_values(text: str, where: str) -> Any:
    """What YAML text says; YAML itself would let the last of equal keys win without a word."""
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _require_keys_once(node, where, "", set())
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        raise RecipeError(f"no valid YAML: {error}", where=where) from error
    except RecursionError:
        raise RecipeError("no valid YAML: nested too deeply", where=where) from None
    except (ArithmeticError, AttributeError, LookupError, ValueError) as error:
        # a scalar that looks like a date or a number but is none
        raise RecipeError(f"no valid YAML: {error}", where=where) from error


def _require_keys_once(node: yaml.Node, where: str, path: str, done: set[int]) -> None:
    if id(node) in done:  # aliases may even lead back to where they are
        return
    done.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for i, item in enumerate(node.value):
            _require_keys_once(item, where, f"{path}{i}.", done)
    elif isinstance(node, yaml.MappingNode):
        lines: dict[tuple[str, str], int] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            name, line = (key.tag, key.value), key.start_mark.line + 1
            if name in lines:
                first = lines[name]
                lines_said = f"line {line}" if first == line else f"lines {first} and {line}"
                raise RecipeError(
                    f"key '{path}{key.value}' is there twice, in {lines_said}",
                    where=where,
                    hint="keep one of them",
                )
            lines[name] = line
            _require_keys_once(value, where, f"{path}{key.value}.", done)
