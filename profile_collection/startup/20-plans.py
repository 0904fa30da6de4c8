"""Plans of the experiment; `RE(find_bragg(monitor, theta, shutter=shutter))`."""

from twinbeam.profile import add_plans

add_plans(globals())  # all of twinbeam.plans
