"""Uses the simulated detector through ophyd-async's own classes; prints what it saw as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from bluesky import RunEngine
from bluesky import plans as bp
from ophyd_async.core import (
    DetectorTriggerLogic,
    StaticFilenameProvider,
    StaticPathProvider,
    init_devices,
)
from ophyd_async.epics.adcore import (
    NDROIIO,
    ADAcquireLogic,
    ADBaseIO,
    ADWriterFactory,
    AreaDetector,
    NDStatsIO,
    PluginSignalDataLogic,
    prepare_exposures,
)

_TIMEOUT_S = 60.0


@dataclass
class Exposures(DetectorTriggerLogic):
    """Exposures by the detector's own timer."""

    driver: ADBaseIO

    def get_deadtime(self, config_values: object) -> float:
        return 0.0

    async def prepare_internal(self, num: int, livetime: float, deadtime: float) -> None:
        await prepare_exposures(self.driver, num, livetime, deadtime)


def main(prefix: str, folder: str) -> None:
    documents: list[tuple[str, dict]] = []
    engine = RunEngine(context_managers=[], call_returns_result=True)
    engine.subscribe(lambda name, doc: documents.append((name, doc)))
    with init_devices(timeout=_TIMEOUT_S):
        driver = ADBaseIO(f"{prefix}cam1:")
        stats = NDStatsIO(f"{prefix}Stats1:")
        detector = AreaDetector(
            driver,
            prefix,
            ADWriterFactory.hdf(
                StaticPathProvider(StaticFilenameProvider("asynchronous"), Path(folder)),
                writer_suffix="HDF1:",
            ),
            acquire_logic=ADAcquireLogic(driver),
            trigger_logic=Exposures(driver),
            plugins={"stats": stats, "roi": NDROIIO(f"{prefix}ROI1:")},
            name="detector",
        )
    detector.add_detector_logics(PluginSignalDataLogic(driver, stats.total))

    async def value(signal: object) -> object:
        return await signal.get_value()  # type: ignore[attr-defined]

    def get(signal: object) -> object:
        return asyncio.run_coroutine_threadsafe(value(signal), engine.loop).result(_TIMEOUT_S)

    seen = {"state": str(get(driver.detector_state)), "type": str(get(driver.data_type))}
    engine(bp.count([detector], num=2))
    events = [doc for name, doc in documents if name == "event"]
    seen["totals"] = [doc["data"][stats.total.name] for doc in events]
    seen["documents"] = sorted({name for name, _ in documents})
    seen["exit"] = next(doc["exit_status"] for name, doc in documents if name == "stop")
    resource = next(doc for name, doc in documents if name == "stream_resource")
    seen["uri"] = resource["uri"]
    seen["shape"] = resource["parameters"].get("chunk_shape")
    print(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
