"""RunEngine, storage, databroker and live analysis, under the names people know.

TWINBEAM_SIM=1 starts the simulated beamline with the session and ends it with it.
"""

from twinbeam.profile import configure

configure(globals())
