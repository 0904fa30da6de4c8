"""Pixel configuration, the drawing of masks, and the comparison with what Serval holds."""

from __future__ import annotations

from sim_iocs.detector.tables.labels import NO_YES
from sim_iocs.records import Record, pair

__all__ = ["MASKS"]

_PIXELS = 512 * 512
_SEQUENCES = (
    "FlagMaskSeq", "ResetPosMaskSeq", "ResetNegMaskSeq", "ResetHotPelSeq", "WriteMaskRectSeq",
    "MaskRectSeq", "HotPelWriteRectSeq", "WriteMaskCircleSeq", "MaskCircleSeq",
)  # fmt: skip
_FLAGS = {
    "MaskRectangle": "Draw the rectangle",
    "MaskCircle": "Draw the circle",
    "MaskPel": "Apply to the pixels",
    "MaskWrite": "Write and load the file",
}


def _map(name: str, doc: str, since: str = "") -> Record:
    return Record(name, "waveform", 0, doc, length=_PIXELS, read_only=True, since=since)


MASKS: list[Record] = [
    _map("BPC", "Pixel configuration, in image order"),
    Record("BPC_N_RBV", "longin", 0, "Its bytes"),
    _map("BPCmasked", "The same with bit 8 on masked pixels"),
    _map("PixelConfigDiff", "Bytes that differ", since="1.6.2"),
    _map("MaskBPC", "Mask that is being drawn"),
    # The labels say the opposite of what the driver does: 1 masks.
    Record("MaskOnOff", "bo", 0, "What is drawn", ("Don't count", "Count")),
    Record("MaskReset", "bo", 0, "Set all", ("No reset", "Reset"), effect="command"),
    *pair("MaskMinX", "longout", 60, "First column, or of the centre"),
    *pair("MaskSizeX", "longout", 25, "Columns"),
    *pair("MaskMinY", "longout", 90, "First row, or of the centre"),
    *pair("MaskSizeY", "longout", 40, "Rows"),
    *pair("MaskRadius", "longout", 10, "Radius"),
    *(Record(name, "bo", 0, doc, NO_YES, effect="command") for name, doc in _FLAGS.items()),
    *pair("MaskBPCFileName", "text", "", "File to write"),
    *(Record(name, "sseq", 0, "Flags, then the mask", effect="command") for name in _SEQUENCES),
    # --- comparison ---
    Record("RefreshPixelConfig", "bo", 0, "Compare, then 0", NO_YES, effect="command",
           since="1.6.2"),
    Record("MaskedPelsJson_RBV", "text", "", "File of masked pixels", length=512, read_only=True,
           since="1.6.2"),
    Record("MaskedPelsCount_RBV", "longin", 0, "Masked pixels", since="1.6.2"),
    Record("MaskedPelsExportStatus_RBV", "text", "", "How it went", read_only=True, since="1.6.2"),
]  # fmt: skip
