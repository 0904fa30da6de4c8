"""The simulated beamline: Channel Access servers that behave like the real ones.

`python -m sim_iocs` starts them; nothing in the package imports them.
"""
