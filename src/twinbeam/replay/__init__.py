"""Stored runs back as documents, to the same callbacks that saw them live."""

from twinbeam.replay.find import find_run
from twinbeam.replay.lines import replay_jsonl
from twinbeam.replay.stored import replay

__all__ = ["find_run", "replay", "replay_jsonl"]
