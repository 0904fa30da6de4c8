"""What IPython shows of our objects after `Out[…]:`: what they say, not what they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any

__all__ = ["print_results", "print_session"]


def print_session(formatter: Any) -> None:
    """Let `RE(…)`, `live`, `live.result` and `db` be told in a line or two.

    Parameters
    ----------
    formatter
        IPython's for plain text.
    """
    for module, name, words in (
        ("bluesky.run_engine", "RunEngineResult", _engine_result),
        ("twinbeam.live.coincidence", "CoincidenceCallback", _live),
        ("twinbeam.live.link", "LiveLink", _link),
        ("twinbeam.pipeline.result", "Result", _result),
        ("databroker.v1", "Broker", _broker),
    ):
        formatter.for_type_by_name(module, name, _printer(words))


def print_results(formatter: Any, published: Mapping[str, Any]) -> None:
    """Let what a plan returns be what it printed, wherever it is looked at again."""
    for thing in published.values():
        if isinstance(thing, type) and is_dataclass(thing) and "__str__" in vars(thing):
            formatter.for_type(thing, _printer(str))


def _printer(words: Any) -> Any:
    def tell(thing: Any, printer: Any, cycle: bool) -> None:
        printer.text(words(thing))

    return tell


def _engine_result(result: Any) -> str:
    runs = ", ".join(uid[:8] for uid in result.run_start_uids) or "no run"
    found = result.plan_result
    # without a result it is bluesky's own marker, or None
    has = isinstance(found, str | float) or is_dataclass(found)
    more = f"; .plan_result is a {type(found).__name__}" if has else ""
    return f"{result.exit_status}: {runs}{more}"


def _live(live: Any) -> str:
    return _health(live.health, "summary(live.result)")


def _link(link: Any) -> str:
    if not link.alive:
        return "Live analysis: its service is silent; nothing is lost, it catches up."
    return _health(getattr(link.latest, "health", None), "live.latest.summary")


def _health(health: Any, look: str) -> str:
    if not getattr(health, "run", ""):
        return "Live analysis: no run yet."
    problems = f"; {'; '.join(health.problems)}" if health.problems else ""
    return (
        f"Live analysis of run {health.run[:8]}: {health.state}, {health.files_read} of "
        f"{health.files_named} raw files read{problems}.\n"
        f"{look} tells what it found, live.plot() draws it."
    )


def _result(result: Any) -> str:
    pairs = result.estimate
    return (
        f"Result of {result.duration_s:.6g} s: {result.n_hits} hits, {pairs.n_prompt} prompt pairs,"
        f" {pairs.n_replicas / max(pairs.replicas, 1):.4g} accidental.\n"
        "summary(…) of it tells the rest, draw_overview(…) draws it."
    )


def _broker(db: Any) -> str:
    return "databroker.Broker: db[-1] is the last run, db(plan_name='collect_pairs') finds others."
