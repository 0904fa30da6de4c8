"""The truth about photons and hits, against the raw data and the clusters found in it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from streams import Acquisition, acquire

from twinbeam.errors import RawDataError
from twinbeam.photons import Clustering, PhotonFinder, Photons, Response
from twinbeam.physics import silicon_efficiency
from twinbeam.simulate import HitTruth, PhotonKind, PhotonTruth, Truth, read_truth, simulate
from twinbeam.simulate.parameters import SimulationParameters
from twinbeam.tpx3 import TICK_NS, Decoder


@pytest.fixture(scope="module")
def calm() -> Acquisition:
    """A rate at which photons hardly ever overlap."""
    return acquire(3.0, background_rate_hz=1e4, pair_rate_hz=500.0, dark_rate_hz=100.0)


def test_photons_are_in_order_and_add_up(calm: Acquisition) -> None:
    photons = calm.photons
    assert np.all(np.diff(photons.t) >= 0)
    n_hits = np.bincount(calm.hits.photon, minlength=len(photons))
    assert np.array_equal(n_hits, photons.n_hits)
    assert np.array_equal(photons.recorded, photons.n_hits > 0)
    counts = calm.counts
    assert counts.photons == len(photons) == sum(counts.photons_by_kind.values())
    assert counts.photons_recorded == np.count_nonzero(photons.recorded)
    assert counts.hits == len(calm.hits)
    for kind in PhotonKind:
        assert counts.photons_by_kind[kind.label] == np.count_nonzero(photons.kind == kind)


def test_photons_know_their_pairs(calm: Acquisition) -> None:
    photons, pairs = calm.photons, calm.pairs
    assert calm.counts.pairs_on_sensor == len(pairs) > 1200
    assert calm.counts.pairs_detected == np.count_nonzero(pairs.detected)
    for kind, x, y, e in (
        (PhotonKind.SIGNAL, pairs.x1, pairs.y1, pairs.e1),
        (PhotonKind.IDLER, pairs.x2, pairs.y2, pairs.e2),
    ):
        mine = photons[(photons.kind == kind) & (photons.pair >= 0)]
        assert np.array_equal(np.sort(mine.pair), np.arange(len(pairs)))
        assert np.array_equal(mine.t, pairs.t[mine.pair])
        for name, column in (("x", x), ("y", y), ("energy_kev", e)):
            assert np.allclose(getattr(mine, name), column[mine.pair], rtol=1e-6)
    seen = np.bincount(photons.pair[(photons.pair >= 0) & photons.recorded], minlength=len(pairs))
    assert np.array_equal(seen == 2, pairs.detected)
    single = photons[photons.pair < 0]
    assert np.any(single.kind == PhotonKind.SIGNAL)
    assert not np.any(
        np.isin(photons.kind[photons.pair >= 0], [PhotonKind.ELASTIC, PhotonKind.DARK])
    )


def test_silicon_stops_soft_photons_more_often() -> None:
    made = acquire(1.0, pair_rate_hz=5000.0, background_rate_hz=0.0, cloud_um=0.1)
    twins = made.photons[made.photons.kind <= PhotonKind.IDLER]
    for low, high in ((6.5, 8.5), (9.5, 12.0)):
        band = twins[(twins.energy_kev > low) & (twins.energy_kev < high)]
        expected = silicon_efficiency(band.energy_kev).mean()
        assert band.recorded.mean() == pytest.approx(expected, abs=0.02)
        assert len(band) > 1000


def components(hits: HitTruth) -> np.ndarray:
    """Label of each hit's cluster: touching pixels within 200 ns, by a library."""
    order = np.argsort(hits.t, kind="stable")
    t, x, y = (getattr(hits, name)[order].astype(np.int64) for name in ("t", "x", "y"))
    one, two = [], []
    lag = 1
    while True:
        close = t[lag:] - t[:-lag] <= 128
        if not close.any():
            break
        touch = close & (np.abs(x[lag:] - x[:-lag]) <= 1) & (np.abs(y[lag:] - y[:-lag]) <= 1)
        rows = np.flatnonzero(touch)
        one.append(rows)
        two.append(rows + lag)
        lag += 1
    edges = np.concatenate(one), np.concatenate(two)
    graph = coo_array((np.ones(edges[0].size), edges), shape=(t.size, t.size))
    label = np.empty(t.size, dtype=np.int64)
    label[order] = connected_components(graph, directed=False)[1]
    return label


def test_nearly_every_photon_is_exactly_one_cluster(calm: Acquisition) -> None:
    label = components(calm.hits)
    both = np.unique(np.stack([calm.hits.photon, label]), axis=1)
    clusters = np.bincount(both[0], minlength=len(calm.photons))
    sources = np.bincount(both[1])
    whole = clusters[both[0]] == 1
    alone = sources[both[1]] == 1
    share = np.count_nonzero(whole & alone) / calm.counts.photons_recorded
    assert share > 0.999


def found(made: Acquisition) -> Photons:
    finder = PhotonFinder(Clustering(), Response())
    photons, _ = finder.feed(Decoder().feed(made.raw))
    return Photons.concatenate((photons, finder.finish()))


def test_the_package_finds_the_photons(calm: Acquisition) -> None:
    photons, hits = found(calm), calm.hits
    assert len(photons) == pytest.approx(calm.counts.photons_recorded, rel=1e-3)
    true_tot = np.bincount(hits.photon, hits.tot_ns, minlength=len(calm.photons)).astype(int)
    real = np.flatnonzero(calm.photons.recorded)
    # for each true photon: is there one found within 100 ns, with its hits and its ToT?
    window = 100 / TICK_NS
    first = np.searchsorted(photons.t, calm.photons.t[real] - window)
    last = np.searchsorted(photons.t, calm.photons.t[real] + window)
    matched = [
        bool(
            np.any(
                (photons.n_hits[a:b] == calm.photons.n_hits[row])
                & (photons.tot_ns[a:b] == true_tot[row])
                & (np.abs(photons.x[a:b] - calm.photons.x[row]) < 2)
                & (np.abs(photons.y[a:b] - calm.photons.y[row]) < 2)
            )
        )
        for row, a, b in zip(real, first, last, strict=True)
    ]
    assert np.mean(matched) > 0.999


def test_tables_on_disk_are_those_of_the_experiment(tmp_path) -> None:
    names = {Truth: "pairs", PhotonTruth: "photons", HitTruth: "hits"}
    paths = {table: tmp_path / f"{name}.parquet" for table, name in names.items()}
    done: list[float] = []
    counts = simulate(
        tmp_path / "a.tpx3",
        seconds=0.5,
        seed=1,
        parameters=SimulationParameters(sample="none", background_rate_hz=1.2e6),
        truth=paths[Truth],
        truth_photons=paths[PhotonTruth],
        truth_hits=paths[HitTruth],
        on_progress=done.append,
    )
    made = acquire(0.5, background_rate_hz=1.2e6)
    assert (tmp_path / "a.tpx3").read_bytes() == made.raw
    assert read_truth(paths[Truth], Truth).equals(made.pairs)
    assert read_truth(paths[PhotonTruth], PhotonTruth).equals(made.photons)
    assert read_truth(paths[HitTruth], HitTruth).equals(made.hits)
    assert counts == made.counts
    assert sum(done) == pytest.approx(0.5)
    assert len(list(tmp_path.iterdir())) == 4
    with pytest.raises(RawDataError, match="no readable truth table"):
        read_truth(paths[Truth], HitTruth)
