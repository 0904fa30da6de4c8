"""Documents → live results."""

from twinbeam.live.coincidence import CoincidenceCallback
from twinbeam.live.hand_over import HandOver
from twinbeam.live.health import Health
from twinbeam.live.reduction import Reduction

__all__ = [
    "CoincidenceCallback",
    "HandOver",
    "Health",
    "Reduction",
]
