"""Simulation parameters from and to YAML."""

from __future__ import annotations

from pathlib import Path

import yaml

from twinbeam.parameter_file import read_parameter_file
from twinbeam.simulate.parameters import SimulationParameters

__all__ = ["load_parameters", "parameters_to_yaml"]


def load_parameters(path: str | Path) -> SimulationParameters:
    """Read simulation parameters from a YAML file; keys that are left out keep their defaults.

    A relative path of a table that it names starts from the folder the file is in.

    Raises
    ------
    RecipeError
        If the file cannot be read, is no YAML mapping, or holds a wrong key or value or a key
        twice.
    """
    values = read_parameter_file(path, "simulation parameters are a mapping")
    parameters = SimulationParameters.from_mapping(values, where=str(path))
    table = parameters.response_table
    if table is None:
        return parameters
    return parameters.model_copy(update={"response_table": Path(path).absolute().parent / table})


def parameters_to_yaml(parameters: SimulationParameters) -> str:
    """All parameters as YAML text that `load_parameters` reads."""
    return yaml.safe_dump(parameters.model_dump(mode="json"), sort_keys=False)
