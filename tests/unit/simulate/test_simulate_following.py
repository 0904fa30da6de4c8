"""What stands in the way of the photons may move, and lets them pass by their energy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from twinbeam.simulate import Experiment, SimulationParameters
from twinbeam.simulate._response_kernel import uniform
from twinbeam.simulate._word_kernel import hit_words
from twinbeam.simulate.keyed import keyed_uniform
from twinbeam.simulate.order import stable_order
from twinbeam.tpx3 import pixel_words

START = SimulationParameters(background_rate_hz=2e5, pair_rate_hz=2000.0, sample="none")


class HalfAt10:
    """Everything of 10 keV and more passes by half, and nothing softer, in the upper half."""

    def transmission(self, x_px: Any, y_px: Any, energy_kev: Any) -> Any:
        return np.where(y_px <= 0.0, 1.0, np.where(energy_kev >= 10.0, 0.5, 0.0))


def photons_in(experiment: Experiment, seconds: float) -> Any:
    experiment.take_photons()
    experiment.advance(seconds)
    return experiment.take_photons()


def test_background_follows_the_beam_stop_within_an_acquisition() -> None:
    experiment = Experiment(START, seed=2, keep_photons=True)
    hidden = lambda p: int(np.sum(np.maximum(abs(p.x - 258), abs(p.y - 258)) < 104))  # noqa: E731
    assert hidden(photons_in(experiment, 0.05)) > 500
    experiment.parameters = START.model_copy(update={"beam_stop_px": 105.0})
    assert hidden(photons_in(experiment, 0.05)) < 10, "dark photons only"
    experiment.parameters = START
    assert hidden(photons_in(experiment, 0.05)) > 500


def test_nothing_moves_means_the_same_bytes() -> None:
    one, two = Experiment(START, seed=2), Experiment(START, seed=2)
    for _ in range(4):
        two.parameters = START.model_copy()
        assert one.advance(0.013) == two.advance(0.013)


def test_pairs_change_with_their_rate_within_an_acquisition() -> None:
    experiment = Experiment(START, seed=2)
    experiment.advance(0.3)
    before = len(experiment.take_truth())
    experiment.parameters = START.model_copy(update={"pair_rate_hz": 0.0})
    experiment.advance(0.3)
    assert before > 400
    assert len(experiment.take_truth()) == 0


def test_a_mask_takes_photons_by_their_energy() -> None:
    parameters = START.model_copy(update={"sample": "spokes"})
    experiment = Experiment(parameters, seed=2, keep_photons=True, mask=HalfAt10())
    bare = Experiment(parameters.model_copy(update={"sample": "none"}), seed=2, keep_photons=True)
    photons, all_photons = photons_in(experiment, 0.2), photons_in(bare, 0.2)
    for lower, share in ((True, 1.0), (False, 0.5)):
        n, n_all = (int(np.sum((p.y < 256) == lower)) for p in (photons, all_photons))
        assert n == pytest.approx(share * n_all, rel=0.06)
    signal = experiment.take_truth()
    assert not signal.transmitted[signal.e1 < 10.0].any()
    assert 0.2 < signal.transmitted[signal.e1 >= 10.0].mean() < 0.8


def test_a_sample_that_moves_takes_its_shadow_along() -> None:
    def shadow(dy_px: float) -> int:
        changed = {"sample": "spokes", "sample_offset_px": (0.0, dy_px)}
        moved = Experiment(
            START.model_copy(update=changed), seed=2, keep_photons=True, mask=HalfAt10()
        )
        photons = photons_in(moved, 0.1)
        return int(np.sum((photons.y > 258.0) & (photons.y < 340.0)))

    assert shadow(100.0) == pytest.approx(2 * shadow(0.0), rel=0.1)


def test_numbers_of_a_key_are_those_of_the_kernel() -> None:
    keys = np.random.default_rng(1).integers(0, 2**64, 100, dtype=np.uint64)
    for draw in (0, 27, 28):
        assert keyed_uniform(keys, draw).tolist() == [uniform(key, draw) for key in keys]


def test_a_quick_order_is_the_stable_one() -> None:
    rng = np.random.default_rng(1)
    for n, different in ((0, 1), (1, 1), (2000, 3), (5000, 4000), (5000, 10**9)):
        values = rng.integers(0, different, n).astype(np.float64)
        assert stable_order(values).tolist() == np.argsort(values, kind="stable").tolist()


def test_words_are_those_of_the_format() -> None:
    rng = np.random.default_rng(1)
    t = np.concatenate((rng.integers(0, 2**36, 500), [0, 1, 15, 16, 2**34 - 1, 2**34]))
    x, y = rng.integers(0, 512, (2, t.size))
    tot = rng.integers(0, 30_000, t.size)
    words, chips = np.empty(t.size, np.uint64), np.empty(t.size, np.uint8)
    hit_words(t, x, y, tot, words, chips)
    wanted, of_chip = pixel_words(t, x, y, tot)
    assert words.tolist() == wanted.tolist()
    assert chips.tolist() == of_chip.tolist()
