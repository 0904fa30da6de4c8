"""What the terminal shows while pairs are collected."""

from __future__ import annotations

import time

from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table

from twinbeam.cli.console import contrast, err, number, plain
from twinbeam.profile import LiveAnalysis

__all__ = ["CollectPanel"]

_REFRESH_PER_S = 4


class CollectPanel:
    """Shows the live result several times a second; plain lines where there is no terminal.

    A context manager. It only looks at the live analysis, which neither waits for it nor knows it.
    """

    def __init__(self, live: LiveAnalysis, seconds: float) -> None:
        self._live = live
        self._seconds = seconds
        self._started = time.monotonic()
        self._view = Live(
            get_renderable=self._draw,
            console=err,
            refresh_per_second=_REFRESH_PER_S,
            transient=True,
            redirect_stdout=False,
        )

    def __enter__(self) -> CollectPanel:
        if err.is_terminal:
            self._view.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if err.is_terminal:
            self._view.stop()

    def line(self) -> None:
        """Print the present state as one line, for output that is no terminal."""
        if not err.is_terminal:
            values, _ = self._live.look()
            if values is not None:
                pairs = values["pairs"]
                err.print(
                    f"  {values['duration_s']:6.1f} s  {values['hits']:>10,} hits  "
                    f"net pairs {pairs['net']:,.1f} ± {pairs['net_err']:.1f}  "
                    f"peak/floor {contrast(pairs)}",
                    soft_wrap=True,
                )

    def _draw(self) -> Panel:
        values, health = self._live.look()
        done = min(values["duration_s"] if values else 0.0, self._seconds)
        table = Table.grid(padding=(0, 2))
        table.add_column(style="cyan", no_wrap=True)
        table.add_column()
        table.add_row("collected", ProgressBar(total=self._seconds, completed=done, width=48))
        table.add_row("", f"{done:.0f} of {self._seconds:.0f} s")
        if values is not None:
            rates, pairs, estimates = values["rates_hz"], values["pairs"], values["estimates"]
            table.add_row(
                "rates",
                f"{number(rates['hits'], 0)} hits/s   {number(rates['photons'], 0)} photons/s",
            )
            table.add_row("net pairs", f"[bold]{pairs['net']:,.1f} ± {pairs['net_err']:.1f}[/]")
            table.add_row("accidentals", number(pairs["accidental"], 2))
            table.add_row("peak/floor", contrast(pairs))
            table.add_row("detuning", number(estimates["detuning_deg"], 5, "°"))
            table.add_row("Δt σ", number(estimates["dt_sigma_ns"], 1, "ns"))
        state = f"{health.state}, {health.files_read} files read, {health.files_waiting} waiting"
        table.add_row("analysis", state)
        if health.problems:
            table.add_row("[red]problem[/]", plain(health.problems[-1]))
        return Panel(table, title="collecting pairs", title_align="left", border_style="cyan")
