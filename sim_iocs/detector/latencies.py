"""How long the driver and Serval take for things."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Latencies"]


@dataclass(frozen=True)
class Latencies:
    """Times in seconds, as observed on the driver with a real Serval."""

    start_s: float = 0.3
    reader_s: float = 0.2
    stop_s: float = 0.5
    refresh_s: float = 1.0
    measurement_poll_s: float = 0.01
    rates_s: float = 1.0
    connection_poll_s: float = 5.0
    least_preview_s: float = 0.5
    sequence_s: float = 0.4

    @classmethod
    def fast(cls) -> Latencies:
        """Everything that only costs time made short; the order of things stays."""
        return cls(
            start_s=0.01,
            reader_s=0.0,
            stop_s=0.01,
            refresh_s=0.25,  # a message lasts so long; a client under load misses shorter ones
            rates_s=0.1,
            sequence_s=0.0,
        )
