from __future__ import annotations

import asyncio

import pytest

from twinbeam.store._recent_writes import RECENT_BYTES, RecentWrites, streaming_config


def test_what_is_kept_for_subscribers_is_bounded_in_bytes_and_the_newest() -> None:
    store = RecentWrites(streaming_config())
    payload = bytes(1_000_000)

    async def write_and_read() -> tuple[list[int], list[bytes | None]]:
        numbers = []
        for map_number in range(120):
            node = f"map{map_number % 6}"
            numbers.append(await store.incr_seq(node))
            await store.set(node, numbers[-1], {"type": "array-data"}, payload)
        first, last = "data:map0:1", f"data:map5:{numbers[-1]}"
        return numbers, [(await store.get(key, "payload"))[0] for key in (first, last)]

    numbers, (first, last) = asyncio.run(write_and_read())
    assert numbers == [1 + n // 6 for n in range(120)]  # a subscriber skips what is not above
    assert first is None
    assert last == payload
    kept = sum(len(entry["payload"]) for entry in store._data_cache.values())
    assert RECENT_BYTES - 2_000_000 < kept <= RECENT_BYTES


@pytest.mark.parametrize("size", [RECENT_BYTES - 1000, RECENT_BYTES, 3 * RECENT_BYTES])
def test_a_write_larger_than_all_room_is_taken_and_does_not_stay(size: int) -> None:
    store = RecentWrites(streaming_config())

    async def write() -> list[bytes | None]:
        await store.set("big", 1, {}, bytes(size))
        (there,) = await store.get("data:big:1", "payload")
        await store.set("small", 1, {}, b"x")
        return [there, *await store.get("data:big:1", "payload")]

    there, later = asyncio.run(write())
    assert there is not None
    assert len(there) == size
    assert later is None
