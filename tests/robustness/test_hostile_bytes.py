"""Hostile raw data: a clear error or a counted rejection, and the next good data still found.

Each case puts something bad between two halves of a good stream. Whatever it is, every byte, hit,
photon and pair stays accounted for, both halves are found, and time and memory stay bounded.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbeam.errors import RawDataError
from twinbeam.pipeline import Pipeline, Result, process, summary
from twinbeam.simulate import Experiment, SimulationParameters
from twinbeam.tpx3 import Hits, chip_of, chunk, encode_hits, global_time_words, pixel_words

SECOND = 640_000_000
SECONDS = 0.3
HALF = int(SECONDS / 2 * SECOND)
MAGIC = b"TPX3"


def chunk_ends(data: bytes) -> list[int]:
    ends = [0]
    while ends[-1] < len(data):
        ends.append(ends[-1] + 8 + int.from_bytes(data[ends[-1] + 6 : ends[-1] + 8], "little"))
    return ends


@pytest.fixture(scope="module")
def good() -> tuple[bytes, bytes]:
    """Two halves of a busy stream, cut at the end of a chunk."""
    parameters = SimulationParameters(
        pair_rate_hz=2000.0, background_rate_hz=2e5, sample="none", global_time_s=0.02
    )
    experiment = Experiment(parameters, 1)
    parts = [experiment.start(), *(experiment.advance(SECONDS / 3) for _ in range(3))]
    data = b"".join([*parts, experiment.stop()])
    middle = min(chunk_ends(data), key=lambda end: abs(end - len(data) // 2))
    return data[:middle], data[middle:]


def run(*parts: bytes) -> Result:
    pipeline = Pipeline(keep_photons=True)
    for part in parts:
        pipeline.feed(part)
    return pipeline.finish()


@pytest.fixture(scope="module")
def clean(good: tuple[bytes, bytes]) -> Result:
    return run(*good)


def hits_at(t: np.ndarray, x: np.ndarray | int = 300, y: np.ndarray | int = 40) -> bytes:
    t, x, y = np.broadcast_arrays(t, x, y)
    return encode_hits(Hits(t, x, y, np.full(t.size, 300), chip_of(x, y)))


def wrong_times(t: float, n: int) -> bytes:
    return hits_at(int(t * SECOND) + 1000 * np.arange(n))


def flipped(data: bytes, seed: int, share: float) -> bytes:
    rng = np.random.default_rng(seed)
    array = np.frombuffer(data, np.uint8).copy()
    at = rng.integers(0, array.size, max(1, int(share * array.size)))
    array[at] ^= np.uint8(1) << rng.integers(0, 8, at.size).astype(np.uint8)
    return array.tobytes()


def random_bytes(n: int, seed: int = 1) -> bytes:
    return np.random.default_rng(seed).bytes(n)


def every_pixel() -> bytes:
    y, x = (a.ravel() for a in np.mgrid[:512, :512])
    return hits_at(np.full(x.size, HALF), x, y)


def random_pixels(n: int) -> bytes:
    x, y = np.random.default_rng(3).integers(0, 512, (2, n))
    return hits_at(np.full(n, HALF), x, y)


def header(size: int, chip: int = 0, magic: bytes = MAGIC) -> bytes:
    return magic + bytes([chip, 0]) + size.to_bytes(2, "little")


def damaged_global_time() -> bytes:
    words = global_time_words(HALF)
    return b"".join(chunk(c, words ^ np.array([1 << 44, 0], np.uint64)) for c in range(4))


# what is put between the halves, and the share of all hits that may be lost by it
CASES: dict[str, tuple[Callable[[], bytes], float]] = {
    "nothing": (lambda: b"", 0.0),
    "half a header": (lambda: MAGIC, 0.0),
    "a header without its chunk": (lambda: header(64), 0.001),
    "a header that announces all it can": (lambda: header(65_528), 0.1),
    "a header of a size that is no multiple of 8": (lambda: header(4001), 0.0),
    "a wrong magic": (lambda: header(800, magic=b"TPX4") + bytes(800), 0.0),
    "chip 4": (lambda: header(800, chip=4) + bytes(range(200)) * 4, 0.0),
    "chip 255": (lambda: header(800, chip=255) + bytes(range(200)) * 4, 0.0),
    "unknown words": (lambda: chunk(2, np.arange(1000, dtype=np.uint64)), 0.0),
    "empty chunks": (lambda: header(0) * 10_000, 0.0),
    "half a chunk": (lambda: wrong_times(0.15, 100)[:399], 0.001),
    "one hit 0.1 s ahead": (lambda: wrong_times(0.25, 1), 0.0),
    "one hit 1 s ahead": (lambda: wrong_times(1.15, 1), 0.0),
    "one hit 13 s ahead": (lambda: wrong_times(13.1, 1), 0.0),
    "sixty hits 5 s ahead": (lambda: wrong_times(5.0, 60), 0.0),
    "one hit of long ago": (lambda: wrong_times(-10.0, 1), 0.0),
    "a thousand hits of long ago": (lambda: wrong_times(-10.0, 1000), 0.0),
    "hits of a chip from everywhen": (  # until its next global time the chip may be a turn off
        lambda: hits_at(np.random.default_rng(4).integers(0, 2**34, 50)),
        0.02,
    ),
    "a damaged global time": (damaged_global_time, 0.0),
    "a megabyte of noise": (lambda: random_bytes(2**20), 0.02),
    "noise in a sound frame": (lambda: header(65_528) + random_bytes(65_528), 0.02),
    "noise in many sound frames": (
        lambda: b"".join(header(8000, c % 4) + random_bytes(8000, c) for c in range(4)),
        0.02,
    ),
    "zeros": (lambda: bytes(2**20), 0.0),
    "ones": (lambda: b"\xff" * 2**20, 0.0),
    "magic after magic": (lambda: MAGIC * 1000, 0.1),
    "text": (lambda: b"The detector is not at home. " * 1000, 0.0),
    "every pixel at once": (every_pixel, 0.01),
    "a flash of noise": (lambda: random_pixels(20_000), 0.01),
    "one pixel with a clock that stands still": (
        lambda: hits_at(np.full(400_000, HALF)),
        0.004,  # what else comes in the crowded 0.8 ms
    ),
    "one pixel that fires without end": (
        lambda: hits_at(HALF - 3_000_000 + 16 * np.arange(400_000) // 2),
        0.0,
    ),
    "neighbours that fire in turn without end": (
        lambda: hits_at(HALF - 6_000_000 + 15 * np.arange(400_000), 300 + np.arange(400_000) % 3),
        0.0,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_good_halves_are_found(good: tuple[bytes, bytes], clean: Result, name: str) -> None:
    make, allowed = CASES[name]
    bad = make()
    began = time.process_time()
    result = run(good[0], bad, good[1])
    took = time.process_time() - began
    assert result.ledger.closes
    assert result.census.n_bytes == sum(map(len, good)) + len(bad)
    expected = clean.photons.t
    found = np.isin(expected, result.photons.t)
    assert np.mean(~found) <= allowed + 2e-4, result.ledger.as_dict()["hits"]
    assert np.mean(~found[expected > 1.05 * HALF]) <= allowed + 2e-4
    assert result.estimate.n_prompt >= (0.97 - 2 * allowed) * clean.estimate.n_prompt
    assert took < 10.0  # of the processor: others may want it too
    summary(result)


def test_the_bad_part_at_the_very_beginning_and_end(good: tuple[bytes, bytes]) -> None:
    for name, (make, _) in CASES.items():
        for parts in ((make(), good[0][:20_000]), (good[0][:20_000], make()), (make(),)):
            result = run(*parts)
            assert result.ledger.closes, name
            assert result.census.n_bytes == sum(map(len, parts)), name


@pytest.mark.parametrize("share", [1e-6, 1e-4, 1e-3])
@pytest.mark.parametrize("seed", range(3))
def test_flipped_bits_cost_in_proportion(
    good: tuple[bytes, bytes], clean: Result, share: float, seed: int
) -> None:
    result = run(flipped(b"".join(good), seed, share))
    assert result.ledger.closes
    # a flip costs its own word, in a header or a size the rest of its chunk as well
    lost = 1.0 - result.ledger.stages["hits"].used / clean.ledger.stages["hits"].used
    assert lost <= 20 * share + 2e-5
    assert result.duration_s == pytest.approx(clean.duration_s, abs=0.02)


def test_a_repeated_block_is_not_counted_twice(good: tuple[bytes, bytes], clean: Result) -> None:
    first, second = good
    ends = chunk_ends(first)
    for n_chunks in (1, 3, 200):
        again = first[ends[-1 - n_chunks] :]
        result = run(first, again, second)
        assert result.ledger.closes
        assert result.photons.equals(clean.photons)
        rejected = result.ledger.stages["hits"].rejected
        assert rejected["repeated"] + rejected["late"] == result.n_hits - clean.n_hits > 0


def test_a_clock_that_starts_again_is_counted(good: tuple[bytes, bytes], clean: Result) -> None:
    # two acquisitions glued into one stream: the second goes on after the first
    result = run(*good, *good)
    assert result.ledger.closes
    assert result.census.t0_resets == 1
    assert 0 <= result.census.t0_reset_offsets[0] - sum(map(len, good)) < 100
    used = result.ledger.stages["hits"].used
    assert used == pytest.approx(2 * clean.ledger.stages["hits"].used, rel=1e-4)
    assert result.estimate.n_prompt == pytest.approx(2 * clean.estimate.n_prompt, rel=0.02)


@settings(max_examples=40, deadline=None, database=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.integers(0, 65_535).map(lambda size: header(size)),
            st.tuples(st.integers(0, 255), st.integers(0, 80)).map(
                lambda v: header(v[1] * 8, v[0])
            ),
            st.integers(0, 2**60 - 1).map(lambda v: ((0xB << 60) | v).to_bytes(8, "little")),
            st.integers(0, 2**56 - 1).map(lambda v: ((0x44 << 56) | v).to_bytes(8, "little")),
            st.integers(0, 2**20).map(lambda t: wrong_times(t / 2**16, 3)),
        ),
        max_size=40,
    ),
    st.lists(st.integers(0, 2**16), max_size=6),
)
def test_anything_at_all_is_accounted_for_for_any_cutting(
    parts: list[bytes], places: list[int]
) -> None:
    data = b"".join(parts)
    whole = run(data)
    assert whole.ledger.closes
    assert whole.census.n_bytes == len(data)
    borders = sorted({p % (len(data) + 1) for p in places} | {0, len(data)})
    pieces = run(*(data[a:b] for a, b in pairwise(borders)))
    assert pieces.differences(whole) == []
    assert pieces.census == whole.census


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (MAGIC, "no whole chunk header"),
        (b"TPX", "no chunk header"),
        (bytes(100), "no chunk header"),
        (random_bytes(4096), "no chunk header"),
        (b"\x89HDF\r\n\x1a\n" + bytes(2048), "no chunk header"),
    ],
)
def test_a_foreign_file_is_a_clear_error(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "foreign.tpx3"
    path.write_bytes(content)
    with pytest.raises(RawDataError, match=says) as caught:
        process([path])
    assert str(path) in str(caught.value)


def test_pixels_of_any_word_stay_on_the_sensor() -> None:
    rng = np.random.default_rng(8)
    words = rng.integers(0, 2**60, 5000, dtype=np.uint64) | (np.uint64(0xB) << np.uint64(60))
    result = run(b"".join(chunk(c, words) for c in range(4)))
    assert result.ledger.closes
    assert result.arrays["singles"].sum() == result.n_photons
    assert pixel_words([0], [511], [511], [25])[1].tolist() == [1]
