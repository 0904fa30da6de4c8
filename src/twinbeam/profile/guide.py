"""What one can do at the prompt, in the order of an evening at the beamline."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from typing import Any

__all__ = ["EVENING", "guide", "lines_of"]

_SHUTTER = "shutter=shutter"

#: Headings, each with lines that can be typed. The sentence of a plan is that of its docstring;
#: a line whose names this session does not have is left out.
EVENING: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Look around": (
        ("%wa motors", "where everything stands; %wa alone tells shutter, ring, attenuators, too"),
        ("%ct", "count with all detectors, without keeping it"),
        (
            f"summarize_plan(find_bragg(monitor, theta, {_SHUTTER}))",
            "what a plan would do, step by step; nothing moves",
        ),
        ('RE.md.update(proposal="…", sample="…")', "stored with every run from now on"),
        ("ring.current.get()", "stored current in mA; the prompt shows it, too"),
        ("RE.install_suspender(suspend_on_beam_loss(ring, tpx))", "wait while there is no beam"),
    ),
    "Find the reflection": (
        (f"RE(find_bragg(monitor, theta, {_SHUTTER}))", ""),
        (
            f"curve = RE(rocking_curve(monitor, theta, centre_deg=theta.position, {_SHUTTER}))"
            ".plan_result",
            "",
        ),
        (
            "RE(mosaic_map(monitor, theta, gonio.x, gonio.y, bragg_deg=gonio.bragg.get(), "
            f"{_SHUTTER}))",
            "",
        ),
        ("%mov detuning 0.040", "theta above the Bragg angle, in degrees"),
    ),
    "Prepare the detector": (
        ("RE(find_hot_pixels(tpx, shutter))", ""),
        ("RE(calibrate_timewalk(tpx, shutter))", ""),
        ("RE(calibrate_tot(tpx, mono.energy, shutter))", ""),
    ),
    "Are there pairs?": (
        ("RE(count_pairs(tpx, shutter, bragg_deg=gonio.bragg.get()))", ""),
        ("RE(find_center(tpx, shutter, bragg_deg=gonio.bragg.get()))", ""),
        ("RE(distance_from_rings(tpx, shutter, theta, bragg_deg=gonio.bragg.get()))", ""),
        ("RE(detuning_scan(tpx, shutter, theta, bragg_deg=gonio.bragg.get()))", ""),
    ),
    "Collect": (
        (
            "RE(collect_pairs(tpx, shutter, theta, seconds=3600, bragg_deg=gonio.bragg.get(),\n"
            "                   detuning_deg=0.040))",
            "",
        ),
        (
            "RE(collect_pairs(tpx, shutter, theta, seconds=3600, bragg_deg=gonio.bragg.get(),\n"
            "                   continue_from=-1))",
            "the last collection again, after a crash: what it has counts",
        ),
        ("RE(classical_image(tpx, shutter, photons=100_000))", ""),
    ),
    "While it runs, and afterwards": (
        ("summary(live.result)", "what the live analysis has found"),
        ("live.alive and live.latest.summary", "what the live service has found"),
        ('draw_overview(live.result).savefig("overview.png")', "the same as a picture"),
        ("db[-1].table()", "the last run; db(plan_name='collect_pairs') finds more"),
        ("catalog", "all runs as tiled has them"),
        ("replay(db, -1, live)", "the last run again, through the same analysis"),
        ("peaks", "centre and width of the last scan"),
    ),
}

_KEYS = """\
Ctrl-C once pauses a plan at its next checkpoint, twice at once; then RE.resume(), RE.stop() (keep
the data), RE.abort(). However a plan ends, the shutter is closed and the detector idle.
Any name with a question mark tells more: collect_pairs?"""


def lines_of(namespace: Mapping[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """The headings with the lines that this session can execute, and what each does.

    Plans that no line names follow under a heading of their own.
    """
    plans = {name: thing for name, thing in namespace.items() if inspect.isgeneratorfunction(thing)}
    plans = {name: plan for name, plan in plans.items() if _is_ours(plan)}
    named: set[str] = set()
    told: dict[str, list[tuple[str, str]]] = {}
    for heading, lines in EVENING.items():
        told[heading] = []
        for line, sentence in lines:
            if not _can_be_typed(line, namespace):
                continue
            mine = [name for name in plans if f"{name}(" in line]
            named.update(mine)
            told[heading].append((line, sentence or _first_line(plans[mine[0]])))
    left = sorted(set(plans) - named)
    told["More plans"] = [(f"{name}?", _first_line(plans[name])) for name in left]
    return {heading: lines for heading, lines in told.items() if lines}


def guide(namespace: Mapping[str, Any]) -> str:
    """All of it as text, for the terminal."""
    parts = ["What one can do here, in the order of an evening:"]
    for heading, lines in lines_of(namespace).items():
        parts.append(f"\n{heading}")
        for line, sentence in lines:
            parts.append(f"  {line}")
            parts.append(f"      {sentence}")
    return "\n".join([*parts, "", _KEYS])


def _is_ours(plan: Any) -> bool:
    return str(getattr(plan, "__module__", "")).startswith("twinbeam.")


def _first_line(plan: Any) -> str:
    return (plan.__doc__ or "").strip().partition("\n")[0]


def _can_be_typed(line: str, namespace: Mapping[str, Any]) -> bool:
    """Whether all names that a line needs are there; `curve`, which a line makes, aside.

    Of `live`, which is the analysis or a link to it, that is what the line takes of it, too.
    """
    if line.startswith("%mov"):  # motor and position are expressions
        line = ",".join(line.split()[1:])
    elif line.startswith("%"):
        return True
    nodes = list(ast.walk(ast.parse(line)))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    needed = {node.id for node in names if isinstance(node.ctx, ast.Load)} - {"curve"}
    taken = {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "live"
    }
    return needed <= namespace.keys() and all(hasattr(namespace["live"], each) for each in taken)
