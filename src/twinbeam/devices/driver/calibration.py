"""Calibration files, the chips' pixel configuration, and masks."""

from __future__ import annotations

from twinbeam.devices.driver.parts import Group, action, array, readback, setting, value

__all__ = ["CalibrationFiles", "Mask", "PixelConfig"]


class CalibrationFiles(Group):
    """Files of pixel configuration (BPC) and of chip voltages (DACS), on Serval's host.

    A put to the two commands never completes in the driver: `bpc` and `dacs` of the detector load
    files and wait for Serval's answer.
    """

    bpc_path = setting("BPCFilePath", string=True)
    bpc_path_exists = readback("BPCFilePathExists_RBV")
    bpc_name = setting("BPCFileName", string=True)
    write_bpc = action("WriteBPCFile")
    dacs_path = setting("DACSFilePath", string=True)
    dacs_path_exists = readback("DACSFilePathExists_RBV")
    dacs_name = setting("DACSFileName", string=True)
    write_dacs = action("WriteDACSFile")


class PixelConfig(Group):
    """Comparison of the chips' pixels with the file, and the list of masked pixels."""

    #: 1 reads all chips; it is 0 again when that is done.
    refresh = action("RefreshPixelConfig")
    differences = array("PixelConfigDiff")
    masked_file = readback("MaskedPelsJson_RBV", string=True)
    n_masked = readback("MaskedPelsCount_RBV")
    export_status = readback("MaskedPelsExportStatus_RBV", string=True)


class Mask(Group):
    """The driver's drawing of masks: place and size, a flag, then `process`.

    `on_off` 1 masks and 0 unmasks; the labels of the record say the opposite.
    """

    bpc = array("BPC")
    #: 1 reads `bpc`, `n_bpc_masked` and `bpc_masked` from the file again.
    show_bpc = action("BPC.PROC")
    n_bpc_masked = readback("BPC_N_RBV")
    bpc_masked = array("BPCmasked")
    buffer = array("MaskBPC")
    #: 1 does what the first flag says that is set.
    process = action("MaskBPC.PROC")
    on_off = value("MaskOnOff")
    reset = value("MaskReset", kind="omitted")
    min_x = setting("MaskMinX")
    size_x = setting("MaskSizeX")
    min_y = setting("MaskMinY")
    size_y = setting("MaskSizeY")
    radius = setting("MaskRadius")
    rectangle = value("MaskRectangle", kind="omitted")
    circle = value("MaskCircle", kind="omitted")
    file_name = setting("MaskBPCFileName", string=True)
    from_file = value("MaskPel", kind="omitted")
    write = value("MaskWrite", kind="omitted")
    seq_clear_flags = action("FlagMaskSeq.PROC")
    seq_reset_positive = action("ResetPosMaskSeq.PROC")
    seq_reset_negative = action("ResetNegMaskSeq.PROC")
    seq_reset_hot = action("ResetHotPelSeq.PROC")
    seq_write_rectangle = action("WriteMaskRectSeq.PROC")
    seq_rectangle = action("MaskRectSeq.PROC")
    seq_hot_rectangle = action("HotPelWriteRectSeq.PROC")
    seq_write_circle = action("WriteMaskCircleSeq.PROC")
    seq_circle = action("MaskCircleSeq.PROC")
