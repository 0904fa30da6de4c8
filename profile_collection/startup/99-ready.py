"""Last file: IPython skips the rest after an error, so its absence tells that one failed."""

PROFILE_READY = True
print(
    f"twinbeam is ready on the {'simulated' if simulated else 'real'} beamline;"
    " help_twinbeam() says what one can do.\n"
    f"Runs are stored in {session.catalog.where}"
)
