"""Plans of the experiment; `RE(find_bragg(monitor, theta))`."""

from twinbeam.plans import *  # noqa: F403
