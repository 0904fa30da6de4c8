"""The documents tell the truth: every block is executed, every shown output compared."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import shutil
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from doc_pages import DOCS, Block, blocks_of, says, titles

# the consoles are made here, before a test sets a width they would keep
from twinbeam.cli import console as _console  # noqa: F401
from twinbeam.cli.app import run

PAGES = sorted(
    page
    for page in DOCS.rglob("*.md")
    if any(b.language in ("sh", "python") and "not run" not in b.marks for b in blocks_of(page))
)
AT_THE_PROMPT = [page for page in PAGES if "at the prompt" in titles(page)]
#: Everything else runs in a plain folder.
PLAIN = [page for page in PAGES if page not in AT_THE_PROMPT]


class Reader:
    """Somebody who follows a page word by word in one folder.

    Python blocks and our commands run in this process, because imports take longer than they do.
    """

    def __init__(self, folder: Path, environment: dict[str, str], module: types.ModuleType) -> None:
        self._folder = folder
        self._environment = environment
        self._module = module
        self.printed = ""

    def follow(self, block: Block) -> bool:
        """Do what a block says; whether it was executed or compared."""
        if "not run" in block.marks:
            return False
        if "file" in block.marks:
            (self._folder / block.marks["file"]).write_text(block.text)
        elif block.language == "sh":
            self._shell(block)
        elif block.language == "python":
            self._python(block)
        elif "output" in block.marks:
            missing = says(self.printed, block.text)
            assert not missing, f"not printed: {missing}\n\nbut:\n{self.printed}"
        else:
            return False
        return True

    def _shell(self, block: Block) -> None:
        wanted = int(block.marks.get("status", "0"))
        self.printed = ""
        for line in block.text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if not words:
                continue
            if words[0] == "twinbeam" and not {"|", "&&", ";"} & set(words):
                status, said = self._command(words[1:])
            else:
                status, said = self._line(line)
            self.printed += said
            assert status == wanted, f"{line}\n{self.printed}"

    def _command(self, words: list[str]) -> tuple[int, str]:
        """A command of ours in this process, which has imported everything already."""
        into = None
        if ">" in words:
            words, into = words[: words.index(">")], words[words.index(">") + 1]
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = run(words)
        if into is None:
            return status, out.getvalue() + err.getvalue()
        (self._folder / into).write_text(out.getvalue())
        return status, err.getvalue()

    def _line(self, line: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def _python(self, block: Block) -> None:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(block.text, block.page, "exec"), self._module.__dict__)
        self.printed = out.getvalue()


@pytest.fixture
def page_module() -> Iterator[types.ModuleType]:
    """The namespace of a page's Python code; classes find it as their module."""
    module = types.ModuleType("twinbeam_doc_page")
    sys.modules[module.__name__] = module
    yield module
    del sys.modules[module.__name__]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", PLAIN, ids=[page.stem for page in PLAIN])
def test_page_is_true(
    page: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    reader_environment: dict[str, str],
    page_module: types.ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path
    if "begins in the folder of a demo" in titles(page):
        folder = request.getfixturevalue("folder_of_a_demo")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")
    for name in [name for name in os.environ if name.startswith("TWINBEAM_")]:
        monkeypatch.delenv(name)
    reader = Reader(folder, reader_environment, page_module)
    followed = [block for block in blocks_of(page) if reader.follow(block)]
    assert any(block.language in ("sh", "python") for block in followed)
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.mark.timeout(400)
@pytest.mark.parametrize("page", AT_THE_PROMPT, ids=[page.stem for page in AT_THE_PROMPT])
def test_page_at_the_prompt_is_true(
    page: Path, beamline: Any, tmp_path: Path, reader_environment: dict[str, str]
) -> None:
    """The page's Python code in IPython with the profile, on the simulated beamline."""
    profile = tmp_path / "profile"
    shutil.copytree(DOCS.parent / "profile_collection" / "startup", profile / "startup")
    blocks = [b for b in blocks_of(page) if "not run" not in b.marks]
    code, shown = [], {}
    for n, block in enumerate(blocks):
        if block.language == "python":
            code.append(f"print('block {n}')\n{block.text}")
        elif "output" in block.marks:
            shown[n] = block.text
    channel_access = {k: v for k, v in os.environ.items() if k.startswith("EPICS_")}
    done = subprocess.run(
        [sys.executable, "-m", "IPython", f"--profile-dir={profile}", "--no-banner",
         "--colors=NoColor", "-c", "\n".join([*code, "print('page ended')"])],
        cwd=tmp_path,
        env={
            **reader_environment,
            **channel_access,
            "TWINBEAM_CATALOG": str(tmp_path / "catalog"),
            "TWINBEAM_DATA_DIR": str(tmp_path / "raw"),
            "MPLBACKEND": "agg",
            "PYTHONUNBUFFERED": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # plans tell their results there
        text=True,
        timeout=300,
        check=False,
    )  # fmt: skip
    said = done.stdout
    assert done.returncode == 0, said
    assert "page ended" in said, said
    assert "Traceback" not in said, said
    for n, text in shown.items():
        last = max(m for m, block in enumerate(blocks) if m < n and block.language == "python")
        printed = said.partition(f"block {last}\n")[2].partition("\nblock ")[0]
        missing = says(printed, text)
        assert not missing, f"not printed: {missing}\n\nbut:\n{printed}"


def test_few_blocks_are_not_run() -> None:
    """Each with its reason; a look at this list is part of reading a change of the documents."""
    left_out = [
        f"{block.page}: {block.marks['not run']}"
        for page in sorted(DOCS.rglob("*.md"))
        for block in blocks_of(page)
        if "not run" in block.marks
    ]
    print(*left_out, sep="\n")
    assert all(not line.endswith(": ") for line in left_out)
    assert len(left_out) <= 20, left_out


def test_every_block_is_executed_or_compared() -> None:
    """A block in another language is a directive of Sphinx, a file, or marked."""
    loose = [
        f"{block.page}: {block.text[:60]}"
        for page in sorted(DOCS.rglob("*.md"))
        for block in blocks_of(page)
        if not block.language.startswith("{")
        and block.language not in ("sh", "python")
        and not {"output", "file", "not run", "form"} & block.marks.keys()
    ]
    assert loose == []
