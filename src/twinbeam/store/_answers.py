"""What a tiled server refuses, as an error that says where and what next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from twinbeam.errors import StorageError

__all__ = ["told_by_tiled"]


@contextmanager
def told_by_tiled(where: str) -> Iterator[None]:
    """Turn refusals and lost connections of a tiled server into errors.

    Raises
    ------
    StorageError
        Instead of what the client of tiled raises.
    """
    import httpx

    try:
        yield
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        if status in (401, 403):
            raise StorageError(
                "the tiled server does not allow this to be written",
                where=where,
                hint="use a key with the right to write, in TWINBEAM_TILED_API_KEY",
            ) from error
        if status == 415:
            raise StorageError(
                "the tiled server has no adapter for raw Timepix3 files",
                where=where,
                hint="serve the catalogue with 'twinbeam serve'",
            ) from error
        raise StorageError(f"the tiled server refuses: {_detail(error)}", where=where) from error
    except httpx.HTTPError as error:
        raise StorageError(
            f"the tiled server does not answer: {error or type(error).__name__}",
            where=where,
            hint="check that it runs, then try again",
        ) from error


def _detail(error: Exception) -> str:
    """The first sentence of a refusal, without the address of the request."""
    return str(error).partition(" http")[0].splitlines()[0]
