"""`python -m sim_iocs`."""

from __future__ import annotations

import os
import sys
import threading

from sim_iocs.cli import main

if __name__ == "__main__":
    status = main()
    others = set(threading.enumerate()) - {threading.main_thread()}
    if any(not thread.daemon for thread in others):
        # What is still being compiled is of no use to anybody now.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)
