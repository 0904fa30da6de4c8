"""The live service under load: `python benchmarks/live.py --mhit 1 --seconds 20 [--stream]`.

Writes raw files in real time at a chosen rate, with an event for each frame of a second, and
measures how long after a byte was written the result that holds it was heard in another process;
with `--stream` the service has the same bytes by TCP at the moment they are written. Then how fast
a service that knows nothing yet catches up with the same files. Everything is in a temporary
folder.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import tempfile
import time
from bisect import bisect_left
from pathlib import Path
from typing import Any

import numpy as np
from event_model import compose_run

from twinbeam.live import LiveLink, Update, new_token
from twinbeam.profile import LiveProcess
from twinbeam.simulate import Experiment, SimulationParameters
from twinbeam.store.documents import encode_line

_TEMPLATE = "run_{:06d}.tpx3"
_STEP_S = 0.02
_HITS_PER_PHOTON = 1.5


class Writer:
    """A run of frames of one second, written in real time."""

    def __init__(self, root: Path, link: LiveLink, connection: socket.socket | None = None) -> None:
        self._link = link
        self._connection = connection
        self.folder = root / "raw"
        self.folder.mkdir()
        run = compose_run()
        self.uid = str(run.start_doc["uid"])
        self.lines = root / "documents" / f"{self.uid}.jsonl"
        self._compose_stop = run.compose_stop
        self._keep("start", run.start_doc)
        keys = ("uri", "template", "first", "count", "bytes")
        said = {"tpx_next_uri": self.folder.as_uri() + "/", "tpx_next_template": _TEMPLATE}
        stream = run.compose_descriptor(
            name="primary",
            data_keys={f"tpx_raw_{key}": _described(key in keys[:2]) for key in keys},
            object_keys={"tpx": [f"tpx_raw_{key}" for key in keys]},
            configuration={
                "tpx": {
                    "data": said,
                    "timestamps": dict.fromkeys(said, 0.0),
                    "data_keys": {key: _described(True) for key in said},
                }
            },
        )
        self._compose_event = stream.compose_event
        self._keep("descriptor", stream.descriptor_doc)
        self.written: list[tuple[int, float]] = []  # bytes so far, and when

    def _keep(self, name: str, doc: Any) -> None:
        with self.lines.open("ab") as file:
            file.write(encode_line(name, doc))
        self._link(name, doc)

    def frame(self, index: int, data: bytes, lasts_s: float) -> None:
        """Write a frame over a time, then name it."""
        steps = max(1, round(lasts_s / _STEP_S))
        total = self.written[-1][0] if self.written else 0
        began_s = time.monotonic()
        path = self.folder / _TEMPLATE.format(index)
        with path.open("ab", buffering=0) as file:
            for step in range(steps):
                part = data[len(data) * step // steps : len(data) * (step + 1) // steps]
                if self._connection is not None:
                    self._connection.sendall(part)
                file.write(part)
                total += len(part)
                self.written.append((total, time.time()))
                time.sleep(max(0.0, began_s + (step + 1) * lasts_s / steps - time.monotonic()))
        values = {
            "tpx_raw_uri": self.folder.as_uri() + "/",
            "tpx_raw_template": _TEMPLATE,
            "tpx_raw_first": index,
            "tpx_raw_count": 1,
            "tpx_raw_bytes": len(data),
        }
        event = self._compose_event(data=values, timestamps=dict.fromkeys(values, time.time()))
        self._keep("event", event)

    def stop(self) -> None:
        """End the run."""
        self._keep("stop", self._compose_stop())


def _described(text: bool) -> dict[str, Any]:
    return {"dtype": "string" if text else "integer", "shape": [], "source": "benchmark"}


def _service(root: Path, **options: str) -> tuple[LiveProcess, LiveLink]:
    token = new_token()
    (root / "documents").mkdir(parents=True)
    process = LiveProcess(root / "documents", root / "state", token=token, options=options)
    ends = process.endpoints
    link = LiveLink(ends["documents"], ends["results"], ends["control"], token)
    while not link.status(60.0)["warm"]:
        time.sleep(0.1)
    return process, link


def latencies_s(written: list[tuple[int, float]], heard: list[tuple[int, float]]) -> np.ndarray:
    """For every write, how much later a result was heard that holds it."""
    sizes = [size for size, _ in heard]
    late = []
    for size, when_s in written:
        at = bisect_left(sizes, size)
        if at < len(heard):
            late.append(heard[at][1] - when_s)
    return np.array(late)


def simulated_frames(mhit: float, seconds: int) -> list[bytes]:
    """Raw data of so many frames of a second at a rate in million hits per second."""
    background = mhit * 1e6 / _HITS_PER_PHOTON
    experiment = Experiment(
        SimulationParameters(pair_rate_hz=100.0, background_rate_hz=background), 1
    )
    frames = [experiment.start() + experiment.advance(1.0)]
    frames += [experiment.advance(1.0) for _ in range(seconds - 2)]
    frames.append(experiment.advance(1.0) + experiment.stop())
    return frames


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mhit", type=float, default=1.0, help="million hits per second (1)")
    parser.add_argument("--seconds", type=int, default=20, help="how long (20)")
    parser.add_argument("--stream", action="store_true", help="the bytes by TCP as well")
    given = parser.parse_args()
    frames = simulated_frames(given.mhit, given.seconds)
    with tempfile.TemporaryDirectory(prefix="twinbeam-live-") as folder:
        root = Path(folder)
        listener = socket.create_server(("127.0.0.1", 0)) if given.stream else None
        options, connection = {}, None
        if listener is not None:
            options["stream"] = f"tcp://connect@127.0.0.1:{listener.getsockname()[1]}"
        process, link = _service(root, **options)
        if listener is not None:
            connection = listener.accept()[0]
        heard: list[tuple[int, float]] = []
        sources: set[str] = set()

        def hear(update: Update) -> None:
            heard.append((int(update.summary["bytes"]), time.time()))
            sources.add(update.health.source)

        link.on_update(hear)
        writer = Writer(root, link, connection)
        for index, data in enumerate(frames):
            writer.frame(index, data, 1.0)
        writer.stop()
        final = link.wait_final(writer.uid, 120.0)
        said = link.status()["stream"]
        for one in (connection, listener):
            if one is not None:
                one.close()
        link.close()
        process.close()
        late = latencies_s(writer.written, heard)
        process, link = _service(root / "late")
        copy = root / "late" / "lines"
        shutil.copy(writer.lines, copy)
        began_s = time.monotonic()
        os.replace(copy, root / "late" / "documents" / writer.lines.name)
        again = link.wait_final(writer.uid, 300.0)
        caught_up_s = time.monotonic() - began_s
        assert final is not None
        assert again is not None
        same = final.summary["pairs"] == again.summary["pairs"]
        link.close()
        process.close()
    values = {
        "hits": final.summary["hits"],
        "mhit_per_s": final.summary["rates_hz"]["hits"] / 1e6,
        "updates": len(heard),
        "written_to_heard_s": {
            "p50": float(np.percentile(late, 50)),
            "p99": float(np.percentile(late, 99)),
            "max": float(late.max()),
        },
        "sources": sorted(sources),
        "stream": said,
        "caught_up_s": caught_up_s,
        "caught_up_mhit_per_s": again.summary["hits"] / caught_up_s / 1e6,
        "same": same,
    }
    print(json.dumps(values, indent=2))


if __name__ == "__main__":
    main()
