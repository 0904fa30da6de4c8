"""Numbers drawn with block characters: bars, and images with two pixels to a character."""

from __future__ import annotations

from functools import cache
from itertools import groupby

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rich.style import Style
from rich.text import Text

__all__ = ["bars", "half_blocks", "shrunk"]

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_SHADES = " ░▒▓█"
_LEVELS = 24
#: Dark blue to yellow, even in lightness, so that it reads without colours as well.
_SCALE = np.array(
    [(13, 8, 60), (68, 20, 115), (60, 80, 138), (40, 125, 142), (50, 170, 122), (140, 210, 70),
     (250, 230, 40)],
    dtype=float,
)  # fmt: skip


def bars(values: ArrayLike, width: int, rows: int = 1) -> list[str]:
    """Values as bars from zero, one string a row from the top; the largest is full.

    Parameters
    ----------
    width
        Most characters a row; neighbours are averaged when there are more values.
    rows
        Height in characters.
    """
    heights = np.nan_to_num(np.asarray(values, dtype=float).ravel(), nan=0.0)
    heights = np.clip(heights, 0.0, None)
    if not heights.size or width < 1:
        return [""] * rows
    if heights.size > width:
        heights = np.array([part.mean() for part in np.array_split(heights, width)])
    top = heights.max()
    eighths = np.zeros(heights.size, int)
    if top > 0.0:
        # what is there at all is seen
        eighths = np.maximum(np.rint(8 * rows * heights / top), heights > 0.0).astype(int)
    return [
        "".join(_EIGHTHS[int(np.clip(n - 8 * row, 0, 8))] for n in eighths)
        for row in reversed(range(rows))
    ]


def shrunk(image: NDArray[np.generic], rows: int, columns: int) -> NDArray[np.float64]:
    """Sums of an image over `rows` by `columns` rectangles; nothing is lost."""
    y = np.linspace(0, image.shape[0], rows + 1).astype(int)
    x = np.linspace(0, image.shape[1], columns + 1).astype(int)
    summed = np.add.reduceat(np.asarray(image, dtype=float), y[:-1], axis=0)
    return np.asarray(np.add.reduceat(summed, x[:-1], axis=1))


def half_blocks(image: NDArray[np.generic], columns: int, *, colours: bool = True) -> Text:
    """An image with y upwards, two pixels to a character, on a scale of square roots.

    Parameters
    ----------
    columns
        Width in characters; the height follows the shape of the image.
    colours
        Whether the terminal has colours; else shades are drawn, one pixel to a character.
    """
    lines = max(1, round(columns * image.shape[0] / image.shape[1] / 2))
    small = shrunk(image, 2 * lines if colours else lines, columns)[::-1]
    top = small.max()
    share = np.sqrt(np.clip(small, 0.0, None) / top) if top > 0.0 else np.zeros(small.shape)
    text = Text(no_wrap=True, end="")
    if not colours:
        shades = np.ceil(share * (len(_SHADES) - 1)).astype(int)
        text.append("\n".join("".join(_SHADES[n] for n in row) for row in shades))
        return text
    level = np.rint(share * (_LEVELS - 1)).astype(int)
    for line in range(lines):
        if line:
            text.append("\n")
        pairs = zip(level[2 * line].tolist(), level[2 * line + 1].tolist(), strict=True)
        for (upper, lower), same in groupby(pairs):
            text.append("▀" * len(list(same)), _style(upper, lower))
    return text


@cache
def _style(upper: int, lower: int) -> Style:
    return Style(color=_colour(upper), bgcolor=_colour(lower))


def _colour(level: int) -> str:
    at = level / (_LEVELS - 1) * (len(_SCALE) - 1)
    places = np.arange(len(_SCALE))
    red, green, blue = (round(float(np.interp(at, places, _SCALE[:, k]))) for k in range(3))
    return f"#{red:02x}{green:02x}{blue:02x}"
