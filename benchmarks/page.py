"""From photon to picture: `python benchmarks/page.py --mhit 1 --seconds 20`.

Writes raw files in real time at a chosen rate, as `benchmarks/live.py` does, and measures how long
after a byte was written a map that holds it was painted in a browser (headless Chromium). The
browser's own clock says when a frame was painted: two animation frames after it was drawn.

The rate that is printed is that of the hits in the data; a little more may have to be asked for to
reach it. On a machine with other work, `chrt -f 10 python benchmarks/page.py` measures the software
and not the scheduler; the load of the machine is printed with the result.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
from live import Writer, latencies_s, simulated_frames
from playwright.sync_api import sync_playwright

from twinbeam.live import LiveLink, new_token
from twinbeam.profile import LiveProcess

#: What is aimed at, at a million hits per second, in seconds.
AIMS_S = {"p50": 0.5, "p99": 1.5}

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mhit", type=float, default=1.0, help="million hits per second (1)")
    parser.add_argument("--seconds", type=int, default=20, help="how long (20)")
    parser.add_argument("--viewers", type=int, default=1, help="browser tabs that look (1)")
    given = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    frames = simulated_frames(given.mhit, given.seconds)
    with tempfile.TemporaryDirectory(prefix="twinbeam-page-") as folder, sync_playwright() as play:
        root = Path(folder)
        (root / "documents").mkdir()
        token = new_token()
        process = LiveProcess(root / "documents", root / "state", token=token, page=True)
        ends = process.endpoints
        link = LiveLink(ends["documents"], ends["results"], ends["control"], token)
        while not link.status(60.0)["warm"]:
            time.sleep(0.1)
        browser = play.chromium.launch(executable_path=chromium, args=list(_FLAGS))
        pages = []
        for _ in range(given.viewers):
            pages.append(browser.new_page(viewport={"width": 1920, "height": 1080}))
            pages[-1].goto(process.page)
            pages[-1].wait_for_function("() => window.twinbeam.state().page != null")
        writer = Writer(root, link)
        for index, data in enumerate(frames):
            writer.frame(index, data, 1.0)
        writer.stop()
        final = link.wait_final(writer.uid, 120.0)
        assert final is not None
        for page in pages:
            page.wait_for_function(
                "n => twinbeam.log.some((frame) => frame.bytes >= n)", arg=writer.written[-1][0]
            )
        painted = [
            [(frame["bytes"], frame["ms"] / 1e3) for frame in page.evaluate("() => twinbeam.log")]
            for page in pages
        ]
        browser.close()
        link.close()
        process.close()
    late = np.concatenate([latencies_s(writer.written, seen) for seen in painted])
    found = {"p50": float(np.percentile(late, 50)), "p99": float(np.percentile(late, 99))}
    values = {
        "hits": final.summary["hits"],
        "mhit_per_s": final.summary["rates_hz"]["hits"] / 1e6,
        "viewers": given.viewers,
        "frames_painted": [len(seen) for seen in painted],
        "written_to_painted_s": {**found, "max": float(late.max())},
        "aims_s": AIMS_S,
        "reached": all(found[name] < aim for name, aim in AIMS_S.items()),
        "load_average": list(os.getloadavg()),
        "cores": os.cpu_count(),
    }
    print(json.dumps(values, indent=2))


if __name__ == "__main__":
    main()
