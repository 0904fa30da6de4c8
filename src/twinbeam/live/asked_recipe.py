"""The recipe somebody asked the live service for, kept in case it dies."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path

from twinbeam.errors import RecipeError
from twinbeam.pipeline import Recipe

__all__ = ["AskedRecipe"]

_log = logging.getLogger(__name__)
_KEPT_S = 24 * 3600.0


class AskedRecipe:
    """A file beside the checkpoints, until the service ends in order.

    A service that was killed goes on with the recipe it had, as if it had not been.

    Parameters
    ----------
    state
        Folder of the checkpoints.
    """

    def __init__(self, state: Path) -> None:
        self._path = state / "asked_recipe.json"

    def read(self) -> Recipe | None:
        """The recipe a killed service was asked for in the last day; None when there is none."""
        try:
            if time.time() - self._path.stat().st_mtime > _KEPT_S:
                return None
            recipe = Recipe.from_mapping(json.loads(self._path.read_text()), where=str(self._path))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecipeError) as error:
            _log.warning("the recipe asked for before is not used: %s", error)
            return None
        _log.warning("recipe %s, asked for before the service was killed, is used", recipe.hash)
        return recipe

    def keep(self, recipe: Recipe | None) -> None:
        """Remember a recipe; None forgets the one before."""
        part = self._path.with_suffix(".part")
        try:
            if recipe is None:
                self._path.unlink(missing_ok=True)
                return
            part.write_text(json.dumps(recipe.as_dict()))
            part.replace(self._path)
        except OSError as error:
            _log.warning("the recipe asked for is lost if the service is killed: %s", error)
