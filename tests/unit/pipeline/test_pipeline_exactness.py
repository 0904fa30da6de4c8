"""The result depends on the bytes alone: not on cuts, snapshots or kinds of buffers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbeam.pairs import Pairs
from twinbeam.photons import Photons
from twinbeam.pipeline import Pipeline, Recipe, Result

places = st.lists(st.integers(0, 2**30), max_size=30)


def run(pieces: list[bytes], **options: object) -> Result:
    pipeline = Pipeline(**options)
    for piece in pieces:
        pipeline.feed(piece)
    return pipeline.finish()


def cut(data: bytes, where: list[int]) -> list[bytes]:
    borders = sorted({p % (len(data) + 1) for p in where} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(borders)]


@settings(max_examples=25, deadline=None, database=None)
@given(where=places)
def test_any_cutting_gives_a_bit_identical_result(
    raw: bytes, result: Result, where: list[int]
) -> None:
    again = run(cut(raw, where), keep_photons=True)
    assert again.digest() == result.digest()
    assert again.differences(result) == []
    assert again.census == result.census
    assert again.photons is not None
    assert again.photons.equals(result.photons)


@pytest.mark.parametrize("size", [1021, 4096, 65_537])
def test_equal_pieces_give_a_bit_identical_result(raw: bytes, result: Result, size: int) -> None:
    assert run([raw[i : i + size] for i in range(0, len(raw), size)]).differences(result) == []


def test_a_feed_larger_than_a_block_is_the_same(raw: bytes) -> None:
    much = raw * 12
    assert len(much) > 2**20
    assert run([much]).differences(run(cut(much, [i * 99_991 for i in range(20)]))) == []


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_kinds_of_buffers(raw: bytes, result: Result, kind: type) -> None:
    assert run([kind(raw)]).differences(result) == []


def test_snapshots_do_not_disturb(raw: bytes, result: Result) -> None:
    pipeline = Pipeline()
    last = pipeline.snapshot()
    for i in range(0, len(raw), 20_000):
        pipeline.feed(raw[i : i + 20_000])
        now = pipeline.snapshot()
        assert now.ledger.closes
        assert now.n_hits >= last.n_hits
        assert now.estimate.n_prompt == np.count_nonzero(now.pairs.replica == 0)
        last = now
    assert pipeline.finish().differences(result) == []


def test_a_snapshot_does_not_change_any_more(raw: bytes) -> None:
    pipeline = Pipeline()
    pipeline.feed(raw[:100_000])
    early = pipeline.snapshot()
    digest = early.digest()
    pipeline.feed(raw[100_000:])
    pipeline.finish()
    assert early.digest() == digest


def test_a_finished_result_can_be_asked_for_again(raw: bytes, result: Result) -> None:
    pipeline = Pipeline()
    pipeline.feed(raw)
    assert pipeline.finish().differences(result) == []
    assert pipeline.finish().differences(result) == []
    assert pipeline.snapshot().acquisitions == 1


def test_two_acquisitions_are_the_sum_of_both(raw: bytes, other_raw: bytes, result: Result) -> None:
    pipeline = Pipeline(keep_photons=True)
    pipeline.feed(raw)
    pipeline.next_acquisition()
    pipeline.next_acquisition()  # nothing was fed in between
    pipeline.feed(other_raw)
    both, other = pipeline.finish(), run([other_raw], keep_photons=True)
    for name, array in both.arrays.items():
        assert np.array_equal(array, result.arrays[name] + other.arrays[name])
    assert both.pairs.equals(Pairs.concatenate((result.pairs, other.pairs)))
    assert both.photons is not None
    assert both.photons.equals(Photons.concatenate((result.photons, other.photons)))
    assert both.acquisitions == 2
    assert both.duration_s == pytest.approx(result.duration_s + other.duration_s)
    for name, stage in both.ledger.stages.items():
        one, two = result.ledger.stages[name], other.ledger.stages[name]
        assert stage.taken == one.taken + two.taken
        assert stage.used == one.used + two.used
    assert both.ledger.closes


def test_a_recipe_changes_the_result(raw: bytes, result: Result) -> None:
    recipe = Recipe.from_mapping({"pairing": {"window_ns": 100.0}})
    other = run([raw], recipe=recipe)
    different = other.differences(result)
    assert "recipe" in different
    assert "ledger" in different
    assert "array dt" in different
    assert other.digest() != result.digest()


def test_masked_pixels_are_left_out(raw: bytes, result: Result) -> None:
    masked = np.zeros((512, 512), dtype=bool)
    masked[:, 256:] = True
    half = run([raw], masked=masked)
    assert half.arrays["singles"][:, 258:].sum() == 0
    assert half.ledger.stages["hits"].rejected["masked"] > 0.3 * half.n_hits
    assert half.ledger.closes


def test_photons_are_kept_only_when_asked_for(raw: bytes, result: Result) -> None:
    assert run([raw]).photons is None
    assert len(result.photons) == result.n_photons == result.arrays["singles"].sum()


def test_nothing_gives_an_empty_result() -> None:
    empty = run([b""])
    assert (empty.n_hits, empty.n_photons, empty.duration_s, empty.acquisitions) == (0, 0, 0.0, 0)
    assert empty.ledger.closes
    assert empty.estimate.net == empty.estimate.net_err == 0.0
