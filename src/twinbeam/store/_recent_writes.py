"""What was written lately, for tiled's subscribers: bounded in bytes, not in numbers.

Tiled keeps the bytes of every write in memory for those who subscribe to a node, the last thousand
for an hour. With maps of two megabytes written each second that is gigabytes in the process that
has the catalogue open. A subscriber needs a write only until it was sent to him.
"""

from __future__ import annotations

from typing import Any

import cachetools
from tiled.server.streaming import TTLCacheDatastore, register_datastore

__all__ = ["RECENT_BYTES", "streaming_config"]

RECENT_BYTES = 32_000_000  # a whole result has about half of it
_NAME = "twinbeam"
_KEPT_S = 600.0
_MOST_NODES = 10_000  # whose writes are numbered; a number that begins anew ends a subscription
_ENTRY_BYTES = 1000  # of an entry besides its payload


@register_datastore(_NAME)
class RecentWrites(TTLCacheDatastore):
    """Tiled's store in memory, with so many bytes at most; older writes are not sent any more."""

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__(settings)
        self._data_cache: Any = cachetools.TTLCache(RECENT_BYTES, _KEPT_S, getsizeof=_size)


def _size(entry: dict[str, Any]) -> int:
    # a larger one than all there is room for takes all of it: it is sent, and then forgotten
    return min(RECENT_BYTES, _ENTRY_BYTES + len(entry.get("payload") or b""))


def streaming_config() -> dict[str, Any]:
    """Value of `cache_config` for a catalogue of tiled."""
    return {"datastore": _NAME, "maxsize": _MOST_NODES}
