"""Versions of the detector's driver; a light module, which the command line can afford."""

from __future__ import annotations

__all__ = ["DRIVERS"]

DRIVERS = ("1.7.2", "1.7.1", "1.7.0", "1.6.2", "1.6.1", "1.6")
"""Versions whose surface is known, the newest first."""
