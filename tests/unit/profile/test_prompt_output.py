"""What the prompt prints: readings beside positions, results as sentences."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from bluesky.run_engine import RunEngineResult
from bluesky.utils import RequestAbort, RunEngineInterrupted
from IPython.core.formatters import PlainTextFormatter
from ophyd import EpicsSignalRO
from ophyd.sim import SynAxis, SynSignal
from ophyd.utils import LimitError

from twinbeam.errors import BeamlineError
from twinbeam.live import CoincidenceCallback, Health, LiveLink
from twinbeam.pipeline import Pipeline, Recipe
from twinbeam.profile.guide import guide
from twinbeam.profile.magics import readings
from twinbeam.profile.printed import print_results, print_session
from twinbeam.profile.shell import _in_lines, _leave_out_trace, explain_errors, starting
from twinbeam.profile.unreachable import unreachable


@dataclass
class Found:
    """A result with words of its own."""

    points: tuple[float, ...]

    def __str__(self) -> str:
        return f"{len(self.points)} points were found."


@pytest.fixture
def formatter() -> PlainTextFormatter:
    made = PlainTextFormatter()
    print_session(made)
    print_results(made, {"Found": Found, "find": print})
    return made


def test_a_result_is_told_again_and_not_spelled_out(formatter: PlainTextFormatter) -> None:
    assert formatter(Found((1.0, 2.0))) == "2 points were found."
    done = RunEngineResult(("1b2c3d4e-5",), Found(()), "success", False, "", None)
    assert formatter(done) == "success: 1b2c3d4e; .plan_result is a Found"


def test_a_result_of_the_analysis_is_two_lines(formatter: PlainTextFormatter) -> None:
    told = formatter(Pipeline(Recipe()).finish())
    assert told.startswith("Result of 0 s: 0 hits, 0 prompt pairs")
    assert max(map(len, told.splitlines())) < 100


def test_the_help_names_what_this_live_analysis_has(formatter: PlainTextFormatter) -> None:
    every = dict.fromkeys(("RE", "db", "catalog", "summary", "draw_overview", "replay"))
    link = object.__new__(LiveLink)
    callback = CoincidenceCallback()
    try:
        said = {kind: guide({**every, "live": kind}) for kind in (link, callback)}
        assert "summary(live.result)" in said[callback]
        assert "live.alive" not in said[callback]
        assert formatter(callback) == "Live analysis: no run yet."
    finally:
        callback.close()
    assert "live.result" not in said[link]


@pytest.mark.parametrize(
    ("alive", "words"), [(True, "Live analysis of run a: complete, 2 of 2"), (False, "silent")]
)
def test_a_link_to_the_live_service_tells_of_it(
    formatter: PlainTextFormatter, monkeypatch: pytest.MonkeyPatch, alive: bool, words: str
) -> None:
    health = Health(run="a", state="complete", files_named=2, files_read=2)
    monkeypatch.setattr(LiveLink, "alive", alive)
    monkeypatch.setattr(LiveLink, "latest", SimpleNamespace(health=health))
    assert words in formatter(object.__new__(LiveLink))


def test_what_has_no_position_is_read_and_what_is_away_does_not_hide_it() -> None:
    def away() -> Any:
        raise TimeoutError

    shutter = SynSignal(name="shutter_status", func=lambda: "Closed")
    shutter.trigger()
    lost = SimpleNamespace(name="ring", read=away)
    lines = readings([SynAxis(name="theta"), lost, shutter])
    assert [line.split(maxsplit=1) for line in lines[:-1]] == [
        ["Reading", "Value"],
        ["ring", "does not answer (TimeoutError)"],
        ["shutter_status", "Closed"],
    ]
    assert readings([SynAxis(name="theta")]) == []


def test_a_long_sentence_is_broken_between_words() -> None:
    sentence = f"BeamlineError: {'word ' * 30}SIM:ES{{Gon-Ax:Th}}Mtr.RBV"
    lines = _in_lines(sentence).splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) < 100
    assert " ".join(_in_lines(sentence).split()) == " ".join(sentence.split())


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (RequestAbort(), False),
        (BeamlineError("x"), False),
        (LimitError("theta: value 100 outside of range"), False),
        (ValueError(), True),
    ],
)
def test_only_a_surprise_has_a_traceback(error: Exception, kept: bool) -> None:
    try:
        raise error
    except Exception:
        record = logging.LogRecord("bluesky", 40, "", 0, "Run aborted", (), sys.exc_info())
    assert _leave_out_trace(record)
    assert bool(record.exc_info) is kept


def test_what_is_away_is_counted_by_device() -> None:
    class Gone:
        name = "gonio"

        def walk_signals(self, *, include_lazy: bool) -> list[Any]:
            item = object.__new__(EpicsSignalRO)
            item._connection_states = {f"SIM:{n}": n == 0 for n in range(30)}
            return [SimpleNamespace(item=item)]

    told = unreachable([Gone(), Gone()], "chx.yaml", {"EPICS_CA_ADDR_LIST": "10.0.0.1"})
    text = str(told)
    assert "58 of 60 process variables do not answer" in text
    assert text.count("29 of 30, such as SIM:1") == 2
    assert "TWINBEAM_SITE=chx.yaml" in text
    assert "EPICS_CA_ADDR_LIST (10.0.0.1)" in text
    assert told._render_traceback_()[0].startswith("BeamlineError: 58 of 60")


def test_names_that_the_simulation_lacks_are_told_as_that() -> None:
    told = str(unreachable([], "chx.yaml", {}, simulation=True))
    assert "other names than this site (TWINBEAM_SITE=chx.yaml)" in told
    assert "EPICS_CA_ADDR_LIST" not in told


class Shell:
    """What `explain_errors` needs of IPython."""

    def __init__(self) -> None:
        self.tracebacks: list[Any] = []
        self.InteractiveTB = SimpleNamespace(structured_traceback=lambda *_, **__: ["how it was"])

    def set_custom_exc(self, kinds: tuple[type[Exception], ...], explain: Any) -> None:
        self.kinds, self.explain = kinds, explain

    def showtraceback(self, told: Any, tb_offset: int | None = None) -> None:
        self.tracebacks.append(told)


@pytest.fixture
def shell() -> Iterator[Shell]:
    made = Shell()
    logger = logging.getLogger("bluesky")
    before = list(logger.filters)
    explain_errors(made)
    logger.filters[:] = before
    yield made
    for name in ("last_type", "last_value", "last_traceback"):  # for %tb
        vars(sys).pop(name, None)


def test_a_limit_is_a_sentence(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    error = LimitError("theta: value 100 outside of range: [-5.0, 90.0]")
    assert isinstance(error, shell.kinds)
    assert shell.explain(shell, type(error), error, None) == ["how it was"]
    assert capsys.readouterr().err == f"LimitError: {error}\n"
    assert shell.tracebacks == []


def test_of_a_pause_no_traceback_is_made_for_the_history(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    """IPython takes its time for one, and a second Ctrl-C that came then would be an error."""
    pause: Any = RunEngineInterrupted("\nRE.resume()    Resume the plan.\n")
    assert shell.explain(shell, type(pause), pause, None) is None
    assert capsys.readouterr().err == "RE.resume()    Resume the plan.\n"
    assert pause._render_traceback_() == ["RE.resume()    Resume the plan."]


def test_what_is_wrong_with_a_site_is_a_sentence_in_a_startup_file() -> None:
    with pytest.raises(BeamlineError) as caught, starting({"__file__": "10-devices.py"}):
        raise BeamlineError("there is no site 'x'", where="site")
    error: Any = caught.value
    assert error._render_traceback_() == ["BeamlineError: site: there is no site 'x'"]


@pytest.mark.parametrize(
    ("has_shell", "names", "ending"),
    [
        (True, {"__file__": "00-base.py"}, SystemExit),
        (True, {}, KeyboardInterrupt),
        (False, {"__file__": "00-base.py"}, KeyboardInterrupt),
    ],
)
def test_ctrl_c_ends_a_start_and_no_session(
    monkeypatch: pytest.MonkeyPatch, has_shell: bool, names: dict[str, str], ending: Any
) -> None:
    monkeypatch.setattr("twinbeam.profile.shell.the_shell", lambda: object() if has_shell else None)
    with pytest.raises(ending), starting(names):
        raise KeyboardInterrupt
