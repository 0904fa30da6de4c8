"""The `twinbeam` command."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> None:
    """Run the command and leave with its exit status.

    0 done; 1 the data or the run has a problem that the message names; 2 wrong usage; 130 Ctrl-C.
    """
    from twinbeam.cli.app import run

    sys.exit(run(sys.argv[1:] if arguments is None else arguments))
