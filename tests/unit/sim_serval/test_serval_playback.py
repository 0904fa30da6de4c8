"""Recordings, once and in a loop whose clock goes on."""

from __future__ import annotations

import numpy as np
import pytest

from sim_iocs.serval import Recording
from twinbeam.errors import RawDataError
from twinbeam.tpx3 import TICK_NS, Decoder, Note, WordKind, read_hits


@pytest.fixture
def path(experiment, tmp_path):
    def write(duration_s: float = 0.3, **changes):
        source = experiment(seed=3, tdc_hz=40.0, **changes)
        file = tmp_path / "recorded.tpx3"
        file.write_bytes(source.start() + source.advance(duration_s) + source.stop())
        return file

    return write


def _play(recording: Recording, n: int, step_s: float) -> Decoder:
    decoder = Decoder(tdc=True)
    parts = [recording.start(), *(recording.advance(step_s) for _ in range(n)), recording.stop()]
    decoder.hits = [decoder.feed(part) for part in parts]
    return decoder


def test_played_once_it_is_the_file_and_then_silence(path):
    recording = Recording(path())
    data = recording.start() + b"".join(recording.advance(0.05) for _ in range(20))
    assert data == path().read_bytes()
    assert recording.advance(1.0) == b""
    assert recording.start() + recording.advance(10.0) == data


def test_data_come_in_proportion_to_time(path):
    recording = Recording(path())
    recording.start()
    half = len(recording.advance(0.15))
    assert half == pytest.approx(path().stat().st_size / 2, rel=0.1)


@pytest.mark.parametrize("clock_start_s", [0.0, 26.5, 107.0, 4000.0])
@pytest.mark.parametrize("step_s", [0.05, 1.0])
def test_loop_is_one_long_acquisition(path, clock_start_s, step_s):
    file = path(clock_start_s=clock_start_s)
    recording = Recording(file, loop=True)
    rounds = 120  # more than a rollover of the pixels' counter
    n = round(rounds * recording.duration_s / step_s) + 1
    decoder = _play(recording, n, step_s)
    census = decoder.census()
    one = Decoder(tdc=True)
    one.feed(file.read_bytes())
    n_hits, n_edges = one.census().n_hits, len(one.take_tdc())
    # counted on its own: whole rounds, and a part of one more
    n_rounds = int(n * step_s / recording.duration_s)
    assert n_rounds >= rounds
    assert n_rounds * n_hits <= census.n_hits <= (n_rounds + 1) * n_hits
    # the clock goes on over every border, and no number of a packet is missing
    t = np.concatenate([hits.t for hits in decoder.hits])
    assert np.diff(t).min() > -2.5e6 / TICK_NS
    assert np.diff(t).max() < 0.01 * 1e9 / TICK_NS
    span_s = (int(t.max()) - int(t.min())) * TICK_NS * 1e-9
    assert span_s == pytest.approx(n * step_s, abs=0.4)
    for note in (Note.T0_RESET, Note.HIT_OFF_CLOCK, Note.ANCHOR_OFF_CLOCK, Note.PACKET_GAP):
        assert census.notes[note].count == 0, note
    edges = decoder.take_tdc()
    assert n_rounds * n_edges <= len(edges) <= (n_rounds + 1) * n_edges
    assert np.all(np.diff(edges.t_steps) > 0)


def test_hits_of_the_second_round_are_those_of_the_first_later(path):
    file = path()
    recording = Recording(file, loop=True)
    recording.start()
    data = recording.advance(2 * recording.duration_s - 1e-9) + recording.advance(1e-6)
    decoder = Decoder()
    hits = decoder.feed(data)
    first = read_hits(file)
    assert len(hits) == 2 * len(first)
    later = hits[np.arange(len(first), 2 * len(first))]
    assert np.unique(later.t - first.t).tolist() == [round(recording.duration_s * 1e9 / TICK_NS)]
    for name in ("x", "y", "tot_ns"):
        assert np.array_equal(getattr(later, name), getattr(first, name))


def test_bytes_in_no_chunk_stay_where_they_are(path, tmp_path):
    data = path().read_bytes()
    at = data.find(b"TPX3", len(data) // 2)
    damaged = tmp_path / "damaged.tpx3"
    damaged.write_bytes(data[:at] + b"noise" + data[at:])
    recording = Recording(damaged, loop=True)
    decoder = _play(recording, 8, recording.duration_s / 2)
    census = decoder.census()
    assert census.resyncs in (3, 4)
    assert census.n_hits >= 3 * read_hits(damaged).t.size


def test_old_recordings_loop_too(path):
    recording = Recording(path(serval="2"), loop=True)
    census = _play(recording, 20, recording.duration_s / 4).census()
    assert census.count(WordKind.PACKET_ID) == 0
    assert census.notes[Note.HIT_OFF_CLOCK].count == 0


def test_reset_clock_cannot_be_looped(path):
    file = path(stale_clock_s=5000.0)
    with pytest.raises(RawDataError, match="reset"):
        Recording(file, loop=True)
    assert Recording(file).duration_s == pytest.approx(0.3, abs=0.05)


def test_something_else_is_refused(tmp_path):
    text = tmp_path / "text.tpx3"
    text.write_text("this is no raw file")
    with pytest.raises(RawDataError):
        Recording(text)
