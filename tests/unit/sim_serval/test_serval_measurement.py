"""Measurements: states, counters, bytes in files and streams."""

from __future__ import annotations

import asyncio
import shutil

import numpy as np
import pytest

from sim_iocs.serval import Destination, DetectorConfig, RawChannel, Serval
from twinbeam.simulate import Truth
from twinbeam.tpx3 import Decoder, WordKind, read_hits

LONG = DetectorConfig(exposure_s=0.02, period_s=0.02)


def _files(folder, split: bool = True) -> Destination:
    return Destination(raw=(RawChannel(f"file:{folder}", "a_", split_frames=split),))


def _measured(folder, until, split: bool = True):
    """A coroutine function that makes a whole measurement and gives Serval."""

    async def work(serval: Serval) -> Serval:
        assert (await serval.put_destination(_files(folder, split))).ok
        assert (await serval.start()).ok
        assert serval.status != "DA_IDLE"
        await until(lambda: serval.status == "DA_IDLE")
        return serval

    return work


def test_same_seed_and_states_give_the_same_bytes(with_serval, experiment, until, tmp_path):
    contents = []
    for name, seed in (("one", 1), ("two", 1), ("three", 2)):
        folder = tmp_path / name
        folder.mkdir()
        with_serval(_measured(folder, until), source=experiment(seed))
        contents.append([path.read_bytes() for path in sorted(folder.glob("*.tpx3"))])
    assert len(contents[0]) == 4
    assert contents[0] == contents[1]
    assert contents[0] != contents[2]


@pytest.mark.parametrize("split", [True, False])
def test_counters_are_those_of_the_files(with_serval, until, tmp_path, split):
    serval = with_serval(_measured(tmp_path, until, split))
    run = serval.measurement
    names = sorted(path.name for path in tmp_path.glob("*.tpx3"))
    assert names == [f"a_{n:06d}.tpx3" for n in range(4 if split else 1)]
    hits = read_hits(*(tmp_path / name for name in names))
    assert len(hits) == run.n_hits > 1000
    assert run.n_bytes == sum(path.stat().st_size for path in tmp_path.glob("*.tpx3"))
    assert (run.frames, run.dropped_frames, run.time_left_s) == (4, 0, 0.0)
    assert run.elapsed_s == pytest.approx(0.2)
    assert run.hit_rate_hz == pytest.approx(run.n_hits / 0.2)
    assert run.problem is None
    assert len(Truth.read_parquet(tmp_path / "a_truth.parquet")) > 10


@pytest.mark.parametrize(("interval_s", "n"), [(0.0, 0), (0.05, 4), (0.1, 2)])
def test_global_time_comes_at_its_interval(with_serval, until, tmp_path, interval_s, n):
    config = DetectorConfig(exposure_s=0.19, period_s=0.19, n_triggers=1, global_time_s=interval_s)
    with_serval(_measured(tmp_path, until), config=config)
    decoder = Decoder()
    decoder.feed((tmp_path / "a_000000.tpx3").read_bytes())
    assert decoder.census().count(WordKind.GLOBAL_TIME_LOW) == 4 * n


def test_states_follow_each_other(with_serval, until, tmp_path):
    async def work(serval: Serval) -> list[str]:
        await serval.put_destination(_files(tmp_path))
        await serval.start()
        seen = [serval.status]
        while seen[-1] != "DA_IDLE":
            await asyncio.sleep(0)
            if serval.status != seen[-1]:
                seen.append(serval.status)
        return seen

    assert with_serval(work) == ["DA_STARTING", "DA_RECORDING", "DA_STOPPING", "DA_IDLE"]


def test_one_measurement_at_a_time_and_only_with_a_destination(with_serval, tmp_path):
    async def work(serval: Serval):
        first = await serval.start()
        await serval.put_destination(_files(tmp_path))
        replies = await asyncio.gather(serval.start(), serval.start())
        return first, replies

    first, replies = with_serval(work, config=LONG)
    assert (first.code, first.text) == (409, "Destination is not set.")
    assert [reply.code for reply in replies] == [200, 409]
    assert "DA_" in replies[1].text


