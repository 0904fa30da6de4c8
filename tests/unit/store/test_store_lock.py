from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from twinbeam.errors import StorageError
from twinbeam.store._lock import lock_folder


def test_a_second_owner_is_told_who_the_first_is(tmp_path: Path) -> None:
    with lock_folder(tmp_path), pytest.raises(StorageError, match=f"by process {os.getpid()}"):
        lock_folder(tmp_path)
    lock_folder(tmp_path).close()


def test_the_lock_dies_with_its_process(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from twinbeam.store._lock import lock_folder\n"
        f"held = lock_folder(Path({str(tmp_path)!r})); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(StorageError, match=f"by process {process.pid}"):
            lock_folder(tmp_path)
        process.kill()
    lock_folder(tmp_path).close()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written") as caught:
        lock_folder(tmp_path / "missing")
    assert caught.value.where == str(tmp_path / "missing")
