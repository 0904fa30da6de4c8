"""What the terminal shows of the live service."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from twinbeam.cli.blocks import bars, half_blocks
from twinbeam.cli.console import contrast, number, plain

if TYPE_CHECKING:
    from twinbeam.live import Moment, Scene, Showcase

__all__ = ["Dashboard"]

_RATE_STEP_S = 1.0
_DT_ROWS = 4
_HIGH = 32  # lines from which every stage of the ledger has its own
_WIDE = 90  # columns from which the map has a place of its own
_LEAST_COLUMNS = 10  # of a map in which something can be seen
_SILENT_S = 10.0
_COLOURS = {"running": "green", "complete": "cyan", "waiting": "yellow"}


class Dashboard:
    """The newest scene of a showcase, laid out for the size of the terminal.

    Parameters
    ----------
    showcase
        What the service shows; it is only looked at.
    about
        Addresses that are worth knowing, by name.
    problems
        Gives what went wrong besides the run's own problems.
    """

    def __init__(
        self,
        showcase: Showcase,
        about: Mapping[str, str],
        problems: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._showcase = showcase
        self._about = about
        self._problems = problems
        self._began_s = time.time()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it; what cannot be drawn is said and does not end the display."""
        try:
            yield self._drawn(console, options)
        except Exception as error:
            yield Text(f"cannot be drawn: {type(error).__name__}: {error}")

    def _drawn(self, console: Console, options: ConsoleOptions) -> Panel:
        scene = self._showcase.latest
        width, height = options.max_width - 4, options.size.height - 2
        if scene is None:
            since = time.time() - self._began_s
            waiting = Text(f"waiting for a run, for {since:,.0f} s", style="yellow")
            body: list[Any] = [waiting, *self._foot(None)]
            return Panel(Group(*body), title="twinbeam live", title_align="left", height=height + 2)
        small = height < _HIGH
        below: list[RenderableType] = [*self._ledger(scene, small), *self._foot(scene)]
        columns = min(width // 2 - 4, 2 * (height - len(below) - 1)) if width >= _WIDE else 0
        left: list[RenderableType] = [
            self._numbers(scene),
            *self._curves(scene, width - columns - 4, small),
        ]
        table = Table.grid(padding=(0, 2))
        table.add_column(ratio=1)
        if columns > _LEAST_COLUMNS:
            table.add_column(width=columns)
            colours = console.color_system is not None
            picture = half_blocks(scene.result.arrays["coincidence"], columns, colours=colours)
            table.add_row(Group(*left), Group(Text("pairs on the detector"), picture))
        else:
            table.add_row(Group(*left))
        return Panel(
            Group(table, *below), title=_title(scene), title_align="left", height=height + 2
        )

    def _numbers(self, scene: Scene) -> Table:
        values, update = scene.update.summary, scene.update
        rates, pairs, estimates = values["rates_hz"], values["pairs"], values["estimates"]
        table = _grid()
        table.add_row("measured", number(float(values["duration_s"]), 1, "s"))
        table.add_row(
            "rates",
            f"{number(rates['hits'], 0)} hits/s   {number(rates['photons'], 0)} photons/s   "
            f"{number(rates['pairs'], 2)} pairs/s",
        )
        net = f"[bold]{pairs['net']:,.1f} ± {pairs['net_err']:.1f}[/]"
        table.add_row("net pairs", f"{net}   significance {number(pairs['significance'], 1)} σ")
        table.add_row("accidentals", number(pairs["accidental"], 2))
        table.add_row("peak/floor", plain(contrast(pairs)))
        error = estimates["detuning_err_deg"]
        of = "" if error is None else f" ± {error:.5f}"
        table.add_row("detuning", number(estimates["detuning_deg"], 5) + f"{of}°")
        table.add_row("Δt σ", number(estimates["dt_sigma_ns"], 1, "ns"))
        if update.final:
            return table
        behind = f", {1e-6 * update.behind_bytes:,.1f} MB to read" if update.behind_bytes else ""
        table.add_row("behind", f"{update.lag_s:.2f} s{behind}")
        return table

    def _curves(self, scene: Scene, width: int, small: bool) -> list[Text]:
        edges, counts = scene.result.axes.dt_ns, scene.result.arrays["dt"]
        rows = bars(counts, width, 2 if small else _DT_ROWS)
        label = f"Δt from {edges[0]:+.0f} to {edges[-1]:+.0f} ns, largest bin {int(counts.max())}"
        lines = [Text(), Text(label, style="cyan"), *(Text(row, no_wrap=True) for row in rows)]
        seconds, per_s = _pair_rates(scene.moments)
        if len(per_s) > 1:
            label = f"net pairs/s over {seconds:,.0f} s, largest {max(per_s):,.1f}"
            lines += [Text(label, style="cyan"), Text(bars(per_s, width)[0], no_wrap=True)]
        return lines

    def _ledger(self, scene: Scene, small: bool) -> list[Text]:
        lines, is_open = [Text()], []
        for stage, account in scene.update.summary["ledger"].items():
            rejected = sum(account["rejected"].values())
            gone = account["used"] + rejected + account["dropped"] + account["held"]
            text = f"{stage:<11} {account['in']:>14,} in = {account['used']:,} used"
            text += f" + {rejected:,} rejected + {account['dropped']:,} dropped"
            text += f" + {account['held']:,} held" if account["held"] else ""
            if gone != account["in"]:
                is_open.append(stage)
            lines.append(Text(text, style="red" if gone != account["in"] else "", no_wrap=True))
        verdict = f"ledger OPEN at {', '.join(is_open)}" if is_open else "ledger closes"
        said = Text(verdict, style="red" if is_open else "green")
        return [Text(), said] if small else [*lines, said]

    def _foot(self, scene: Scene | None) -> list[Text]:
        lines: list[Text] = []
        problems = list(self._problems())
        if scene is not None:
            health = scene.update.health
            text = f"{health.files_read} of {health.files_named} raw files read"
            if health.files_failed:
                text += f", {health.files_failed} failed"
            if health.stream_bytes:
                text += f"; stream {1e-6 * health.stream_bytes:,.0f} MB"
                text += f", {1e-6 * health.stream_dropped_bytes:,.1f} MB dropped"
            lines.append(Text(text))
            quiet = time.time() - scene.update.time_s
            if health.state == "running" and quiet > _SILENT_S:
                lines.append(Text(f"nothing new for {quiet:,.0f} s", style="yellow"))
            problems = [*health.problems, *problems]
        lines += [Text(f"problem: {text}", style="red") for text in problems[-2:]]
        lines += [
            Text(f"{name}: {where}", style="dim", no_wrap=True)
            for name, where in self._about.items()
        ]
        return [*lines, Text("Ctrl-C ends the service; it may be started again", style="dim")]


def _title(scene: Scene) -> str:
    start, health = scene.start, scene.update.health
    words = [f"run {scene.update.run[:8]}"]
    if "scan_id" in start:
        words.insert(0, f"#{start['scan_id']}")
    if "plan_name" in start:
        words.append(str(start["plan_name"]))
    if "time" in start:
        words.append(datetime.fromtimestamp(float(start["time"])).strftime("%H:%M:%S"))
    colour = _COLOURS.get(health.state, "red")
    return f"{plain(' · '.join(words))} · [{colour}]{health.state}[/]"


def _grid() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _pair_rates(moments: Sequence[Moment]) -> tuple[float, list[float]]:
    """Measured seconds, and net pairs per second between moments a second or more apart."""
    if not moments:
        return 0.0, []
    rates, last = [], moments[0]
    for moment in moments[1:]:
        if moment.seconds - last.seconds >= _RATE_STEP_S:
            rates.append((moment.net - last.net) / (moment.seconds - last.seconds))
            last = moment
    return moments[-1].seconds, rates
