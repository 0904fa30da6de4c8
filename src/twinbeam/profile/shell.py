"""What makes an IPython shell a beamline prompt: magics, errors in a sentence, state."""

from __future__ import annotations

import logging
import sys
from dataclasses import is_dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

from twinbeam.errors import TwinbeamError

if TYPE_CHECKING:
    from twinbeam.profile.prompt import Watcher

__all__ = ["add_magics", "explain_errors", "shorten_results", "show_state", "the_shell"]


def the_shell() -> Any:
    """The IPython shell of this process, or None."""
    if "IPython" not in sys.modules:  # then there is none, and nobody waits for the import
        return None
    from IPython import get_ipython

    return get_ipython()


def add_magics(shell: Any) -> None:
    """Bluesky's `%mov`, `%movr`, `%wa` and `%ct`."""
    from bluesky.magics import BlueskyMagics

    shell.register_magics(BlueskyMagics)


def explain_errors(shell: Any) -> None:
    """Let an error that twinbeam raised on purpose be a sentence; `%tb` shows where it happened."""
    from bluesky.log import logger
    from bluesky.utils import FailedStatus

    logger.addFilter(_leave_out_trace)

    def explain(
        shell: Any,
        kind: type[BaseException],
        error: BaseException,
        trace: TracebackType | None,
        tb_offset: int | None = None,
    ) -> list[str] | None:
        cause = _cause(error)
        if not isinstance(cause, TwinbeamError):
            shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
            return None
        sys.last_type, sys.last_value, sys.last_traceback = kind, error, trace  # for %tb
        print(f"{type(cause).__name__}: {cause}", file=sys.stderr, flush=True)
        lines: list[str] = shell.InteractiveTB.structured_traceback(
            kind, error, trace, tb_offset=tb_offset
        )
        return lines

    shell.set_custom_exc((TwinbeamError, FailedStatus), explain)


def shorten_results(shell: Any) -> None:
    """Let what `RE(…)` returns be a line after `Out[…]:`; the plan has said the rest already."""

    def tell(result: Any, printer: Any, cycle: bool) -> None:
        runs = ", ".join(uid[:8] for uid in result.run_start_uids) or "no run"
        found = result.plan_result
        # without a result it is bluesky's own marker, or None
        has = isinstance(found, str | float) or is_dataclass(found)
        more = f"; .plan_result is a {type(found).__name__}" if has else ""
        printer.text(f"{result.exit_status}: {runs}{more}")

    plain = shell.display_formatter.formatters["text/plain"]
    plain.for_type_by_name("bluesky.run_engine", "RunEngineResult", tell)


def show_state(shell: Any, watcher: Watcher) -> None:
    """Let the prompt of a shell in a terminal tell the state of the beamline."""
    from twinbeam.profile.prompt import StatePrompt

    shell.prompts = StatePrompt(shell, watcher)


def _cause(error: BaseException | None) -> BaseException | None:
    """What a failed status failed with; any other error itself."""
    from bluesky.utils import FailedStatus

    return error.__cause__ if isinstance(error, FailedStatus) else error


def _leave_out_trace(record: logging.LogRecord) -> bool:
    """Keep the RunEngine from printing the traceback that the sentence stands for."""
    if record.exc_info and isinstance(_cause(record.exc_info[1]), TwinbeamError):
        record.exc_info = None
    return True
