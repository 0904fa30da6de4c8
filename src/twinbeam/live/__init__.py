"""Documents → live results, in this process or in one of their own."""

from twinbeam.live.coincidence import CoincidenceCallback
from twinbeam.live.control import ask
from twinbeam.live.hand_over import HandOver
from twinbeam.live.health import Health
from twinbeam.live.link import LiveLink
from twinbeam.live.reduction import Reduction
from twinbeam.live.server import LiveServer, LiveSettings
from twinbeam.live.showcase import Moment, Scene, Showcase
from twinbeam.live.update import Update
from twinbeam.live.wire import new_token, to_json

__all__ = [
    "CoincidenceCallback",
    "HandOver",
    "Health",
    "LiveLink",
    "LiveServer",
    "LiveSettings",
    "Moment",
    "Reduction",
    "Scene",
    "Showcase",
    "Update",
    "ask",
    "new_token",
    "to_json",
]
