"""What the calibrations have in common: checks before, figure, recipe and numbers after."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import Progress, SpinnerColumn

from twinbeam.cli.console import err, out, plain, show_json, two_columns
from twinbeam.errors import RawDataError, RecipeError, StorageError

if TYPE_CHECKING:
    from twinbeam.pipeline import Recipe

__all__ = ["beside", "check_start", "hand_over", "progress_over", "with_error"]

_BAR_FROM_BYTES = 20_000_000


def check_start(raw: list[Path], recipe: Path | None, out_file: Path | None) -> Recipe:
    """The recipe to start from; raw files and output are checked first.

    Raises
    ------
    TwinbeamError
        If a file is missing or foreign, there are no data, or the output cannot be.
    """
    from twinbeam.pipeline import Recipe
    from twinbeam.tpx3 import check_raw_file

    start = Recipe.load(recipe) if recipe else Recipe()
    if sum(check_raw_file(path).stat().st_size for path in raw) == 0:
        raise RawDataError("holds no data (0 bytes)", where=", ".join(str(path) for path in raw))
    if out_file is not None:
        if any(out_file.exists() and out_file.samefile(path) for path in raw):
            hint = "choose another --out"
            raise StorageError("would replace a raw file", where=str(out_file), hint=hint)
        if not out_file.absolute().parent.is_dir():
            raise StorageError("the folder of this file does not exist", where=str(out_file))
    return start


@contextmanager
def progress_over(raw: list[Path]) -> Iterator[Callable[[int], None]]:
    """A progress bar over the bytes of raw files; gives the function that moves it on."""
    total = sum(path.stat().st_size for path in raw)
    with Progress(
        SpinnerColumn(),
        *Progress.get_default_columns(),
        console=err,
        transient=True,
        disable=not err.is_terminal or total < _BAR_FROM_BYTES,
    ) as progress:
        bar = progress.add_task("reading", total=total)
        yield lambda n: progress.advance(bar, n)


def hand_over(
    name: str,
    result: Any,
    values: dict[str, Any],
    apply: Callable[[Path], Recipe],
    out_file: Path | None,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Draw the result, put it into a recipe, and say what was found.

    Raises
    ------
    RecipeError
        If the result is refused; what was found is drawn and said all the same.
    StorageError
        If a file cannot be written.
    """
    from twinbeam.calibrate import draw

    if figure is not None:
        try:
            draw(result).savefig(figure)
        except ValueError as error:
            raise StorageError(f"cannot be drawn: {error}", where=str(figure)) from error
    shown: dict[str, Any] = {"calibration": name, **values, "recipe_hash": None}
    refusal: Exception | None = None
    if out_file is not None:
        try:
            applied = apply(out_file)
            out_file.write_text(applied.to_yaml(), encoding="utf-8")
            shown["recipe_hash"] = applied.hash
        except RecipeError as error:
            refusal = error
    if as_json:
        show_json(_finite(shown))
    else:
        rows = [(key.replace("_", " "), _text(value)) for key, value in shown.items()]
        out.print(two_columns(f"calibration: {name}", rows[1:]))
        for written in (figure, out_file if refusal is None else None):
            if written is not None:
                out.print(f"written to {plain(str(written))}", soft_wrap=True)
    if refusal is not None:
        raise refusal


def beside(recipe_file: Path, ending: str) -> Path:
    """A file next to the recipe; absolute, as the recipe may be used from anywhere."""
    return recipe_file.absolute().with_suffix(ending)


def with_error(value: float, error: float) -> dict[str, float]:
    """A value and its standard error, as JSON has them."""
    return {"value": value, "error": error}


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
