"""The prompt as people have it: IPython in a terminal, on a beamline that the profile starts."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

PROFILE = Path(__file__).parents[3] / "profile_collection"
WAIT_S = 120
_IN = r"In \[\d+\]: "


class Terminal:
    """IPython under a pseudo-terminal."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(PROFILE / "startup", folder / "profile" / "startup")
        env = {k: v for k, v in os.environ.items() if not k.startswith(("EPICS_", "TWINBEAM_"))}
        env |= {
            "TWINBEAM_SIM": "--fast",
            "TWINBEAM_CATALOG": str(folder / "catalog"),
            "TERM": "dumb",
            "COLUMNS": "200",
        }
        self.began_s = time.monotonic()
        self.child = pexpect.spawn(
            sys.executable,
            [
                "-m", "IPython", f"--profile-dir={folder / 'profile'}", "--no-banner",
                "--simple-prompt", "--colors=NoColor", "--HistoryManager.enabled=False",
            ],
            env=env, cwd=str(folder), encoding="utf-8", timeout=WAIT_S, dimensions=(60, 200),
        )  # fmt: skip
        self.banner, self.state = self._until_prompt()
        self.started_s = float(self.value("sum(__import__('os').times()[:2])"))

    def _until_prompt(self) -> tuple[str, str]:
        """What was said, and the state in the prompt that follows."""
        self.child.expect(_IN)
        said, _, state = self.child.before.replace("\r", "").rpartition("\n")
        return said, state

    def type(self, line: str) -> str:
        """Type a line; what it printed. `state` is that of the prompt afterwards."""
        self.child.sendline(line)
        said, self.state = self._until_prompt()
        return said.partition("\n")[2] if "\n" in said else ""

    def value(self, expression: str) -> str:
        """The printed value of an expression."""
        said = self.type(f"print('<<' + str({expression}) + '>>')")
        found = re.search(r"<<(.*)>>", said, re.DOTALL)
        assert found, said
        return found.group(1)


@pytest.fixture
def terminal(tmp_path: Path, process_exists: Callable[[int], bool]) -> Iterator[Terminal]:
    """A session whose IOCs end with it."""
    made = Terminal(tmp_path)
    try:
        pid = int(made.value("simulation.pid"))
        yield made
        made.child.sendline("exit")
        made.child.expect(pexpect.EOF)
        made.child.close()
        assert made.child.exitstatus == 0
        assert not process_exists(pid), "the simulated beamline ends with the session"
    finally:
        made.child.close(force=True)


def the_profile_says_what_it_is_and_the_prompt_tells_the_state(
    terminal: Terminal, wait_until: Any
) -> None:
    assert "twinbeam is ready on the simulated beamline" in terminal.banner
    assert "help_twinbeam()" in terminal.banner
    assert "Traceback" not in terminal.banner
    assert terminal.value("PROFILE_READY") == "True"
    # 8 s on a quiet machine; processor time, for this one may be busy
    assert terminal.started_s < 14.0
    assert re.search(r"sim · \d+ mA · shutter closed · θ 11\.5260° $", terminal.state)
    terminal.type('RE(bps.mv(shutter, "open"))')

    def opened() -> bool:
        terminal.type("pass")
        return "shutter open" in terminal.state

    wait_until(opened, WAIT_S)
    terminal.type('RE(bps.mv(shutter, "closed"))')


def _children(parent: int) -> list[int]:
    """Processes whose parent a process is."""
    stats = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # gone meanwhile
            stats.append(path.read_text())
    told = {int(stat.split(" ", 1)[0]): stat.rpartition(")")[2].split() for stat in stats}
    return [pid for pid, fields in told.items() if int(fields[1]) == parent]


def the_prompt_asks_nobody(terminal: Terminal) -> None:
    """With every process of the beamline stopped, the prompt comes back at once."""
    pids = _children(int(terminal.value("simulation.pid")))
    assert len(pids) == 2
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        began_s = time.monotonic()
        terminal.type("pass")
        assert time.monotonic() - began_s < 5.0  # a Channel Access read would take 10 s to fail
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    assert float(terminal.value("theta.user_readback.get(use_monitor=False)")) > 0


def detuning_is_moved_by_the_magic_once_there_is_a_bragg_angle(
    terminal: Terminal, wait_until: Any
) -> None:
    said = terminal.type("%mov detuning 0.040")
    assert "BeamlineError: gonio_detuning: no Bragg angle is known yet" in said
    assert "Traceback" not in said, "a sentence is enough"
    assert "goniometer.py" in terminal.type("%tb")
    terminal.type("%mov gonio.bragg 11.576")
    terminal.type("%mov detuning 0.040")
    assert abs(float(terminal.value("theta.position")) - 11.616) < 1e-4

    def shown() -> bool:
        terminal.type("pass")
        return "Δθ +40.0 mdeg" in terminal.state

    wait_until(shown, WAIT_S)
    assert terminal.value("RE.waiting_hook is pbar_manager") == "True"


def magics_know_the_devices_by_their_labels(terminal: Terminal) -> None:
    said = terminal.type("%wa motors")
    for name in ("gonio_theta", "gonio_detuning", "arm_z", "beam_stop_x", "slits_x_gap"):
        assert name in said
    assert "shutter_status" not in said
    said = terminal.type("%wa")
    assert re.search(r"shutter_status +Closed", said)
    assert re.search(r"ring_current +\d+\.\d+ mA", said)
    assert re.search(r"attenuators_transmission +1\n", said)
    assert "monitor_intensity" in terminal.type("%ct")


