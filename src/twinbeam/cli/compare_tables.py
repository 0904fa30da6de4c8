"""The differences of two results as tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table

from twinbeam.cli.console import plain

if TYPE_CHECKING:
    from twinbeam.replay import Comparison
    from twinbeam.replay.comparison import ArrayDifference, NumberDifference

__all__ = ["comparison_tables"]


def comparison_tables(found: Comparison) -> Iterable[Table]:
    """A table for each kind of difference that there is."""
    if found.recipe:
        changed = [(d.name, _value(d.a), _value(d.b)) for d in found.recipe]
        title = f"recipe {found.hash_a} → {found.hash_b}"
        yield _table(title, ("parameter", found.a, found.b), changed)
    if found.ledger:
        rows = [(d.name, _value(d.a), _value(d.b), f"{d.b - d.a:+,}") for d in found.ledger]
        yield _table("ledger", ("count", found.a, found.b, "change"), rows)
    if found.numbers:
        heads = ("estimate", found.a, found.b, "change", "in errors")
        yield _table("estimates", heads, [_number_row(d) for d in found.numbers])
    if found.arrays:
        heads = ("array", "bins that differ", "largest", "counts A", "counts B")
        title = f"images and histograms; {found.equal_arrays} are equal"
        yield _table(title, heads, [_array_row(d) for d in found.arrays])
    if not found.pairs.identical:
        yield _table("pairs", ("", found.a, found.b), _pair_rows(found))


def _table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(title=plain(title), title_justify="left", title_style="bold")
    table.add_column(plain(heads[0]), style="cyan", overflow="fold")
    for head in heads[1:]:
        table.add_column(plain(head), justify="right", overflow="fold")
    for row in rows:
        table.add_row(*(plain(cell) for cell in row))
    return table


def _value(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _number_row(d: NumberDifference) -> tuple[str, ...]:
    def shown(value: float | None, error: float | None) -> str:
        if value is None:
            return "–"
        return f"{value:,.7g}" + (f" ± {error:.2g}" if error else "")

    change = "–" if d.difference is None else f"{d.difference:+.3g}"
    in_errors = "–" if d.in_errors is None else f"{d.in_errors:+.2f}"
    return d.name, shown(d.a, d.a_err), shown(d.b, d.b_err), change, in_errors


def _array_row(d: ArrayDifference) -> tuple[str, ...]:
    sums = tuple("–" if n is None else f"{n:,}" for n in (d.sum_a, d.sum_b))
    if d.bins is None or d.largest is None or d.shape_a is None or d.at is None:
        shapes = (
            "missing" if shape is None else "×".join(map(str, shape))
            for shape in (d.shape_a, d.shape_b)
        )
        return d.name, "shape " + " → ".join(shapes), "–", *sums
    total = 1
    for side in d.shape_a:
        total *= side
    at = ", ".join(map(str, d.at))
    return d.name, f"{d.bins:,} of {total:,}", f"{d.largest:+,} at [{at}]", *sums


def _pair_rows(found: Comparison) -> list[tuple[str, str, str]]:
    pairs = found.pairs
    rows = [
        ("all pairs", f"{pairs.n_a:,}", f"{pairs.n_b:,}"),
        ("prompt, only here", f"{pairs.only_a[0]:,}", f"{pairs.only_b[0]:,}"),
        ("accidental, only here", f"{pairs.only_a[1]:,}", f"{pairs.only_b[1]:,}"),
    ]
    if pairs.changed:
        rows.append(("of the same photons, changed", f"{pairs.changed:,}", f"{pairs.changed:,}"))
    for change in pairs.columns:
        text = f"{change.pairs:,} changed, most by {change.largest:+.4g}"
        rows.append((f"  {change.name}", "", text))
    if pairs.missing:
        rows.append(("columns in one only", ", ".join(pairs.missing), ""))
    return rows
