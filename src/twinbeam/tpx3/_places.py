"""Where the compiled decoder keeps what: places in its state arrays, and the limits it knows."""

from __future__ import annotations

# state of the stream: framing
REMAINING, CHIP, IN_SYNC, UNKNOWNS, POSITION, FIRST_BAD = range(6)
# the time last believed of any chip or TDC edge, the latest such time, and the time that passed
# in steps that were not large
CLOCK_STARTED, CLOCK_LAST, NEWEST, STEADY = range(6, 10)
# absolute time − detector's counter, known modulo 2^WIDTH ticks (34: only what any hit tells)
OFFSET, WIDTH, OFFSET_SEEN, ANCHOR_TIME, HAVE_ANCHOR_TIME, HITS_AT_ANCHOR = range(10, 16)
STEADY_AT_ANCHOR = 29
# an anchor that contradicts the clock and waits for another that agrees with it
HAVE_DOUBT, DOUBT_COUNTER, DOUBT_WIDTH, DOUBT_CHIP, DOUBT_AT = range(16, 21)
# the clock before the last T0 reset, for chips that were not reset yet
OLD_OFFSET, OLD_WIDTH, RESET_TIME = range(21, 24)
TDC_FLOOR, HAVE_TDC_FLOOR = range(24, 26)
FIRST_TICK, LAST_TICK, HAVE_TICKS = range(26, 29)
N_STATE = 30

# clock of a chip
LAST, HAVE_LAST, DOUBTED, HAVE_DOUBTED, SEEN_AT, ANCHOR, HAVE_ANCHOR, OLD = range(8)
LOW, LOW_SPIDR, HAVE_LOW, HIGHEST_ID, SEEN_IDS = range(8, 13)
N_CLOCK = 13

# counters of damage
RESYNC_BYTES, RESYNCS, CUT_CHUNKS, CUT_BYTES, BAD_CHIP_WORDS, ID_GAPS, IDS_LOST = range(7)
N_DAMAGE = 7
N_TDC_EDGES = 4  # input 1 rise, fall, input 2 rise, fall
TDC_EDGE_UNKNOWN, TDC_FINE_ZERO, TDC_FINE_LARGE, TDC_IN_DAMAGE = range(4)
N_TDC_COUNTS = 9  # edges by kind, repeated ones, words that are not valid by reason

SECOND = 640_000_000  # ticks
MOST_START = 1 << 48  # ticks, 5 days, at which a clock may begin
HIT_WIDTH = 34
HIT_PERIOD = 1 << HIT_WIDTH  # ticks after which the pixel counters roll over, 26.8 s
GLOBAL_WIDTH = 36  # of the low word of the global time and of TDC edges, 107 s
SHUTTER_WIDTH = 38  # of heartbeats and shutter words, 429 s
FULL_WIDTH = 52  # of both words of the global time, 81 days
SMALL_STEP = SECOND  # more than any disorder, less than a damaged word's error
LARGE_STEP = HIT_PERIOD // 4  # 6.7 s, by which one word alone does not move the clock
ANCHOR_BACK = SECOND // 50  # readings of one chip are in order; 20 ms is for rounding and care
AGREE_WITHIN = HIT_PERIOD // 2  # 13.4 s, between two anchors that confirm each other
RESET_SLACK = SECOND // 200  # 5 ms: hits are late by less than 2 ms
RESET_OVER = 2 * SECOND  # after which every chip counts as reset
ANCHORS_LAST = 120 * SECOND  # after the last one, in which a silent chip waits for its own
FORGET_HITS = 1 << 25  # without any anchor, after which the wide counters are learned anew
FORGET_SHUTTER_HITS = 1 << 22  # the same when only shutter words told
DAMAGED_AFTER = 3  # unknown words in a chunk; no real chunk has any
SPIDR_STEPS = 1 << 16
SPIDR_BITS = 18  # ticks in a step of 409.6 µs
ANCHOR_TOLERANCE = 16  # such steps; the two readings in real words differ by 0 or 1
MOST_BETWEEN_HALVES = 2500  # such steps, 1 s
ALL_SEEN = (1 << 62) - 1
MOST_LOST = 1 << 20  # packets; a larger jump is a damaged or restarted counter
TDC_STEPS = 6  # fine TDC steps in a tick
TDC_SAME = 12  # fine steps, 3.125 ns, within which chips tell of the same edge
TDC_MEMORY = SECOND // 20  # 50 ms, in which an edge may be repeated by another chip
TDC_SLOTS = 256  # edges of a kind that are remembered
