"""What makes an IPython shell a beamline prompt: magics, errors in a sentence, state."""

from __future__ import annotations

import contextlib
import logging
import shutil
import signal
import sys
import textwrap
import warnings
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from twinbeam.errors import TwinbeamError

if TYPE_CHECKING:
    from twinbeam.profile.prompt import Watcher

__all__ = [
    "add_magics",
    "explain_errors",
    "show_state",
    "starting",
    "the_shell",
    "without_noise",
]

_WIDTH = 100


def the_shell() -> Any:
    """The IPython shell of this process, or None."""
    if "IPython" not in sys.modules:  # then there is none, and nobody waits for the import
        return None
    from IPython import get_ipython

    return get_ipython()


def add_magics(shell: Any) -> None:
    """Bluesky's `%mov`, `%movr`, `%wa` and `%ct`."""
    from bluesky.magics import BlueskyMagics

    from twinbeam.profile.magics import BeamlineMagics

    shell.register_magics(BlueskyMagics, BeamlineMagics)  # the second has only what differs


def explain_errors(shell: Any) -> None:
    """Let an error that twinbeam raised on purpose be a sentence; `%tb` shows where it happened.

    So is a motor's limit, and a pause of the RunEngine, which tells how to go on.
    """
    from bluesky.log import logger
    from bluesky.utils import FailedStatus, RunEngineInterrupted
    from ophyd.utils import LimitError

    logger.addFilter(_leave_out_trace)

    def explain(
        shell: Any,
        kind: type[BaseException],
        error: BaseException,
        trace: TracebackType | None,
        tb_offset: int | None = None,
    ) -> list[str] | None:
        cause = _cause(error)
        if isinstance(cause, RunEngineInterrupted):
            how = str(cause).strip()
            print(how, file=sys.stderr, flush=True)
            # IPython keeps what an error looked like; else it would make a traceback of this one,
            # for a second or so, in which a Ctrl-C that came late would be told as an error
            cause._render_traceback_ = lambda: [how]  # type: ignore[attr-defined]
            return None
        if not isinstance(cause, TwinbeamError | LimitError):
            shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
            return None
        sys.last_type, sys.last_value, sys.last_traceback = kind, error, trace  # for %tb
        print(_in_lines(f"{type(cause).__name__}: {cause}"), file=sys.stderr, flush=True)
        lines: list[str] = shell.InteractiveTB.structured_traceback(
            kind, error, trace, tb_offset=tb_offset
        )
        return lines

    shell.set_custom_exc((TwinbeamError, FailedStatus, LimitError, RunEngineInterrupted), explain)


@contextlib.contextmanager
def starting(user_ns: Mapping[str, Any]) -> Iterator[None]:
    """What ends a startup file is told in a sentence, also there, where `explain_errors` is deaf.

    After an error of twinbeam IPython skips the other files; Ctrl-C ends it, as it does anyway,
    but not as a fault of IPython.

    Parameters
    ----------
    user_ns
        The namespace of the file.
    """
    try:
        yield
    except TwinbeamError as error:
        if not hasattr(error, "_render_traceback_"):
            sentence = _in_lines(f"{type(error).__name__}: {error}")
            error._render_traceback_ = lambda: [sentence]  # type: ignore[attr-defined]
        raise
    except KeyboardInterrupt:
        if the_shell() is None or "__file__" not in user_ns:  # typed at a prompt that goes on
            raise
        print("\ntwinbeam: interrupted before the session was ready", file=sys.stderr, flush=True)
        raise SystemExit(128 + signal.SIGINT) from None


def without_noise() -> None:
    """Leave out what bluesky warns of whenever a collection has enough, or is broken off."""
    warnings.filterwarnings("ignore", "Previous ProgressBar never competed")


def show_state(shell: Any, watcher: Watcher) -> None:
    """Let the prompt of a shell in a terminal tell the state of the beamline."""
    from twinbeam.profile.prompt import StatePrompt

    shell.prompts = StatePrompt(shell, watcher)


def _cause(error: BaseException | None) -> BaseException | None:
    """What a failed status failed with; any other error itself."""
    from bluesky.utils import FailedStatus

    return error.__cause__ if isinstance(error, FailedStatus) else error


def _in_lines(sentence: str) -> str:
    """A sentence in lines that fit the terminal; names of process variables stay whole."""
    width = max(min(_WIDTH, shutil.get_terminal_size((_WIDTH, 24)).columns) - 1, 40)
    wrap = textwrap.TextWrapper(
        width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(wrap.fill(line) for line in sentence.splitlines())


def _leave_out_trace(record: logging.LogRecord) -> bool:
    """Keep the RunEngine from printing a traceback that a sentence stands for, or that was asked.

    Somebody who aborts a plan knows why it ended.
    """
    from bluesky.utils import RunEngineControlException
    from ophyd.utils import LimitError

    if record.msg == "No open traces left to close!":  # after each plan that is broken off
        return False
    expected = (TwinbeamError, LimitError, RunEngineControlException)
    if record.exc_info and isinstance(_cause(record.exc_info[1]), expected):
        record.exc_info = None
    return True
