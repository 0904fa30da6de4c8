from __future__ import annotations

from measurements import frames, measure, service

__all__ = ["frames", "measure", "service"]