def test_stop_ends_the_run_at_once_with_whole_files(with_serval, until, tmp_path):
    async def work(serval: Serval):
        await serval.put_destination(_files(tmp_path, split=False))
        await serval.start()
        await until(lambda: serval.measurement.frames >= 3)
        assert (await serval.stop()).ok
        status, frames = serval.status, serval.measurement.frames
        assert (await serval.stop()).ok  # of no effect
        return status, frames

    status, frames = with_serval(work, config=LONG)
    assert status == "DA_IDLE"
    assert 3 <= frames < 1000
    decoder = Decoder()
    decoder.feed((tmp_path / "a_000000.tpx3").read_bytes())
    assert decoder.census().count(WordKind.SHUTTER_CLOSE) == 4


def test_lost_folder_ends_the_run_and_says_so(with_serval, until, tmp_path):
    folder = tmp_path / "lost"
    folder.mkdir()

    async def work(serval: Serval):
        await serval.put_destination(_files(folder))
        await serval.start()
        await until(lambda: serval.measurement.frames >= 3)
        shutil.rmtree(folder)
        await until(lambda: serval.status == "DA_IDLE")
        return serval.measurement.problem

    assert str(folder) in with_serval(work, config=LONG)


def test_folder_must_exist(with_serval, tmp_path):
    async def work(serval: Serval):
        await serval.put_destination(_files(tmp_path / "absent"))
        return await serval.start(), serval.status

    reply, status = with_serval(work)
    assert reply.code == 400
    assert "the folder does not exist" in reply.text
    assert status == "DA_IDLE"


