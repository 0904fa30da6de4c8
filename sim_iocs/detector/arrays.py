"""Images on their way from Serval to the plugins, and what the driver's records say of them."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim_iocs.channels import Channels
from sim_iocs.plugins import Frame, PluginSet, describe

__all__ = ["pass_on_preview"]

_SATURATED = 65_535


async def pass_on_preview(
    cam: Channels, plugins: PluginSet, counts: NDArray[Any], *, number: int, elapsed_s: float
) -> None:
    """Hand a preview image on at address 0, as the 16 bit that Serval sends.

    Parameters
    ----------
    cam, plugins
        Records of the driver, and who gets the image.
    counts
        Counts by row and column.
    number, elapsed_s
        Number of the frame, and when it was in the run.
    """
    image = np.minimum(counts, _SATURATED).astype(np.uint16)
    frame = Frame(image, number, time.time())
    height, width = image.shape
    await cam.post_all(
        {
            **describe(frame),
            **{f"{name}X_RBV": width for name in ("ArraySize", "Size")},
            **{f"{name}Y_RBV": height for name in ("ArraySize", "Size")},
            "ArraySize_RBV": image.nbytes,
            # The label says Int16: the driver's labels are not in areaDetector's order.
            "DataType_RBV": frame.data_type,
            "PrvImgFrameNumber_RBV": number,
            "PrvImgTimeAtFrame_RBV": round(1e9 * elapsed_s),
            "PrvImgIntegrationSize_RBV": cam.get("PrvImgIntgSize_RBV"),
        }
    )
    if cam.get("ArrayCallbacks_RBV"):
        await plugins.publish(frame)
