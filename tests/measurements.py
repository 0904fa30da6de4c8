"""A run as it grows on disk, and a live service that watches it; fixtures for both."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from event_model import compose_run

from twinbeam.live import LiveLink, new_token
from twinbeam.profile import LiveProcess
from twinbeam.simulate import Experiment, SimulationParameters
from twinbeam.store.documents import encode_line

TEMPLATE = "run_{:06d}.tpx3"


class Measurement:
    """A run as the RunEngine's process and the detector leave it on disk, little by little.

    Parameters
    ----------
    root
        Raw files go to `raw/<uid>`, documents to `documents`.
    send
        Called with every document after it is on disk.
    """

    def __init__(
        self,
        root: Path,
        frames: list[bytes],
        send: Callable[[str, Any], None] = lambda name, doc: None,
        *,
        expected: bool = True,
        **metadata: Any,
    ) -> None:
        self._frames = frames
        self._send = send
        self._run = compose_run(metadata=metadata)
        self.uid = self._run.start_doc["uid"]
        self.folder = root / "raw" / self.uid
        self.folder.mkdir(parents=True)
        self.lines = root / "documents" / f"{self.uid}.jsonl"
        self.lines.parent.mkdir(exist_ok=True)
        self._keep("start", self._run.start_doc)
        types = {"uri": "string", "template": "string"}
        keys = {
            f"tpx_raw_{key}": {"dtype": types.get(key, "integer"), "shape": [], "source": "test"}
            for key in ("uri", "template", "first", "count", "bytes")
        }
        said = {"tpx_next_uri": self.folder.as_uri() + "/", "tpx_next_template": TEMPLATE}
        stream = self._run.compose_descriptor(
            name="primary",
            data_keys=keys,
            object_keys={"tpx": list(keys)},
            configuration={
                "tpx": {
                    "data": said if expected else {},
                    "timestamps": dict.fromkeys(said, 0.0) if expected else {},
                    "data_keys": {
                        key: {"dtype": "string", "shape": [], "source": "test"}
                        for key in (said if expected else {})
                    },
                }
            },
        )
        self._compose_event = stream.compose_event
        self._keep("descriptor", stream.descriptor_doc)
        self.n_frames = 0

    def _keep(self, name: str, doc: Any) -> None:
        with self.lines.open("ab") as file:
            file.write(encode_line(name, doc))
        self._send(name, doc)

    def path(self, index: int) -> Path:
        return self.folder / TEMPLATE.format(index)

    @property
    def paths(self) -> list[Path]:
        """Files of the frames that are complete."""
        return [self.path(i) for i in range(self.n_frames)]

    def write(self, part: float = 1.0, *, steps: int = 1, wait_s: float = 0.0) -> None:
        """Write some of the next frame's bytes, in steps."""
        data = self._frames[self.n_frames]
        path = self.path(self.n_frames)
        begin = path.stat().st_size if path.exists() else 0
        end = max(begin, int(part * len(data)))
        for i in range(steps):
            cut = slice(
                begin + (end - begin) * i // steps, begin + (end - begin) * (i + 1) // steps
            )
            with path.open("ab") as file:
                file.write(data[cut])
            time.sleep(wait_s)

    def end_frame(self) -> None:
        """The rest of the frame, and the event that names it."""
        self.write()
        data = {
            "tpx_raw_uri": self.folder.as_uri() + "/",
            "tpx_raw_template": TEMPLATE,
            "tpx_raw_first": self.n_frames,
            "tpx_raw_count": 1,
            "tpx_raw_bytes": self.path(self.n_frames).stat().st_size,
        }
        self.n_frames += 1
        event = self._compose_event(data=data, timestamps=dict.fromkeys(data, time.time()))
        self._keep("event", event)

    def stop(self, status: Any = "success") -> None:
        self._keep("stop", self._run.compose_stop(exit_status=status))

    def all(self) -> None:
        """Everything at once."""
        while self.n_frames < len(self._frames):
            self.end_frame()
        self.stop()


class Service:
    """A live service with a link to it."""

    def __init__(self, root: Path, **given: Any) -> None:
        self.told: list[str] = []
        self.token = new_token()
        self.state = root / "state"
        given["options"] = {"checkpoint": "0.2", **given.get("options", {})}
        self.process = LiveProcess(
            root / "documents", self.state, token=self.token, tell=self.told.append, **given
        )
        ends = self.process.endpoints
        self.link = LiveLink(
            ends["documents"], ends["results"], ends["control"], self.token, tell=self.told.append
        )

    def warm(self) -> Service:
        """The service once it has compiled everything."""
        deadline = time.monotonic() + 200.0
        while not self.link.status(60.0)["warm"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return self

    def digest(self, measurement: Measurement, timeout_s: float = 120.0) -> str:
        """Digest of the final result, once there is one."""
        update = self.link.wait_final(measurement.uid, timeout_s)
        assert update is not None, self.process.log.read_text()
        assert update.final, update
        return self.done(measurement, timeout_s)

    def done(self, measurement: Measurement, timeout_s: float = 120.0) -> str:
        """What the service remembers of a run it has worked off."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            for path in self.state.glob(f"{measurement.uid}.*.done"):
                if path.stat().st_size:
                    return str(json.loads(path.read_text())["digest"])
            time.sleep(0.05)
        raise AssertionError(self.process.log.read_text())

    def close(self) -> None:
        self.link.close()
        self.process.close()


@pytest.fixture(scope="session")
def frames() -> list[bytes]:
    """What the detector writes in eight frames."""
    experiment = Experiment(
        SimulationParameters(pair_rate_hz=2000.0, background_rate_hz=1e5, sample="none"), 3
    )
    data = b"".join(
        [experiment.start(), *(experiment.advance(0.1) for _ in range(20)), experiment.stop()]
    )
    size = len(data) // 8 // 8 * 8
    return [data[i * size : (i + 1) * size if i < 7 else None] for i in range(8)]


@pytest.fixture
def measure(tmp_path: Path, frames: list[bytes]) -> Callable[..., Measurement]:
    """Function that begins a measurement."""
    return lambda *given, **more: Measurement(tmp_path, frames, *given, **more)


@pytest.fixture
def service(tmp_path: Path, compiled: None) -> Iterator[Callable[..., Service]]:
    """Function that starts a live service; it is gone after the test, with all its threads."""
    services: list[Service] = []
    (tmp_path / "documents").mkdir()

    def start(**given: Any) -> Service:
        services.append(Service(tmp_path, **given))
        return services[-1]

    before = set(threading.enumerate())
    yield start
    for one in services:
        pid = one.process.pid
        one.close()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    left = [t for t in threading.enumerate() if t not in before and t.name.startswith("twinbeam")]
    assert left == []
