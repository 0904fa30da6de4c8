"""The instruments of the site that TWINBEAM_SITE names, by default the simulated beamline."""

from twinbeam.profile import add_devices

add_devices(globals())  # tpx, gonio, theta, detuning, shutter, ring, monitor, arm, mono, slits, …