def what_a_plan_returns_is_told_in_a_line(terminal: Terminal) -> None:
    said = terminal.type("RE(set_detuning(theta, 11.576, 0.030))")
    assert "Out[" in said
    assert "success: no run; .plan_result is a float" in said
    assert "RunEngineResult(" not in said


def what_is_typed_wrongly_is_one_sentence_before_anything_moves(terminal: Terminal) -> None:
    before = terminal.value("theta.position")
    for line, complaint in (
        ("RE(find_bragg(theta, monitor))", "monitor must be an intensity monitor"),
        ("RE(find_bragg(monitor, theta, span=0.1))", "did you mean span_deg?"),
        ('RE(count_pairs(tpx, shutter, bragg_deg=11.576, seconds="10"))', "seconds must be a num"),
        ("RE(collect_pairs(tpx, shutter, seconds=5, bragg_deg=None))", "bragg_deg must be a numb"),
    ):
        said = terminal.type(line)
        assert complaint in said
        assert "Traceback" not in said
        assert max(map(len, said.splitlines())) <= 100, said
    assert terminal.value("theta.position") == before


def what_is_looked_at_tells_itself(terminal: Terminal) -> None:
    said = terminal.type(
        "curve = RE(rocking_curve(monitor, theta, centre_deg=11.576, num=21, shutter=shutter))"
        ".plan_result"
    )
    (width,) = re.findall(r"width \(FWHM\).*", said)
    again = terminal.type("curve")
    assert width.strip() in again
    assert "Rocking curve; theta stands at the centre." in again
    assert "RockingResult(" not in again
    assert "Live analysis" in terminal.type("live")
    assert "monitor_intensity" in terminal.type("peaks")


def ctrl_c_at_the_prompt_leaves_session_and_beamline_alone(terminal: Terminal) -> None:
    terminal.child.send("a_half_typed_line")
    terminal.child.sendintr()
    terminal._until_prompt()
    assert terminal.value("1 + 1") == "2"
    assert terminal.value("simulation.pid and RE.state") == "idle"
    assert abs(float(terminal.value("ring.current.get(use_monitor=False)")) - 400.0) < 5.0


def ctrl_c_in_a_scan_pauses_and_the_prompt_says_so(terminal: Terminal) -> None:
    terminal.type("monitor.count_time.put(0.5)")
    terminal.child.sendline("RE(bp.count([monitor], num=1000))")
    terminal.child.expect("monitor_intensity")
    terminal.child.expect(r"\|\s+1 \|")
    terminal.child.sendintr()
    time.sleep(0.5)  # bluesky takes two within 10 s for a hard pause; the first must be seen
    terminal.child.sendintr()
    said, terminal.state = terminal._until_prompt()
    assert "RE paused" in terminal.state, said
    assert "RE.resume()    Resume the plan." in said
    assert "Traceback" not in said
    assert "Traceback" not in terminal.type("RE.abort()")
    assert "RE" not in terminal.state
    terminal.type("monitor.count_time.put(0.1)")


def every_line_of_the_help_can_be_typed(terminal: Terminal) -> None:
    said = terminal.type("help_twinbeam()")
    headings = ("Look around", "Find the reflection", "Are there pairs?", "Collect")
    assert [said.index(heading) for heading in headings] == sorted(map(said.index, headings))
    code = (
        "import inspect, twinbeam.plans; from types import SimpleNamespace as _S; "
        "_bound = []; "
        "_Fake = lambda plan: lambda *a, **k: _bound.append("
        "inspect.signature(plan).bind(*a, **k)); "
        "from twinbeam.profile.guide import lines_of; _lines = lines_of(globals()); "
        "_ns = {**globals(), 'RE': lambda *a: _S(plan_result=None), "
        "**{n: _Fake(globals()[n]) for n in twinbeam.plans.__all__"
        " if inspect.isgeneratorfunction(globals()[n])}}; "
        "_typed = [l for h, ls in _lines.items() for l, _ in ls"
        " if l.startswith(('RE(', 'curve'))]; [exec(l, _ns) for l in _typed]"
    )
    terminal.type(code)
    assert int(terminal.value("len(_bound)")) >= 10
    listed = terminal.value("' '.join(l for ls in _lines.values() for l, _ in ls)")
    for name in terminal.value(
        "' '.join(n for n in twinbeam.plans.__all__"
        " if inspect.isgeneratorfunction(getattr(twinbeam.plans, n)))"
    ).split():
        assert name in listed, f"{name} is a plan that the help does not name"


@pytest.mark.timeout(290)
def test_the_prompt_of_a_session(terminal: Terminal, wait_until: Any) -> None:
    """One session for all, for starting one is what takes long."""
    the_profile_says_what_it_is_and_the_prompt_tells_the_state(terminal, wait_until)
    the_prompt_asks_nobody(terminal)
    detuning_is_moved_by_the_magic_once_there_is_a_bragg_angle(terminal, wait_until)
    magics_know_the_devices_by_their_labels(terminal)
    what_a_plan_returns_is_told_in_a_line(terminal)
    what_is_typed_wrongly_is_one_sentence_before_anything_moves(terminal)
    what_is_looked_at_tells_itself(terminal)
    ctrl_c_at_the_prompt_leaves_session_and_beamline_alone(terminal)
    ctrl_c_in_a_scan_pauses_and_the_prompt_says_so(terminal)
    every_line_of_the_help_can_be_typed(terminal)
    assert terminal.value("RE.state") == "idle"
    assert terminal.value("shutter.status.get(use_monitor=False)") == "Closed"
