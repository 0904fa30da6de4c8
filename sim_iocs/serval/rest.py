"""Serval's requests by method and path: what a client asks and how it is answered."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from sim_iocs.serval import reports
from sim_iocs.serval.config import DetectorConfig
from sim_iocs.serval.destination_json import destination_from_json, destination_to_json
from sim_iocs.serval.info import SERVAL_VERSION, info_json
from sim_iocs.serval.layout import layout_json, rotated
from sim_iocs.serval.measurement_config import merged
from sim_iocs.serval.reply import Reply
from sim_iocs.serval.serval import Serval
from sim_iocs.serval.values import Wrong, mapping
from twinbeam.tpx3 import N_CHIPS

__all__ = ["Rest"]

Query = Mapping[str, str]
Get = Callable[[], Any]
Command = Callable[[Query], Awaitable[Reply]]
Put = Callable[[Any], Awaitable[Reply]]

_CHIP = re.compile(r"/detector/chips/(\d+)(?:/(dacs|PixelConfig))?")
_PARTS = {"dacs": "DACs", "PixelConfig": "PixelConfig"}
_NOT_SET = Reply(409, "Destination is not set.")


class Rest:
    """Answers requests on a model.

    Parameters
    ----------
    serval
        The model; `serval.faults` is obeyed.
    """

    def __init__(self, serval: Serval) -> None:
        self.serval = serval
        s = serval
        self._gets: dict[str, Get] = {
            "/": lambda: Reply(text=f"Welcome to the simulated Serval {SERVAL_VERSION}."),
            "/*": self._tree,
            "/dashboard": lambda: reports.dashboard(s),
            "/detector": lambda: reports.detector(s),
            "/detector/health": lambda: [reports.health(s)],
            "/detector/info": info_json,
            "/detector/config": lambda: reports.config_json(s),
            "/detector/layout": lambda: layout_json(s.orientation),
            "/detector/chips": lambda: s.chips.to_json(),
            "/detector/list": lambda: ["127.0.0.1"],
            "/detector/connect": lambda: Reply(text="Detector is connected."),
            "/server": lambda: {"Destination": self._destination()},
            "/server/destination": self._get_destination,
            "/measurement": lambda: reports.measurement(s),
            "/measurement/config": lambda: s.measurement_config,
        }
        self._commands: dict[str, Command] = {
            "/measurement/start": lambda _: s.start(),
            "/measurement/stop": lambda _: s.stop(),
            "/measurement/trigger/start": lambda _: s.trigger("start"),
            "/measurement/trigger/stop": lambda _: s.trigger("stop"),
            "/config/load": self._load,
            "/config/store": self._store,
            "/detector/layout/rotate": self._rotate,
        }
        self._puts: dict[str, Put] = {
            "/detector/config": self._put_config,
            "/server/destination": self._put_destination,
            "/measurement/config": self._put_measurement_config,
        }

    async def request(
        self, method: str, path: str, query: Query | None = None, body: bytes | str | None = None
    ) -> Reply:
        """Answer a request.

        Parameters
        ----------
        method, path
            Such as GET and ``/detector/config``.
        query
            What followed the question mark.
        body
            JSON of a PUT.
        """
        path = path.rstrip("/") or "/"
        if method == "GET":
            return await self._get(path, query or {})
        if method == "PUT":
            return await self._put(path, body or "")
        return Reply(405, f"Method {method} is not allowed.")

    async def _get(self, path: str, query: Query) -> Reply:
        if (command := self._commands.get(path)) is not None:
            return await command(query)
        if (refused := await self.serval.answer(f"GET {path}")) is not None:
            return refused
        if (get := self._gets.get(path)) is not None:
            made = get()
            return made if isinstance(made, Reply) else Reply(body=made)
        if (match := _CHIP.fullmatch(path)) is not None:
            chip = int(match[1])
            if chip >= N_CHIPS:
                return Reply(404, f"There is no chip {chip}.")
            held = self.serval.chips.to_json()[chip]
            return Reply(body=held[_PARTS[match[2]]] if match[2] else held)
        return Reply(404, f"Not found: {path}")

    async def _put(self, path: str, body: bytes | str) -> Reply:
        match = _CHIP.fullmatch(path)
        put = self._puts.get(path)
        if put is None and (match is None or match[2] != "dacs"):
            known = path in self._gets or path in self._commands or match is not None
            code, text = (405, "Method PUT is not allowed on") if known else (404, "Not found:")
            refused = await self.serval.answer(f"PUT {path}")
            return refused or Reply(code, f"{text} {path}")
        try:
            values = json.loads(body)
        except ValueError as error:
            refused = await self.serval.answer(f"PUT {path}")
            return refused or Reply(400, f"Invalid JSON: {error}")
        try:
            if put is not None:
                return await put(values)
            assert match is not None
            return await self._put_dacs(path, int(match[1]), values)
        except Wrong as error:
            refused = await self.serval.answer(f"PUT {path}")
            return refused or Reply(400, f"Invalid value: {error}")

    # --- destination ------------------------------------------------------------------------

    def _destination(self) -> Any:
        held = self.serval.destination
        return None if held is None else destination_to_json(held)

    def _get_destination(self) -> Any:
        return _NOT_SET if self.serval.destination is None else self._destination()

    async def _put_destination(self, values: Any) -> Reply:
        return await self.serval.put_destination(destination_from_json(values))

    # --- configuration ----------------------------------------------------------------------

    async def _put_config(self, values: Any) -> Reply:
        config: DetectorConfig = self.serval.config.with_json(mapping("Config", values))
        return await self.serval.put_config(config)

    async def _put_measurement_config(self, values: Any) -> Reply:
        made = merged(self.serval.measurement_config, values)
        if (refused := await self.serval.answer("PUT /measurement/config")) is not None:
            return refused
        self.serval.measurement_config = made
        return Reply(text="Successfully uploaded measurement config.")

    async def _put_dacs(self, path: str, chip: int, values: Any) -> Reply:
        if (refused := await self.serval.answer(f"PUT {path}")) is not None:
            return refused
        if chip >= N_CHIPS:
            return Reply(404, f"There is no chip {chip}.")
        self.serval.chips.put_dacs(chip, values)
        return Reply(text="Successfully uploaded DACs.")

    async def _rotate(self, query: Query) -> Reply:
        if (refused := await self.serval.answer("GET /detector/layout/rotate")) is not None:
            return refused
        try:
            self.serval.orientation = rotated(self.serval.orientation, dict(query))
        except Wrong as error:
            return Reply(400, f"Invalid value: {error}")
        return Reply(text=f"Detector orientation is {self.serval.orientation}.")

    async def _load(self, query: Query) -> Reply:
        if "format" not in query or "file" not in query:
            refused = await self.serval.answer("GET /config/load")
            return refused or Reply(400, "format and file are needed.")
        return await self.serval.load(query["format"], query["file"])

    async def _store(self, query: Query) -> Reply:
        if (refused := await self.serval.answer("GET /config/store")) is not None:
            return refused
        if "file" not in query:
            return Reply(400, "file is needed.")
        path = Path(query["file"])
        held = {"Config": self.serval.config.to_json(), "Destination": self._destination()}
        try:
            path.write_text(json.dumps(held))
        except OSError as error:
            return Reply(400, f"Cannot write file '{path}': {error.strerror}")
        return Reply(text="Config was successfully stored.")

    def _tree(self) -> Any:
        return {
            "Dashboard": reports.dashboard(self.serval),
            "Detector": reports.detector(self.serval),
            "Server": {"Destination": self._destination()},
            "Measurement": reports.measurement(self.serval),
        }
