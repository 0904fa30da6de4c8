"""twinbeam: X-ray photon pairs on a Timepix3, live, exact and replayable."""

from twinbeam._version import __version__

__all__ = ["__version__"]
