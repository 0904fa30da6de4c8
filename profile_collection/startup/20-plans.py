"""Plans of the experiment; `RE(find_bragg(monitor, theta, shutter=shutter))`."""

from twinbeam.plans import *  # noqa: F403
