"""Serval's answers to what is asked of it meanwhile, however soon they are overwritten."""

from __future__ import annotations

from typing import Any, Self

from twinbeam.devices.cam import TimePix3Cam

__all__ = ["ServalAnswer"]

_FIRST_HTTP_ERROR = 400


class ServalAnswer:
    """Context in which codes of Serval are caught.

    The driver shows only the latest one, and its own poll overwrites that within seconds; the
    text stays.
    """

    def __init__(self, cam: TimePix3Cam) -> None:
        self._cam = cam
        self._codes: list[int] = []
        self._token = 0

    def __enter__(self) -> Self:
        # What was said before has arrived when this answer has.
        self._cam.http_code.get(use_monitor=False)
        self._token = self._cam.http_code.subscribe(self._keep, run=False)
        return self

    def __exit__(self, *_: object) -> None:
        self._cam.http_code.unsubscribe(self._token)

    def _keep(self, *_: Any, value: Any = 0, **__: Any) -> None:
        self._codes.append(int(value))

    def _seen(self) -> list[int]:
        return [*self._codes, int(self._cam.http_code.get(use_monitor=False))]

    @property
    def refused(self) -> bool:
        """Whether Serval answered anything with an error."""
        return any(code >= _FIRST_HTTP_ERROR for code in self._seen())

    @property
    def words(self) -> str:
        """Code and text of the error, or of the latest answer."""
        seen = self._seen()
        code = next((code for code in seen if code >= _FIRST_HTTP_ERROR), seen[-1])
        text = self._cam.write_message.get(use_monitor=False)
        return f"HttpCode_RBV {code}, WriteFileMessage '{text}'"
