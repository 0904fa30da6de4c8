"""Pixels that do not count, ceilings, responses of single pixels, edges along the gap."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from photon_streams import DATA, find, hits_of

from twinbeam.errors import RecipeError
from twinbeam.pairs import Pairing
from twinbeam.pairs.region_file import read_regions
from twinbeam.parameters import FileReference
from twinbeam.photons import (
    PIXEL_REASONS,
    Clustering,
    PhotonFinder,
    Photons,
    Response,
    ResponseTables,
    pixel_rules,
)
from twinbeam.physics import Geometry, energy_from_tot_kev
from twinbeam.physics.timewalk import timewalk_pole_ns
from twinbeam.tpx3 import Hits, chip_of

ABCT = DATA / "chx" / "tot_energy_abct_512x512x4.npy"


def pixel_file(folder: Path, **arrays: np.ndarray) -> FileReference:
    path = folder / "pixels.npz"
    np.savez(path, **arrays)
    return FileReference.of(path)


def photons_of(rows: list[tuple[int, int, int, int]], **options: object) -> Photons:
    finder = PhotonFinder(**{"clustering": Clustering(), "response": Response(), **options})
    finder.feed(hits_of(rows))
    return finder.finish()


def test_every_reason_and_the_ceiling_are_counted_by_name(tmp_path: Path) -> None:
    reason = np.zeros((512, 512), np.uint8)
    for code in range(1, 5):
        reason[20, 10 * code] = code  # y, x
    ceiling = np.full((512, 512), 60_000, np.uint16)
    ceiling[30, 30] = 250
    geometry = Geometry(pixels=pixel_file(tmp_path, reason=reason, tot_ceiling_ns=ceiling))
    finder = PhotonFinder(Clustering(), Response(), 2, pixel_rules(geometry))
    rows = [(1000 * i, 10 * code, 20, 9) for i, code in enumerate((1, 2, 2, 3, 3, 3, 4))]
    rows += [(9000, 30, 30, 10), (10_000, 30, 30, 11), (11_000, 31, 30, 1022)]
    finder.feed(hits_of(rows))
    photons = finder.finish()
    assert photons.tot_ns.tolist() == [250, 1022 * 25]
    rejected = {name: n for name, n in finder.rejected.items() if n}
    assert rejected == {"masked": 1, "hot": 2, "dead": 3, "beam_stop": 1, "tot_ceiling": 1}
    assert list(rejected)[:4] == list(PIXEL_REASONS)


def test_the_beam_stop_hides_a_square_around_the_axis() -> None:
    rules = pixel_rules(Geometry(centre_px=(258.0, 100.0), beam_stop_half_px=5.0))
    hidden = rules >> 10 == 1 + PIXEL_REASONS.index("beam_stop")
    y, x = np.nonzero(hidden)
    # the columns 256 and 257 of the grid are in the gap
    assert sorted({int(v) for v in x}) == [253, 254, 255, *range(256, 262)]
    assert (y.min(), y.max()) == (95, 105)


def test_without_anything_to_hide_there_are_no_rules() -> None:
    assert pixel_rules(Geometry()).size == 0


@pytest.mark.parametrize(
    ("arrays", "what"),
    [
        ({"reason": np.zeros((512, 511), np.uint8)}, "512 x 512"),
        ({"reason": np.zeros((512, 512))}, "512 x 512"),
        ({"reason": np.full((512, 512), 9, np.uint8)}, "codes"),
        ({"mask": np.zeros((512, 512), bool)}, "mask"),
        (
            {
                "reason": np.zeros((512, 512), np.uint8),
                "tot_ceiling_ns": np.full((512, 512), -1, np.int32),
            },
            "tot_ceiling_ns.*below 0",
        ),
    ],
)
def test_wrong_files_are_named(tmp_path: Path, arrays: dict, what: str) -> None:
    with pytest.raises(RecipeError, match=what):
        pixel_rules(Geometry(pixels=pixel_file(tmp_path, **arrays)))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY\x01", b"hello"])
def test_damaged_files_are_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.npz"
    path.write_bytes(content)
    reference = FileReference.of(path)
    with pytest.raises(RecipeError, match=r"damaged\.npz"):
        pixel_rules(Geometry(pixels=reference))
    with pytest.raises(RecipeError, match=r"damaged\.npz"):
        photons_of([], response=Response(per_pixel=reference))
    with pytest.raises(RecipeError, match=r"damaged\.npz"):
        read_regions(Pairing(regions=reference), Geometry())


def test_a_file_of_the_other_kind_is_named(tmp_path: Path) -> None:
    reason = np.zeros((512, 512), np.uint8)
    pixels = pixel_file(tmp_path, reason=reason)
    np.save(tmp_path / "plain.npy", reason)
    plain = FileReference.of(tmp_path / "plain.npy")
    with pytest.raises(RecipeError, match=r"plain\.npy"):
        pixel_rules(Geometry(pixels=plain))
    with pytest.raises(RecipeError, match="npy file"):
        photons_of([], response=Response(per_pixel=pixels))


def test_ceilings_of_any_width_of_integers(tmp_path: Path) -> None:
    ceiling = np.full((512, 512), 2**64 - 1, np.uint64)
    ceiling[3, 4] = 100
    reason = np.zeros((512, 512), np.int64)
    rules = pixel_rules(
        Geometry(pixels=pixel_file(tmp_path, reason=reason, tot_ceiling_ns=ceiling))
    )
    assert (rules[3, 4], rules[3, 5]) == (4, 1023)


def test_steep_responses_do_not_overflow() -> None:
    found = photons_of([(0, 10, 10, 1023), (1, 11, 10, 1023)], response=Response(a_ns_per_kev=1e-3))
    assert found.energy_kev[0] == pytest.approx(2 * 2.0**14)
    assert found.x[0] == 10.5


def test_a_file_that_was_changed_is_refused(tmp_path: Path) -> None:
    geometry = Geometry(pixels=pixel_file(tmp_path, reason=np.zeros((512, 512), np.uint8)))
    pixel_file(tmp_path, reason=np.ones((512, 512), np.uint8))
    with pytest.raises(RecipeError, match="changed"):
        pixel_rules(geometry)


def test_a_response_of_its_own_for_each_pixel(tmp_path: Path) -> None:
    table = np.empty((512, 512, 4))
    table[:] = (25.77, 170.0, 150.0, 2.0)
    table[11, 7] = (20.0, 100.0, 80.0, 1.5)  # x, y
    table[11, 8] = np.nan
    np.save(tmp_path / "abct.npy", table)
    response = Response(per_pixel=FileReference.of(tmp_path / "abct.npy"))
    found = photons_of([(0, 11, 7, 14), (1000, 12, 7, 14), (2000, 11, 8, 14)], response=response)
    common = energy_from_tot_kev(350.0, 25.77, 170.0, 150.0, 2.0)
    own = energy_from_tot_kev(350.0, 20.0, 100.0, 80.0, 1.5)
    assert found.energy_kev == pytest.approx([own, common, common], rel=1e-5)
    assert own - common > 2.0
    assert ResponseTables.of(response).per_pixel.flags.c_contiguous


def test_the_same_response_for_each_pixel_is_the_common_one(tmp_path: Path) -> None:
    table = np.empty((512, 512, 4))
    table[:] = (25.77, 170.0, 150.0, 2.0)
    np.save(tmp_path / "abct.npy", table)
    rng = np.random.default_rng(0)
    rows = [
        (300 * i, *map(int, rng.integers(0, 512, 2)), int(rng.integers(1, 1023)))
        for i in range(500)
    ]
    per_pixel = photons_of(
        rows, response=Response(per_pixel=FileReference.of(tmp_path / "abct.npy"))
    )
    assert per_pixel.equals(photons_of(rows))


def test_the_real_table_gives_the_energies_of_its_formula() -> None:
    if not ABCT.exists():
        pytest.skip("recorded files are not at hand")
    table = np.load(ABCT)
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 512, (2, 300))
    tot = rng.integers(8, 40, 300)
    rows = list(zip(1000 * np.arange(300), x, y, tot, strict=True))
    found = photons_of(rows, response=Response(per_pixel=FileReference.of(ABCT)))
    a, b, c, t = table[x, y].T
    sound = np.isfinite(table[x, y]).all(axis=1) & (a > 0) & (c >= 0)
    expected = energy_from_tot_kev(25.0 * tot, a, b, c, t)
    order = np.argsort(1000 * np.arange(300) - 100 * (tot < 0), kind="stable")
    assert sound.mean() > 0.95
    assert found.energy_kev[sound[order]] == pytest.approx(
        np.maximum(expected[order][sound[order]], 1e-3), rel=1e-4, abs=2e-3
    )


def test_wrong_tables_are_named(tmp_path: Path) -> None:
    np.save(tmp_path / "small.npy", np.zeros((512, 512)))
    with pytest.raises(RecipeError, match="512 x 512 x 4"):
        photons_of([], response=Response(per_pixel=FileReference.of(tmp_path / "small.npy")))


@pytest.mark.parametrize("tot", [9, 14, 30])
def test_the_pole_form_of_the_timewalk(tot: int) -> None:
    response = Response(walk="pole", walk_c_ns_kev=120.0, walk_t_kev=1.0, walk_d_ns=-4.0)
    found = photons_of([(1000, 10, 10, tot)], response=response)
    energy = energy_from_tot_kev(25.0 * tot, 25.77, 170.0, 150.0, 2.0)
    delay = timewalk_pole_ns(energy, 120.0, 1.0, -4.0) / 1.5625
    assert found.t[0] == pytest.approx(1000 - delay, abs=1 / 32 + 1e-3)


def test_the_pole_form_with_a_response_for_each_pixel_is_the_same(tmp_path: Path) -> None:
    table = np.empty((512, 512, 4))
    table[:] = (25.77, 170.0, 150.0, 2.0)
    np.save(tmp_path / "abct.npy", table)
    pole = {"walk": "pole", "walk_c_ns_kev": 120.0, "walk_t_kev": 1.0, "walk_d_ns": -4.0}
    rows = [(3000 * i, 10, 10, i) for i in range(1, 200)]
    per_pixel = Response(per_pixel=FileReference.of(tmp_path / "abct.npy"), **pole)
    assert photons_of(rows, response=per_pixel).equals(photons_of(rows, response=Response(**pole)))


def test_edges_along_the_gap_are_filled_evenly_and_reproducibly() -> None:
    rng = np.random.default_rng(4)
    n = 20_000
    x = rng.choice([254, 255, 256, 257], n)
    y = rng.integers(0, 250, n)
    hits = Hits(1000 * np.arange(n), x, y, np.full(n, 250), chip_of(x, y))
    photons, _ = find([hits], spread_edges=True)
    again, _ = find([hits[: n // 3], hits[n // 3 :]], spread_edges=True)
    assert again.equals(photons)
    column = np.floor(photons.x + 0.5).astype(int)
    counts = {c: int(np.count_nonzero(column == c)) for c in range(254, 260)}
    quarter = n / 4
    assert counts[254] == pytest.approx(quarter, abs=5 * np.sqrt(quarter))
    for c in (255, 256, 257, 258):
        assert counts[c] == pytest.approx(quarter / 2, abs=5 * np.sqrt(quarter / 2))
    # a turn of the counters later the places are the same
    later = Hits(hits.t + (1 << 34), hits.x, hits.y, hits.tot_ns, hits.chip)
    assert np.array_equal(find([later], spread_edges=True)[0].x, photons.x)
