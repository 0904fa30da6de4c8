"""Documents of runs whose events name raw files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from event_model import compose_run

KEYS = {"uri": "string", "template": "string", "first": "integer", "count": "integer"}


class Run:
    """Documents of a run whose events name raw files of a detector."""

    def __init__(
        self,
        detectors: tuple[str, ...] = ("tpx",),
        next_files: tuple[Path, str] | None = None,
        time_s: float | None = None,
        **metadata: Any,
    ) -> None:
        self._composed = compose_run(time=time_s, metadata=metadata)
        self.start = self._composed.start_doc
        keys = {
            f"{name}_raw_{key}": {"dtype": dtype, "shape": [], "source": "test"}
            for name in detectors
            for key, dtype in {**KEYS, "bytes": "integer"}.items()
        }
        keys["motor"] = {"dtype": "number", "shape": [], "source": "test"}
        self._stream = self._composed.compose_descriptor(
            name="primary",
            data_keys=keys,
            object_keys={name: [k for k in keys if k.startswith(name)] for name in detectors},
            configuration=_next_files(detectors[0], *next_files) if next_files else {},
        )
        self.descriptor = self._stream.descriptor_doc

    def event(self, data: dict[str, Any]) -> dict[str, Any]:
        data = {"motor": 1.0, **data}
        keys = self.descriptor["data_keys"]
        return self._stream.compose_event(
            data={key: data.get(key, 0) for key in keys},
            timestamps=dict.fromkeys(keys, 0.0),
        )

    def stop(self) -> dict[str, Any]:
        return self._composed.compose_stop()


def keys_of(
    folder: Path, first: int, count: int, *, template: str = "run_{:06d}.tpx3", name: str = "tpx"
) -> dict[str, Any]:
    """Event data that name files truthfully, as far as they exist."""
    paths = [folder / template.format(i) for i in range(first, first + count)]
    return {
        f"{name}_raw_uri": folder.as_uri() + "/",
        f"{name}_raw_template": template,
        f"{name}_raw_first": first,
        f"{name}_raw_count": count,
        f"{name}_raw_bytes": sum(p.stat().st_size for p in paths if p.exists()),
    }


def _next_files(name: str, folder: Path, template: str) -> dict[str, Any]:
    """Configuration of a detector that says where it is going to write."""
    said = {f"{name}_next_uri": folder.as_uri() + "/", f"{name}_next_template": template}
    return {
        name: {
            "data": said,
            "timestamps": dict.fromkeys(said, 0.0),
            "data_keys": {k: {"dtype": "string", "shape": [], "source": "test"} for k in said},
        }
    }
