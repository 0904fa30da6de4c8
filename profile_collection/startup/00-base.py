"""RunEngine, storage, databroker and live analysis, under the names people know."""

from twinbeam.profile import configure

configure(globals())
