"""Simulation parameters from and to YAML."""

from __future__ import annotations

from pathlib import Path

import yaml

from twinbeam.errors import RecipeError
from twinbeam.simulate.parameters import SimulationParameters

__all__ = ["load_parameters", "parameters_to_yaml"]


def load_parameters(path: str | Path) -> SimulationParameters:
    """Read simulation parameters from a YAML file; keys that are left out keep their defaults.

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
        raise RecipeError("simulation parameters are a mapping", where=str(path))
    return SimulationParameters.from_mapping(values, where=str(path))


def parameters_to_yaml(parameters: SimulationParameters) -> str:
    """All parameters as YAML text that `load_parameters` reads."""
    return yaml.safe_dump(parameters.model_dump(mode="json"), sort_keys=False)
