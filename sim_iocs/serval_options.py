"""Options of `python -m sim_iocs serval`, apart from the model, which takes long to import."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["add_parser"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `serval` to a command line."""
    parser = commands.add_parser(
        "serval",
        help="Serval alone: HTTP and TCP, no EPICS",
        description="A simulated Serval with a Timepix3 quad: HTTP requests, raw files, TCP "
        "streams. Prints 'serval pid=N http://HOST:PORT' and READY; SIGINT or SIGTERM ends it.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="interface of HTTP and of streams")
    parser.add_argument("--port", type=_port, default=8081, help="HTTP port; 0 takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="seed of all random numbers")
    parser.add_argument("--pair-rate-hz", type=float, help="photon pairs a second")
    parser.add_argument("--background-rate-hz", type=float, help="single photons a second")
    parser.add_argument("--tdc-rate-hz", type=float, default=0.0, help="pulses on TDC input 1")
    parser.add_argument("--detuning-deg", type=float, default=0.04, help="angle of the crystal")
    parser.add_argument("--flux", type=float, default=1.0, help="share of the full beam")
    parser.add_argument("--trigger-hz", type=float, default=0.0, help="pulses on the trigger input")
    parser.add_argument("--playback", type=Path, metavar="FILE", help="serve a recorded file")
    parser.add_argument("--loop", action="store_true", help="play the file again and again")
    parser.add_argument(
        "--complete-after-s", type=float, default=0.0, help="how late files get their last bytes"
    )
    parser.add_argument("--parent-pid", type=int, help="end when this process is gone")


def _port(text: str) -> int:
    """A port, or 0 for a free one."""
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{port} is outside 0 to 65535")
    return port
