"""What a check has found, and checks that may not take longer than they are given."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass

__all__ = ["FAULT", "OK", "WARNING", "Check", "Finding", "run_checks"]

OK, WARNING, FAULT = "ok", "warning", "fault"


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes
    ----------
    check
        What was looked at.
    state
        ``ok``, ``warning`` or ``fault``.
    value
        What was seen.
    advice
        What to do; empty when nothing is.
    """

    check: str
    state: str
    value: str
    advice: str = ""

    def as_dict(self) -> dict[str, str]:
        """A form JSON can say."""
        return asdict(self)


@dataclass(frozen=True)
class Check:
    """A check with its name; it may find several things."""

    name: str
    look: Callable[[], Iterable[Finding]]


def run_checks(checks: Iterable[Check], *, timeout_s: float) -> Iterator[list[Finding]]:
    """Run checks side by side; what each has found, in their order.

    A check that fails or takes longer is a fault of its own name and holds no other up.

    Parameters
    ----------
    timeout_s
        Longest time for all of them together.
    """
    deadline = time.monotonic() + timeout_s
    running = [(check, _Running(check)) for check in checks]
    for check, one in running:
        one.thread.join(max(deadline - time.monotonic(), 0.0))
        if one.thread.is_alive():
            yield [
                Finding(
                    check.name,
                    FAULT,
                    f"no answer within {timeout_s:g} s",
                    "something it needs hangs: a dead network folder or server?",
                )
            ]
        else:
            yield one.findings


class _Running:
    """A check in a thread of its own, which does not keep the process alive."""

    def __init__(self, check: Check) -> None:
        self.findings: list[Finding] = []
        self._check = check
        self.thread = threading.Thread(target=self._run, name=f"twinbeam-{check.name}", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.findings = list(self._check.look())
        except Exception as error:  # whatever it is, the other checks go on
            self.findings = [Finding(self._check.name, FAULT, f"{type(error).__name__}: {error}")]
