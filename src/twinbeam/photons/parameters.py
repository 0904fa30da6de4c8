"""Parameters of the step from hits to photons."""

from __future__ import annotations

from pydantic import Field

from twinbeam.parameters import Parameters

__all__ = ["Clustering", "Response"]


class Response(Parameters):
    """From time over threshold to energy, and from threshold crossing to photon time.

    ``ToT = a E + b - c / (E - t)`` for every hit; timewalk ``B exp(-k ToT)``.
    """

    a_ns_per_kev: float = Field(25.77, gt=0.0, le=1e3, description="Slope a in ns/keV.")
    b_ns: float = Field(170.0, ge=-1e4, le=1e4, description="Offset b in ns.")
    c_ns_kev: float = Field(150.0, ge=0.0, le=1e5, description="Curvature c in ns·keV.")
    t_kev: float = Field(2.0, ge=-50.0, le=50.0, description="Pole t of the curvature in keV.")
    timewalk_ns: float = Field(
        167.0, ge=0.0, le=1e3, description="Timewalk B in ns at zero ToT; 0 switches it off."
    )
    timewalk_decay_per_ns: float = Field(
        0.016, gt=0.0, le=1.0, description="Decay k of the timewalk with ToT in 1/ns."
    )


class Clustering(Parameters):
    """Which hits are one photon."""

    window_ns: float = Field(
        200.0,
        gt=0.0,
        le=1e5,
        description="Two touching hits (8 neighbours) closer in time than this in ns are one "
        "photon.",
    )
    longest_us: float = Field(
        10.0,
        gt=0.0,
        le=1e4,
        description="A photon that goes on for longer than this in µs is cut there, so that noisy "
        "neighbours do not become one endless photon. Real ones last below 0.2 µs.",
    )
    reorder_ms: float = Field(
        5.0,
        gt=0.0,
        le=1e4,
        description="How far in ms a hit may come behind later ones in the stream; older ones are "
        "rejected as late. Real quads reach 1.3 ms.",
    )