async def _read_all(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    data = await reader.read()
    writer.close()
    await writer.wait_closed()
    return data


def test_file_and_stream_run_together_with_the_same_bytes(with_serval, until, tmp_path, free_port):
    port = free_port()

    async def work(serval: Serval):
        channels = (*_files(tmp_path).raw, RawChannel(f"tcp://listen@localhost:{port}"))
        await serval.put_destination(Destination(raw=channels))
        assert (await serval.start()).ok
        reading = asyncio.create_task(_read_all(port))
        await until(lambda: serval.measurement.outputs.streams["Raw[0]"].has_reader)
        await until(lambda: serval.status == "DA_RECORDING")
        for frame in range(2):
            await serval.trigger("start")
            await until(lambda frame=frame: serval.measurement.frames > frame)
        return await asyncio.wait_for(reading, 30), serval.measurement

    config = DetectorConfig("SOFTWARESTART_TIMERSTOP", exposure_s=0.1, n_triggers=2)
    data, run = with_serval(work, config=config)
    files = b"".join(path.read_bytes() for path in sorted(tmp_path.glob("*.tpx3")))
    assert len(files) == run.n_bytes > 10_000
    assert data == files
    assert run.outputs.n_dropped == 0


def test_stream_connects_to_a_program_and_finds_it_again(with_serval, until, tmp_path):
    received: list[bytes] = []
    connections: list[int] = []

    async def take(reader, writer):
        # the first connection is hung up after some bytes
        connections.append(1)
        received.append(await (reader.read() if received else reader.read(100)))
        writer.close()

    async def work(serval: Serval):
        server = await asyncio.start_server(take, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        channel = RawChannel(f"tcp://connect@localhost:{port}")
        await serval.put_destination(Destination(raw=(channel,)))
        async with server:
            assert (await serval.start()).ok
            stream = serval.measurement.outputs.streams["Raw[0]"]
            await until(lambda: len(connections) == 2)
            n_sent = stream.n_sent
            await until(lambda: stream.n_sent > n_sent + 400)
            await serval.stop()
            await until(lambda: len(received) == 2)

    with_serval(work, config=LONG)
    assert received[0][:4] == b"TPX3"
    decoder = Decoder()
    start = received[1].find(b"TPX3")
    assert start == 0  # the queue holds whole chunks
    decoder.feed(received[1])
    assert decoder.census().n_hits > 100
    assert decoder.census().resyncs == 0


def test_nobody_listens_where_a_stream_connects(with_serval, free_port):
    async def work(serval: Serval):
        channel = RawChannel(f"tcp://connect@localhost:{free_port()}")
        await serval.put_destination(Destination(raw=(channel,)))
        return await serval.start(), serval.status

    reply, status = with_serval(work)
    assert reply.code == 400
    assert "Connection refused" in reply.text
    assert status == "DA_IDLE"


def test_full_queue_drops_the_oldest_chunks_and_counts_them(with_serval, until, free_port):
    port = free_port()

    async def work(serval: Serval):
        channel = RawChannel(f"tcp://listen@localhost:{port}", queue_size=50)
        await serval.put_destination(Destination(raw=(channel,)))
        await serval.start()
        await until(lambda: serval.measurement.frames >= 10)
        stream = serval.measurement.outputs.streams["Raw[0]"]
        dropped, sent = stream.n_dropped, stream.n_sent
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        first = await reader.read(24)
        writer.close()
        await writer.wait_closed()
        return dropped, sent, first

    dropped, sent, first = with_serval(work, config=LONG)
    assert dropped > 50
    assert sent == 0
    # the packet ids of a chip count from 0: the first ones are gone
    assert first[:4] == b"TPX3"
    assert int.from_bytes(first[8:14], "little") > 0


def test_busy_port_refuses_the_start_or_moves(with_serval, until, free_port):
    async def work(serval: Serval):
        async with await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0) as other:
            port = other.sockets[0].getsockname()[1]
            channel = RawChannel(f"tcp://listen@localhost:{port}")
            await serval.put_destination(Destination(raw=(channel,)))
            reply = await serval.start()
            moved = None
            if reply.ok:
                moved = serval.measurement.outputs.streams["Raw[0]"].address.port
            return reply, port, moved

    reply, port, moved = with_serval(work)
    assert reply.code == 400
    assert f":{port}': Address already in use." in reply.text
    assert moved is None
    reply, port, moved = with_serval(work, moves_busy_ports=True)
    assert reply.ok
    assert moved > port


def test_software_opens_and_closes_the_shutter(with_serval, until, tmp_path):
    async def work(serval: Serval):
        refused = [await serval.trigger("start")]
        await serval.put_destination(_files(tmp_path))
        await serval.start()
        await until(lambda: serval.measurement.elapsed_s > 0.1)
        dark = serval.measurement.n_hits
        for frame in range(2):
            assert (await serval.trigger("start")).ok
            seen = serval.measurement.n_hits
            await until(lambda seen=seen: serval.measurement.n_hits > seen + 500)
            assert (await serval.trigger("stop")).ok
            await until(lambda frame=frame: serval.measurement.frames == frame + 1)
        await until(lambda: serval.status == "DA_IDLE")
        return refused, dark

    config = DetectorConfig("SOFTWARESTART_SOFTWARESTOP", n_triggers=2)
    refused, dark = with_serval(work, config=config)
    assert [reply.code for reply in refused] == [409]
    assert dark < 1000
    assert len(list(tmp_path.glob("*.tpx3"))) == 2


def test_edges_on_the_input_make_frames(with_serval, until, tmp_path):
    async def work(serval: Serval):
        await serval.put_destination(_files(tmp_path))
        await serval.start()
        refused = await serval.trigger("start") if serval.status == "DA_RECORDING" else None
        for frame in range(3):
            serval.edge(rising=True)
            await until(lambda frame=frame: serval.measurement.frames == frame + 1)
        await until(lambda: serval.status == "DA_IDLE")
        return refused

    config = DetectorConfig("PEXSTART_TIMERSTOP", exposure_s=0.05, n_triggers=3)
    refused = with_serval(work, config=config)
    assert refused is None or refused.code == 409
    assert len(list(tmp_path.glob("*.tpx3"))) == 3


def test_generator_triggers_by_itself(with_serval, until, tmp_path):
    config = DetectorConfig("PEXSTART_TIMERSTOP", exposure_s=0.02, n_triggers=4)
    serval = with_serval(_measured(tmp_path, until), config=config, edges_hz=10.0)
    assert serval.measurement.frames == 4
    assert serval.measurement.elapsed_s == pytest.approx(0.37, abs=0.1)


def test_files_get_their_last_bytes_late(with_serval, until, tmp_path):
    async def work(serval: Serval):
        await serval.put_destination(_files(tmp_path, split=False))
        await serval.start()
        await until(lambda: serval.status == "DA_IDLE")
        at_end = (tmp_path / "a_000000.tpx3").stat().st_size
        whole = serval.measurement.n_bytes
        await until(lambda: (tmp_path / "a_000000.tpx3").stat().st_size == whole)
        return at_end, whole

    at_end, whole = with_serval(work, complete_after_s=3.0)
    assert at_end < whole


def test_two_million_hits_a_second_in_real_time_are_possible(experiment):
    """The work of a slice apart from waiting; the figure for one core stands in the docs."""
    from sim_iocs.serval.chunks import see

    source = experiment(background_rate_hz=1.3e6)
    source.start()
    data = source.advance(0.05)
    assert see(data).n_hits == pytest.approx(0.05 * 1.5e6, rel=0.2)
    assert np.unique(see(data).pixel).size > 50_000
