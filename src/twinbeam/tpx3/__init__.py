"""Raw Timepix3 bytes ↔ hits."""

from twinbeam.tpx3.census import Census
from twinbeam.tpx3.decode import Decoder
from twinbeam.tpx3.decoder_state import DecoderState
from twinbeam.tpx3.disorder import Disorder, DisorderMeter
from twinbeam.tpx3.encode import (
    chunk,
    encode_hits,
    global_time_words,
    packet_id_word,
    pixel_words,
    shutter_word,
    tdc_word,
)
from twinbeam.tpx3.hits import Hits
from twinbeam.tpx3.layout import CHIP_PIXELS, N_CHIPS, SENSOR_PIXELS, chip_of, to_chip, to_sensor
from twinbeam.tpx3.notes import Note, Noted
from twinbeam.tpx3.packets import TICK_NS, TOT_STEP_NS, WordKind
from twinbeam.tpx3.report import integrity_report
from twinbeam.tpx3.shutter import ShutterInterval, shutter_intervals
from twinbeam.tpx3.source import (
    BLOCK_BYTES,
    check_raw_file,
    iterate_bytes,
    iterate_file,
    read_hits,
    read_tdc,
)
from twinbeam.tpx3.tdc import TDC_STEP_NS, TDC_STEPS_PER_TICK, TdcEdges, TdcFault

__all__ = [
    "BLOCK_BYTES",
    "CHIP_PIXELS",
    "N_CHIPS",
    "SENSOR_PIXELS",
    "TDC_STEPS_PER_TICK",
    "TDC_STEP_NS",
    "TICK_NS",
    "TOT_STEP_NS",
    "Census",
    "Decoder",
    "DecoderState",
    "Disorder",
    "DisorderMeter",
    "Hits",
    "Note",
    "Noted",
    "ShutterInterval",
    "TdcEdges",
    "TdcFault",
    "WordKind",
    "check_raw_file",
    "chip_of",
    "chunk",
    "encode_hits",
    "global_time_words",
    "integrity_report",
    "iterate_bytes",
    "iterate_file",
    "packet_id_word",
    "pixel_words",
    "read_hits",
    "read_tdc",
    "shutter_intervals",
    "shutter_word",
    "tdc_word",
    "to_chip",
    "to_sensor",
]
