"""One chip: thresholds, temperature, other voltages, and its pixel configuration."""

from __future__ import annotations

from ophyd import Component as Cpt
from ophyd import Device, EpicsSignalRO

from twinbeam.devices.driver.parts import Group, readback, setting

__all__ = ["Chip", "ChipDacs", "ChipLabels", "ChipPixels", "SecondBoardChip"]


class ChipDacs(Group):
    """Voltages of a chip, in steps of its converters; only the thresholds can be written."""

    threshold_coarse = setting("Vth_coarse")
    threshold_fine = setting("Vth_fine")
    cp_pll = readback("CP_PLL_RBV")
    s1_off = readback("S1_OFF_RBV")
    s1_on = readback("S1_ON_RBV")
    s2_off = readback("S2_OFF_RBV")
    s2_on = readback("S2_ON_RBV")
    ikrum = readback("Ikrum_RBV")
    pixel_dac = readback("PixelDAC_RBV")
    preamp_off = readback("Preamp_OFF_RBV")
    preamp_on = readback("Preamp_ON_RBV")
    tp_buffer_in = readback("TPbufferIn_RBV")
    tp_buffer_out = readback("TPbufferOut_RBV")
    pll_vcntrl = readback("PLL_Vcntrl_RBV")
    vpreamp_ncas = readback("VPreamp_NCAS_RBV")
    vtp_coarse = readback("VTP_coarse_RBV")
    vtp_fine = readback("VTP_fine_RBV")
    vfbk = readback("Vfbk_RBV")
    adjust = readback("Adjust_RBV")
    layout = readback("Layout_RBV", string=True)


class ChipPixels(Group):
    """Pixel configuration of a chip against the file; `match` is 1 when both are the same."""

    length = readback("PixelConfigLen_RBV")
    match = readback("PixelConfigMatchBPC_RBV")
    n_mismatches = readback("PixelConfigMismatchBytes_RBV")
    status = readback("PixelConfigStatus_RBV", string=True)


class ChipLabels(Device):
    """Names of the chips on the first board."""

    chip0 = Cpt(EpicsSignalRO, "Chip1_RBV", string=True, kind="config")
    chip1 = Cpt(EpicsSignalRO, "Chip2_RBV", string=True, kind="config")
    chip2 = Cpt(EpicsSignalRO, "Chip3_RBV", string=True, kind="config")
    chip3 = Cpt(EpicsSignalRO, "Chip4_RBV", string=True, kind="config")


class Chip(Device):
    """What a run records of a chip, and everything else below `dacs` and `pixels`."""

    threshold_coarse = Cpt(EpicsSignalRO, "Vth_coarse_RBV", kind="config")
    threshold_fine = Cpt(EpicsSignalRO, "Vth_fine_RBV", kind="config")
    temperature = Cpt(EpicsSignalRO, "Temp_RBV", kind="config")
    dacs = Cpt(ChipDacs, "", kind="omitted")
    pixels = Cpt(ChipPixels, "", kind="omitted")


class SecondBoardChip(Group):
    """The same for a chip that only detectors of two boards have; nothing connects before use."""

    threshold_coarse = readback("Vth_coarse_RBV", kind="config")
    threshold_fine = readback("Vth_fine_RBV", kind="config")
    temperature = readback("Temp_RBV", kind="config")
    dacs = Cpt(ChipDacs, "", kind="omitted")
    pixels = Cpt(ChipPixels, "", kind="omitted")
