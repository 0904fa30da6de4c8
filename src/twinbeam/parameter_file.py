"""Parameters as a YAML file holds them: plain values, each key once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from twinbeam.errors import RecipeError

__all__ = ["read_parameter_file"]


def read_parameter_file(path: str | Path, rule: str) -> dict[str, Any]:
    """The mapping a YAML file holds; an empty file is an empty one.

    Parameters
    ----------
    rule
        What the error says when there is no mapping: "a recipe is a mapping of groups".

    Raises
    ------
    RecipeError
        If the file cannot be read, is no YAML mapping of plain values, or holds a key twice.
    """
    where = str(path)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"cannot be read: {error}", where=where) from error
    values = _plain_values(text, where)
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise RecipeError(rule, where=where)
    return values


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
