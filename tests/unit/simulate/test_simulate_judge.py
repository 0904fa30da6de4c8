"""Found pairs against emitted ones."""

from __future__ import annotations

import numpy as np
import pytest

from twinbeam.pairs import Pairs
from twinbeam.simulate import Truth, judge


def test_most_detected_pairs_are_found_and_most_found_ones_are_true(default) -> None:
    verdict = judge(default.result.pairs, default.truth)
    assert verdict.on_sensor == len(default.truth)
    assert verdict.detected == np.count_nonzero(default.truth.detected) > 500
    assert verdict.found == default.result.estimate.n_prompt
    assert verdict.efficiency is not None
    assert verdict.purity is not None
    assert verdict.efficiency > 0.9
    assert verdict.purity > 0.98


def test_net_pairs_agree_with_the_truth(bare) -> None:
    verdict = judge(bare.result.pairs, bare.truth)
    estimate = bare.result.estimate
    assert abs(estimate.net - verdict.matched) < 4 * estimate.net_err
    assert verdict.efficiency is not None
    assert verdict.efficiency > 0.9


def test_no_coincidences_behind_the_spokes_in_either_image(default) -> None:
    pairs = default.result.pairs[default.result.pairs.replica == 0]
    assert len(pairs) > 400
    for x, y, sign in ((pairs.x1, pairs.y1, 1.0), (pairs.x2, pairs.y2, -1.0)):
        azimuth = np.arctan2(sign * (y - 258), sign * (x - 258)) / np.pi * 9
        # stay away from the borders of the sectors, which a pixel blurs
        inside = np.abs(azimuth - np.floor(azimuth) - 0.5) < 0.4
        opaque = np.floor(azimuth) % 2 == 1
        behind = np.count_nonzero(inside & opaque)
        beside = np.count_nonzero(inside & ~opaque)
        assert behind <= 0.02 * beside


def test_photons_land_where_they_were_sent(bare) -> None:
    pairs, truth = bare.result.pairs, bare.truth[bare.truth.detected]
    pairs = pairs[pairs.replica == 0]
    near = np.clip(np.searchsorted(truth.t, pairs.t - 100), 0, len(truth) - 1)
    off = np.stack([pairs.x1 - truth.x1[near], pairs.y1 - truth.y1[near]])
    close = np.hypot(*off) < 3
    assert close.mean() > 0.9
    # the centroid keeps the bias of pixels, at most that of a uniform one
    assert np.all(np.abs(off[:, close].mean(axis=1)) < 0.03)
    assert off[:, close].std() < 0.33


def rows(table: type, n: int, **columns: object):
    return table(**{name: columns.get(name, np.zeros(n)) for name in table.DTYPES})


def test_a_true_pair_is_counted_once() -> None:
    truth = rows(Truth, 1, detected=np.ones(1))
    pairs = rows(Pairs, 3, replica=[0, 0, 1])
    verdict = judge(pairs, truth)
    assert (verdict.found, verdict.matched, verdict.efficiency, verdict.purity) == (2, 1, 1.0, 0.5)


@pytest.mark.parametrize(
    ("change", "matched"),
    [({"x1": [3.0]}, 1), ({"x1": [3.1]}, 0), ({"y2": [-3.1]}, 0), ({"t": [129.0]}, 0)],
)
def test_a_match_is_near_in_time_and_place(change: dict, matched: int) -> None:
    truth = rows(Truth, 1, detected=np.ones(1))
    assert judge(rows(Pairs, 1, **change), truth).matched == matched


def test_undetected_pairs_cannot_be_found() -> None:
    verdict = judge(rows(Pairs, 1), rows(Truth, 1))
    assert (verdict.on_sensor, verdict.detected, verdict.matched) == (1, 0, 0)
    assert verdict.efficiency is None
    assert judge(Pairs.empty(), Truth.empty()).purity is None
