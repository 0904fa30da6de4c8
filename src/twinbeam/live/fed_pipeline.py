"""A pipeline that knows which bytes of which files it was fed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from twinbeam.errors import TwinbeamError
from twinbeam.live.fed import Part, part_from_json
from twinbeam.pipeline import Pipeline, Recipe, load_checkpoint, save_checkpoint

__all__ = ["BESIDE_FROM_BYTES", "FedPipeline", "size_of"]

BESIDE_FROM_BYTES = 1 << 22  # for less, other threads are not worth starting


class FedPipeline:
    """Feeds files to a pipeline, on disk and back.

    Parameters
    ----------
    recipe
        All parameters.
    workers
        Threads for many bytes at once.

    Attributes
    ----------
    pipeline
        The pipeline.
    parts
        What it was fed, in order.
    """

    def __init__(self, recipe: Recipe, workers: int = 1) -> None:
        self._recipe = recipe
        self._workers = workers
        self.restart()

    def restart(self) -> None:
        """Forget everything."""
        self.pipeline = Pipeline(self._recipe)
        self.parts: list[Part] = []

    @property
    def n_bytes(self) -> int:
        """Bytes that were fed."""
        return sum(part.n_bytes for part in self.parts)

    def feed(self, acquisition: str, blocks: Iterable[tuple[Path, memoryview]], size: int) -> None:
        """Take the next bytes, block by block, each with the file it is from.

        An empty block says that a file is there, though there may be nothing in it.

        Parameters
        ----------
        size
            About how many bytes there are; for many all threads are used. When an error of the
            blocks comes out then, some before it were not fed, and everything has to be fed again.
        """
        if not self.parts or self.parts[-1].acquisition != acquisition:
            self.pipeline.next_acquisition()
        threads = self._workers if size >= BESIDE_FROM_BYTES else 1
        self.pipeline.feed_all(self._counted(acquisition, blocks), threads)

    def _counted(
        self, acquisition: str, blocks: Iterable[tuple[Path, memoryview]]
    ) -> Iterator[memoryview]:
        for path, block in blocks:
            if not self.parts or self.parts[-1].path != path:
                self.parts.append(Part(acquisition, path, 0))
            if len(block):
                last = self.parts[-1]
                self.parts[-1] = replace(last, n_bytes=last.n_bytes + len(block))
                yield block

    # --- checkpoints ------------------------------------------------------------------------

    def save(self, path: Path, run: str) -> None:
        """Write a checkpoint.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        about = {"run": run, "fed": [part.as_json() for part in self.parts]}
        save_checkpoint(path, self.pipeline, about)

    def load(self, path: Path, run: str) -> bool:
        """Go on from a checkpoint; whether that was possible.

        It is not when a file has changed since, or it is of another run, recipe or version.
        """
        try:
            pipeline, about = load_checkpoint(path, self._recipe.hash)
            fed = [part_from_json(values) for values in about["fed"]]
        except (TwinbeamError, LookupError, TypeError, ValueError):
            return False
        whole = all(size_of(part.path) == part.n_bytes for part in fed[:-1])
        begun = not fed or size_of(fed[-1].path) >= fed[-1].n_bytes
        if about.get("run") != run or not (whole and begun):
            return False
        self.pipeline, self.parts = pipeline, fed
        return True


def size_of(path: Path) -> int:
    """Size of a file; 0 when there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
