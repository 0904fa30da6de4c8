"""Raw Timepix3 bytes ↔ hits."""

from twinbeam.tpx3.census import Census
from twinbeam.tpx3.decode import Decoder
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
from twinbeam.tpx3.packets import TICK_NS, TOT_STEP_NS, WordKind
from twinbeam.tpx3.source import BLOCK_BYTES, check_raw_file, iterate_file, read_hits

__all__ = [
    "BLOCK_BYTES",
    "CHIP_PIXELS",
    "N_CHIPS",
    "SENSOR_PIXELS",
    "TICK_NS",
    "TOT_STEP_NS",
    "Census",
    "Decoder",
    "Hits",
    "WordKind",
    "check_raw_file",
    "chip_of",
    "chunk",
    "encode_hits",
    "global_time_words",
    "iterate_file",
    "packet_id_word",
    "pixel_words",
    "read_hits",
    "shutter_word",
    "tdc_word",
    "to_chip",
    "to_sensor",
]
