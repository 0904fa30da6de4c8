"""What the calibrations have in common: checks before, figure, recipe and numbers after."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from twinbeam.cli.console import out, plain, show_json, two_columns
from twinbeam.cli.out_file import check_out_file
from twinbeam.cli.progress import bar
from twinbeam.errors import RawDataError, RecipeError, StorageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from twinbeam.calibrate import ClusteredHits
    from twinbeam.pipeline import Recipe

__all__ = ["Job", "with_error", "with_errors"]


@dataclass(frozen=True)
class Job:
    """A calibration as it was asked for: its data, and where what is found goes.

    Attributes
    ----------
    name
        What is calibrated.
    raw
        Raw files, in order.
    start
        Recipe to start from.
    out_file, figure
        Files for the calibrated recipe and the figure.
    as_json
        Whether the values are said as JSON.
    """

    name: str
    raw: list[Path]
    start: Recipe
    out_file: Path | None
    figure: Path | None
    as_json: bool

    @classmethod
    def checked(
        cls,
        name: str,
        raw: list[Path],
        recipe: Path | None,
        out_file: Path | None,
        figure: Path | None,
        as_json: bool,
    ) -> Job:
        """A job whose raw files and output were checked.

        Raises
        ------
        TwinbeamError
            If a file is missing or foreign, there are no data, or the output cannot be.
        """
        from twinbeam.pipeline import Recipe, acquisitions_of

        start = Recipe.load(recipe) if recipe else Recipe()
        if not any(path.stat().st_size for files in acquisitions_of(raw) for path in files):
            raise RawDataError("holds no data (0 bytes)", where=", ".join(str(p) for p in raw))
        for path in (out_file, figure):
            check_out_file(path, inputs=raw)
        return cls(name, raw, start, out_file, figure, as_json)

    @contextmanager
    def reading(self) -> Iterator[Callable[[int], None]]:
        """A progress bar over the bytes of the raw files; gives the function that moves it on."""
        total = sum(path.stat().st_size for path in self.raw)
        with bar("reading", total, silent=self.as_json) as shown:
            yield shown.advance

    def clusters(self, masked: NDArray[np.bool_] | None = None) -> ClusteredHits:
        """Clusters of all raw files, pixels left out as the recipe says and `masked`."""
        from twinbeam.calibrate import read_clusters

        with self.reading() as advance:
            return read_clusters(self.raw, self.start, advance, masked=masked)

    def finish(self, result: Any, values: dict[str, Any], apply: Callable[[Path], Recipe]) -> None:
        """Draw the result, put it into a recipe, and say what was found.

        Parameters
        ----------
        apply
            Gives the calibrated recipe for the file it is going to be in.

        Raises
        ------
        RecipeError
            If the result is refused; what was found is drawn and said all the same.
        StorageError
            If a file cannot be written.
        """
        from twinbeam.calibrate import draw

        if self.figure is not None:
            try:
                draw(result).savefig(self.figure)
            except ValueError as error:
                raise StorageError(f"cannot be drawn: {error}", where=str(self.figure)) from error
        shown: dict[str, Any] = {"calibration": self.name, **values, "recipe_hash": None}
        refusal: RecipeError | None = None
        if self.out_file is not None:
            try:
                with TemporaryDirectory() as folder:  # a refusal must not replace a table
                    apply(Path(folder) / self.out_file.name)
                applied = apply(self.out_file)
                text = applied.to_yaml(folder=self.out_file.parent)
                part = self.out_file.with_name(self.out_file.name + ".part")
                part.write_text(text, encoding="utf-8")
                part.replace(self.out_file)
                shown["recipe_hash"] = applied.hash
            except RecipeError as error:
                refusal = error
        if self.as_json:
            show_json(_finite(shown))
        else:
            rows = [(key.replace("_", " "), _text(value)) for key, value in shown.items()]
            out.print(two_columns(f"calibration: {self.name}", rows[1:]))
            for written in (self.figure, self.out_file if refusal is None else None):
                if written is not None:
                    out.print(f"written to {plain(str(written))}", soft_wrap=True)
        if refusal is not None:
            raise refusal


def with_error(value: float, error: float) -> dict[str, float]:
    """A value and its standard error, as JSON has them."""
    return {"value": value, "error": error}


def with_errors(values: Iterable[float], errors: Iterable[float]) -> list[dict[str, float]]:
    """Values, each with its standard error."""
    return [with_error(*both) for both in zip(values, errors, strict=True)]


def _finite(value: Any) -> Any:
    """The same with numbers that JSON does not know as null."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _text(value: Any) -> str:
    """A value for people."""
    if isinstance(value, dict):
        if set(value) == {"value", "error"}:
            return f"{value['value']:.5g} ± {value['error']:.2g}"
        return ", ".join(f"{key} {_text(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ("\n" if value and isinstance(value[0], dict) else ", ").join(
            map(_text, value)
        ) or "none"
    if value is None:
        return "–"
    return f"{value:.5g}" if isinstance(value, float) else f"{value}"
