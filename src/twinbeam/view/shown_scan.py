"""What there is to see of a run without photons: a scan with another detector, or one that waits
for its first result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twinbeam.errors import StorageError
from twinbeam.view.stories import Disk
from twinbeam.view.story import Story, StoryTeller

if TYPE_CHECKING:
    from twinbeam.store import Catalog

__all__ = ["ShownScan", "name_of", "stored_story"]


@dataclass(frozen=True, eq=False)
class ShownScan:
    """One run by its documents alone.

    Attributes
    ----------
    key
        Names the run and how much is told of it.
    story
        The documents.
    disks
        Room on the disks, of a run that goes on.
    live
        Whether it is shown while it goes on.
    """

    key: str
    story: Story
    disks: tuple[Disk, ...] = ()
    live: bool = False

    @property
    def name(self) -> str:
        """What the run is called."""
        return name_of(self.story)

    @property
    def state(self) -> str:
        """``running`` or how it ended."""
        stop = self.story.stop
        if stop is None:
            return "running" if self.live else "without end"
        return {"success": "complete", "abort": "aborted"}.get(
            str(stop.get("exit_status")), "failed"
        )


def name_of(story: Story) -> str:
    """Scan, plan and the beginning of the uid."""
    scan = f"scan {story.start['scan_id']} · " if "scan_id" in story.start else ""
    return f"{scan}{story.start.get('plan_name', 'run')} · {story.run[:8]}"


def stored_story(catalog: Catalog, run_uid: str) -> Story | None:
    """What is stored of a run, from its JSON lines or else the catalogue; None without any."""
    from twinbeam.replay.stored import stored_documents
    from twinbeam.store import read_documents

    path = catalog.documents_directory / f"{run_uid}.jsonl"
    try:
        if path.is_file():
            documents = list(read_documents(path))
        else:
            documents = stored_documents(catalog, run_uid)[1]
    except StorageError:
        return None
    if not documents or documents[0][0] != "start":
        return None
    teller = StoryTeller(documents[0][1])
    for name, doc in documents[1:]:
        teller.take(name, doc)
    return teller.story
