"""`python -m sim_iocs`."""

from __future__ import annotations

import sys

from sim_iocs.cli import main

if __name__ == "__main__":
    sys.exit(main())
