"""Time of hits since the last TDC edge, and histograms of it."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from sim_iocs.serval.chunks import Seen
from sim_iocs.serval.destination import HistogramChannel
from twinbeam.tpx3 import TDC_STEP_NS, TDC_STEPS_PER_TICK

__all__ = ["LastEdges", "TofHistogram", "jsonhisto"]

_RISING_1 = 0xF
_PERIOD = TDC_STEPS_PER_TICK << 34
_KEPT = 64


class LastEdges:
    """Remembers rising edges on TDC input 1 across pieces of a stream."""

    def __init__(self) -> None:
        self._edges = np.empty(0, np.int64)

    def since(self, seen: Seen) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Steps of 0.26 ns from the last edge to every hit, and which hits have one."""
        new = seen.edges[seen.edges[:, 0] == _RISING_1, 1] % _PERIOD
        edges = np.concatenate((self._edges, new))
        if not edges.size:
            return np.zeros(seen.n_hits, np.int64), np.zeros(seen.n_hits, np.bool_)
        # counters roll over: all times relative to the newest edge
        anchor = edges[-1]
        relative = np.sort(_near(edges - anchor))
        self._edges = (relative[-_KEPT:] + anchor) % _PERIOD
        hits = _near(TDC_STEPS_PER_TICK * seen.tick - anchor)
        before = np.searchsorted(relative, hits, side="right") - 1
        has_edge = before >= 0
        return hits - relative[np.maximum(before, 0)], has_edge


def _near(steps: NDArray[np.int64]) -> NDArray[np.int64]:
    return (steps + _PERIOD // 2) % _PERIOD - _PERIOD // 2


class TofHistogram:
    """Counts hits by their time since the last edge; `take` gives the counts and begins anew.

    Parameters
    ----------
    channel
        Number, width and offset of the bins.
    """

    def __init__(self, channel: HistogramChannel) -> None:
        self.n_bins = channel.n_bins
        self.width = max(round(channel.bin_width_s * 1e9 / TDC_STEP_NS), 1)
        self.offset = round(channel.offset_s * 1e9 / TDC_STEP_NS)
        self._counts = np.zeros(channel.n_bins, np.int64)
        self._edges = LastEdges()

    def add(self, seen: Seen) -> None:
        """Count hits."""
        since, has_edge = self._edges.since(seen)
        bins = (since[has_edge] - self.offset) // self.width
        bins = bins[(bins >= 0) & (bins < self.n_bins)]
        self._counts += np.bincount(bins, minlength=self.n_bins)

    def take(self) -> NDArray[np.uint32]:
        """Counts since the last call."""
        counts, self._counts = self._counts, np.zeros(self.n_bins, np.int64)
        return counts.astype(np.uint32)


def jsonhisto(
    histogram: TofHistogram, counts: NDArray[np.uint32], frame: int, time_ns: int
) -> bytes:
    """A histogram as a line of JSON and big-endian bins; widths are in steps of 0.26 ns."""
    header = {
        "binOffset": histogram.offset,
        "binSize": histogram.n_bins,
        "binWidth": histogram.width,
        "dataSize": counts.nbytes,
        "frameNumber": frame,
        "timeAtFrame": time_ns,
    }
    return json.dumps(header).encode() + b"\n" + counts.astype(">u4").tobytes()
