"""Hits, energies and clusters against tpx3awkward, which the users of the beamline have today.

Known differences, all taken off before anything is compared:

* tpx3awkward adds to every time 1 to 16 ticks that depend on the double column of the *sensor*. No
  recorded file shows that its times need it.
* It drops hits of ToT 0.
* Its clock counts from the last reset of the detector, ours does not go back: after a T0 reset, and
  before the first word of global time, times may differ by whole turns of 26.8 s.
* It adds the gap of 2 pixels to centroids, we to hits: only photons on the seam differ.
* A cluster is what is near its first hit in time, not what is connected: larger ones may break.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from oracle_data import (
    DATA,
    SIMULATED,
    TURN,
    chunks,
    differing,
    recorded_files,
    rows,
    simulated,
)

from twinbeam.photons import Clustering, PhotonFinder, Photons, Response
from twinbeam.photons.cluster import label_clusters, pixel_map
from twinbeam.simulate import Experiment, SimulationParameters
from twinbeam.tpx3 import TICK_NS, Decoder, Hits, encode_hits

pd = pytest.importorskip("pandas")
tpx3awkward = pytest.importorskip("tpx3awkward", reason="the extra 'oracles' is not installed")
decoding = pytest.importorskip("tpx3awkward.processing.decoding")
corrections = pytest.importorskip("tpx3awkward.processing.corrections")

WINDOW_US, RADIUS_PX = 0.3, 3  # what the group uses


def decoded(raw: bytes) -> pd.DataFrame:
    """Its hits, without its phase term."""
    table, _ = decoding.decode_tpx3_binary(np.frombuffer(raw, dtype=np.uint64))
    phase = (table["x"].to_numpy().astype(np.int64) // 2) % 16
    table["t"] = table["t"].to_numpy().astype(np.int64) - np.where(phase == 0, 16, phase)
    return table


def our_hits(raw: bytes) -> Hits:
    hits = Decoder().feed(raw)
    return hits[hits.tot_ns > 0]


def table_of(hits: Hits) -> pd.DataFrame:
    """Our hits as its table."""
    order = np.lexsort((hits.tot_ns, hits.y, hits.x, hits.t))
    columns = {"x": hits.x, "y": hits.y, "ToT": hits.tot_ns, "t": hits.t, "chip": hits.chip}
    return pd.DataFrame({name: column[order] for name, column in columns.items()})


@pytest.mark.parametrize("name", SIMULATED)
def test_hits_of_simulated_files(name: str) -> None:
    raw = simulated(name)
    hits, theirs = our_hits(raw), decoded(raw)
    assert len(hits) > 20_000
    one = rows(hits.t, hits.x, hits.y, hits.tot_ns, hits.chip)
    other = rows(*(theirs[c].to_numpy() for c in ("t", "x", "y", "ToT", "chip")))
    assert differing(one, other) == 0


@recorded_files()
def test_hits_of_recorded_files(path: Path) -> None:
    raw = path.read_bytes()
    hits = our_hits(raw)
    if not len(hits):  # which it cannot take
        assert not any(np.any(words >> np.uint64(60) == 0xB) for _, words in chunks(raw))
        return
    theirs = decoded(raw)
    one = rows(hits.t % TURN, hits.x, hits.y, hits.tot_ns, hits.chip)
    other = rows(
        theirs["t"].to_numpy() % TURN, *(theirs[c].to_numpy() for c in ("x", "y", "ToT", "chip"))
    )
    assert differing(one, other) == 0


def test_whole_turns_of_the_recorded_clock() -> None:
    path = DATA / "other" / "sophiread_serval32.tpx3"
    if not path.exists():
        pytest.skip("not at hand")
    raw = path.read_bytes()
    hits, theirs = our_hits(raw), decoded(raw)
    one, other = np.sort(hits.t), np.sort(theirs["t"].to_numpy())
    # 120 s with four rollovers: the same times, counted from the same turn
    assert np.array_equal(one, other)


def test_its_phase_term_is_a_sawtooth_on_the_times() -> None:
    """What is taken off is really there, and hits of ToT 0 are really dropped."""
    n = 512
    x = np.arange(n)
    hits = Hits(np.full(n, 10**6), x, np.full(n, 7), np.full(n, 250), np.where(x < 256, 3, 0))
    none = Hits(np.array([10**6]), np.array([5]), np.array([9]), np.array([0]), np.array([3]))
    table, _ = decoding.decode_tpx3_binary(
        np.frombuffer(encode_hits(hits) + encode_hits(none), dtype=np.uint64)
    )
    assert len(table) == n
    table = table.sort_values("x")
    added = table["t"].to_numpy().astype(np.int64) - 10**6
    assert np.array_equal(added, 1 + (x // 2 + 15) % 16)


def photons_of(hits: Hits, response: Response, gap_px: int = 2) -> Photons:
    finder = PhotonFinder(Clustering(), response, gap_px)
    return Photons.concatenate([finder.feed(hits)[0], finder.finish()])


def partition(labels: np.ndarray) -> set[tuple[int, ...]]:
    order = np.argsort(labels, kind="stable")
    borders = np.flatnonzero(np.diff(labels[order])) + 1
    return {tuple(group.tolist()) for group in np.split(order, borders)}


@pytest.fixture(scope="module")
def quiet() -> Hits:
    """Half a second at 5·10⁴ photons per second, where photons hardly ever overlap."""
    parameters = SimulationParameters(pair_rate_hz=0.0, background_rate_hz=5e4, sample="none")
    experiment = Experiment(parameters, seed=8)
    raw = b"".join([experiment.start(), experiment.advance(0.5), experiment.stop()])
    return our_hits(raw)


def test_clusters_are_the_same_sets_of_hits(quiet: Hits) -> None:
    table = table_of(quiet)
    tpx3awkward.cluster_decoded_df(table, WINDOW_US, RADIUS_PX)
    theirs = partition(table["cluster_id"].to_numpy())
    window = int(Clustering().window_ns / TICK_NS)
    columns = (table[name].to_numpy() for name in ("t", "x", "y"))
    labels = label_clusters(*columns, window, window * 50, pixel_map())
    ours = partition(labels)
    assert len(ours) > 20_000
    assert len(ours & theirs) / max(len(ours), len(theirs)) > 0.999


def test_photons_are_the_same_centroids_and_times(quiet: Hits) -> None:
    """All the way: our photons, weighted by ToT as its are, against its table."""
    # a response of E ∝ ToT makes the energy-weighted centroid the ToT-weighted one
    linear = Response(a_ns_per_kev=25.0, b_ns=0.0, c_ns_kev=0.0, t_kev=0.0, timewalk_ns=0.0)
    photons = photons_of(quiet, linear)
    table = tpx3awkward.cluster_decoded_df(table_of(quiet), WINDOW_US, RADIUS_PX)
    for axis in ("xc", "yc"):
        table.loc[table[axis] >= 255.5, axis] += 2
    ours = rows(photons.t, photons.tot_ns, photons.n_hits)
    theirs = rows(*(table[name].to_numpy() for name in ("t", "ToT_sum", "n")))
    _, counts = np.unique(np.concatenate((ours, theirs)), axis=0, return_counts=True)
    assert np.count_nonzero(counts == 2) / max(len(ours), len(theirs)) > 0.999
    inner = photons[photons.flags & 1 == 0]
    at = pd.DataFrame(
        {"t": inner.t.astype(np.uint64), "x": inner.x, "y": inner.y, "n": inner.n_hits}
    )
    joint = at.merge(table, on=["t", "n"])
    joint = joint[np.hypot(joint.x - joint.xc, joint.y - joint.yc) < 1.5]
    assert len(joint) > 0.998 * len(inner)
    assert np.abs(joint.x - joint.xc).max() < 1e-3
    assert np.abs(joint.y - joint.yc).max() < 1e-3


def test_energies_by_the_recorded_response_of_every_pixel(quiet: Hits) -> None:
    path = DATA / "chx" / "tot_energy_abct_512x512x4.npy"
    if not path.exists():
        pytest.skip("not at hand")
    table = np.load(path)
    single = quiet[:3000]
    theirs = corrections.estimate_energies(
        single.x.astype(np.int64), single.y.astype(np.int64), single.tot_ns, table
    )
    response = Response.from_mapping({"per_pixel": str(path), "timewalk_ns": 0.0})
    # far apart in time, so that every hit is a photon
    apart = Hits(10**6 * np.arange(len(single)), single.x, single.y, single.tot_ns, single.chip)
    photons = photons_of(apart, response)
    good = np.isfinite(theirs) & (theirs > 0.01)
    assert np.count_nonzero(good) > 0.99 * len(single)
    assert np.allclose(photons.energy_kev[good], theirs[good], atol=1e-4)


def test_the_timewalk_is_the_same(quiet: Hits) -> None:
    response = Response(timewalk_ns=167.0, timewalk_decay_per_ns=0.016)
    n = 200
    hits = Hits(
        10**6 * np.arange(1, n + 1),
        np.full(n, 9),
        np.full(n, 9),
        25 * np.arange(1, n + 1),
        np.full(n, 3),
    )
    photons = photons_of(hits, response)
    ticks = corrections.timewalk_corr(hits.t.astype(np.uint64), hits.tot_ns, 167.0, -0.016)
    # its times are whole ticks, ours sixteenths
    assert np.abs(photons.t - ticks.astype(np.float64)).max() <= 1.0
