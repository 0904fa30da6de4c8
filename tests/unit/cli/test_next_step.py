"""Every error says what to do."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from twinbeam.cli.app import run
from twinbeam.cli.next_step import said
from twinbeam.cli.out_file import check_out_file
from twinbeam.errors import BeamlineError, RecipeError, StorageError


def test_an_error_without_a_hint_gets_one() -> None:
    assert said(StorageError("broken", where="f")).startswith("f: broken ('twinbeam doctor'")
    assert said(StorageError("broken", where="f", hint="mend it")) == "f: broken (mend it)"
    assert "recipe show" in said(RecipeError("no"))
    assert "doctor" in said(BeamlineError("no"))


def test_numbers_of_the_system_are_words() -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "r.h5")
    assert said(full).startswith("r.h5: No space left on device (the disk is full")
    text = "cannot be read: [Errno 2] No such file or directory: 'r.yaml'"
    assert said(RecipeError(text)).startswith("cannot be read: No such file or directory (")


def test_where_a_result_cannot_be_is_known_before_the_work(tmp_path: Path) -> None:
    raw = tmp_path / "run.tpx3"
    raw.write_bytes(b"")
    check_out_file(None)
    check_out_file(tmp_path / "new.h5", inputs=[raw])
    for path, message in [
        (tmp_path, "is a folder"),
        (raw, "would replace a raw file"),
        (tmp_path / "no" / "r.h5", "mkdir -p"),
    ]:
        with pytest.raises(StorageError, match=message):
            check_out_file(path, inputs=[raw])


def test_what_nobody_thought_of_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("twinbeam.cli.app.app", fail)
    assert run(["recipe", "show"]) == 1
    assert "ZeroDivisionError: division by zero (TWINBEAM_TRACEBACK=1" in capsys.readouterr().err
    monkeypatch.setenv("TWINBEAM_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        run(["recipe", "show"])
