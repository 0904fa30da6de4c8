"""The documents of a derived run: a result as it grows, and its maps at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from twinbeam._version import __version__
from twinbeam.live.update import Update
from twinbeam.pipeline import Result

__all__ = ["MAPS", "DerivedRun"]

#: Arrays of the stream `maps`; all others are in the folder of the result.
MAPS = (
    "coincidence",
    "signal",
    "signal_accidental",
    "idler",
    "idler_accidental",
    "dt",
    "dt_accidental",
    "detuning",
    "detuning_accidental",
)
_NUMBERS = {
    "hits": "integer",
    "photons": "integer",
    "pairs_prompt": "integer",
    "pairs_accidental": "number",
    "pairs_net": "number",
    "pairs_net_err": "number",
    "photon_rate_hz": "number",
    "pair_rate_hz": "number",
    "duration_s": "number",
    "version": "integer",
    "lag_s": "number",
    "behind_bytes": "integer",
    "dropped_bytes": "integer",
}


class DerivedRun:
    """Composes the run and hands its documents to a callback.

    Its start document points at the measured run (`raw_run`) and holds the recipe. The stream
    `summary` has an event for every update, `maps` one at the end.

    Parameters
    ----------
    start
        Start document of the measured run.
    recipe
        What the result is made with, as a mapping, and its hash.
    emit
        Called with name and document.
    """

    def __init__(
        self,
        start: Mapping[str, Any],
        recipe: tuple[Mapping[str, Any], str],
        emit: Callable[[str, dict[str, Any]], None],
    ) -> None:
        from event_model import compose_run

        self._emit = emit
        about = {
            "raw_run": str(start["uid"]),
            "plan_name": "coincidences",
            "recipe": dict(recipe[0]),
            "recipe_hash": recipe[1],
            "twinbeam": __version__,
        }
        if "scan_id" in start:
            about["raw_scan_id"] = start["scan_id"]
        run = compose_run(metadata=about)
        self.uid = str(run.start_doc["uid"])
        self._compose_stop = run.compose_stop
        self._compose_descriptor = run.compose_descriptor
        emit("start", dict(run.start_doc))
        keys = {
            name: {"source": "twinbeam", "dtype": dtype, "shape": []}
            for name, dtype in _NUMBERS.items()
        }
        for name in ("state", "source"):
            keys[name] = {"source": "twinbeam", "dtype": "string", "shape": []}
        self._summary = self._descriptor("summary", keys)

    def _descriptor(self, name: str, keys: dict[str, Any]) -> Any:
        stream = self._compose_descriptor(name=name, data_keys=keys)
        self._emit("descriptor", dict(stream.descriptor_doc))
        return stream.compose_event

    def add(self, update: Update) -> None:
        """An event of the stream `summary`."""
        said, pairs, rates = update.summary, update.summary["pairs"], update.summary["rates_hz"]
        data = {
            "hits": said["hits"],
            "photons": said["photons"],
            "pairs_prompt": pairs["prompt"],
            "pairs_accidental": float(pairs["accidental"]),
            "pairs_net": float(pairs["net"]),
            "pairs_net_err": float(pairs["net_err"]),
            "photon_rate_hz": float(rates["photons"] or 0.0),
            "pair_rate_hz": float(rates["pairs"] or 0.0),
            "duration_s": float(said["duration_s"]),
            "version": update.version,
            "lag_s": update.lag_s,
            "behind_bytes": update.behind_bytes,
            "dropped_bytes": update.health.stream_dropped_bytes,
            "state": update.health.state,
            "source": update.health.source,
        }
        self._event(self._summary, data)

    def _event(self, compose: Any, data: Mapping[str, Any]) -> None:
        stamps = dict.fromkeys(data, time.time())
        self._emit("event", dict(compose(data=dict(data), timestamps=stamps)))

    def finish(self, result: Result | None, reason: str = "") -> None:
        """The maps of the final result, if there is one, and the stop document."""
        if result is not None:
            arrays = {name: np.asarray(result.arrays[name]) for name in MAPS}
            keys = {
                name: {
                    "source": "twinbeam",
                    "dtype": "array",
                    "shape": list(array.shape),
                    "dtype_numpy": array.dtype.str,
                }
                for name, array in arrays.items()
            }
            self._event(self._descriptor("maps", keys), arrays)
        stop = self._compose_stop(
            exit_status="fail" if result is None else "success", reason=reason
        )
        self._emit("stop", dict(stop))
