"""Connection, health, and what the detector is."""

from __future__ import annotations

from sim_iocs.detector.tables.labels import FALSE_TRUE, NO_YES
from sim_iocs.records import Record, Severity, pair

__all__ = ["STATUS"]

_NO_MAJOR: tuple[Severity, ...] = ("MAJOR", "NO_ALARM")

STATUS: list[Record] = [
    # --- connection ---
    Record("ServalConnected_RBV", "bi", 0, "Serval answers", FALSE_TRUE),
    Record("DetConnected_RBV", "bi", 0, "Serval has the detector", FALSE_TRUE),
    Record("DetType_RBV", "stringin", "null", "Type of the detector"),
    Record("ServerURL_RBV", "stringin", "http://localhost:8081", "Where Serval is"),
    Record("RefreshConnection", "bo", 0, "Look again, then 0", NO_YES, effect="command"),
    Record("HttpCode_RBV", "ai", 0, "HTTP status of the latest request", precision=0),
    Record("WriteFileMessage", "text", "", "Text of the latest answer", length=512, read_only=True),
    Record("Health", "bo", 0, "Refresh everything", effect="command"),
    # --- disk ---
    Record("FreeSpace_RBV", "int64in", 0, "Free on the disk of the raw files", units="bytes"),
    Record("DiskLowLimit_RBV", "int64in", 0, "Least free space", units="bytes"),
    Record("DiskLimReach_RBV", "bi", 0, "Least free space reached", FALSE_TRUE),
    Record("WriteSpeed_RBV", "ai", 0.0, "Writing speed", units="bytes/s"),
    # --- health ---
    Record("LocalTemp_RBV", "ai", 0.0, "Board temperature", units="degC", precision=1),
    Record("FPGATemp_RBV", "ai", 0.0, "FPGA temperature", units="degC", precision=1),
    Record("Fan1Speed_RBV", "ai", 0.0, "Fan 1", units="rpm", precision=0),
    Record("Fan2Speed_RBV", "ai", 0.0, "Fan 2", units="rpm", precision=0),
    Record("BiasVoltage_RBV", "ai", 0.0, "Bias voltage, measured", units="V", precision=2),
    Record("Humidity_RBV", "longin", 0, "Humidity", units="%RH"),
    Record("ChipTemps_RBV", "stringin", "", "Chip temperatures"),
    Record("VDD_RBV", "stringin", "", "Digital supply: V, A, W"),
    Record("AVDD_RBV", "stringin", "", "Analogue supply: V, A, W"),
    *(
        Record(f"Pwr{rail}_{supply}_RBV", "ai", 0.0, "Supply of a board: V, A, W", units="V")
        for rail in range(6)
        for supply in ("VDD", "AVDD")
    ),
    # --- detector ---
    Record("FwTS_RBV", "stringin", "2025/05/12 10:00", "Time Serval was built"),
    Record("Iface_RBV", "stringin", "Spidr", "Read-out interface"),
    Record("SW_ver_RBV", "stringin", "21052719", "Read-out software"),
    Record("FW_ver_RBV", "stringin", "25102015", "Read-out firmware"),
    Record("PixCount_RBV", "longin", 262144, "Pixels"),
    Record("RowLen_RBV", "longin", 2, "Chips a row"),
    Record("NChips_RBV", "longin", 4, "Chips"),
    Record("NRows_RBV", "longin", 512, "Pixel rows"),
    Record("MpxType_RBV", "longin", 6, "Kind of chip"),
    Record("ChipType_RBV", "stringin", "TPX3", "Kind of chip", since="1.7.0"),
    Record("DetectorFamily_RBV", "mbbi", 1, "Family", ("Unknown", "TPX3", "MPX3"), since="1.7.0"),
    Record("CapTdc_RBV", "bi", 1, "Has TDC inputs", since="1.7.0"),
    Record("CapTofHist_RBV", "bi", 1, "Has a ToF histogram", since="1.7.0"),
    Record("CapDualPreview_RBV", "bi", 1, "Has two previews", since="1.7.0"),
    Record("CapImgThresholds_RBV", "bi", 0, "Has image thresholds", since="1.7.0"),
    Record("BChBoardId_RBV", "stringin", "41000039", "Chip board"),
    Record("BChBoard2Id_RBV", "stringin", "", "Second chip board", since="1.6.2"),
    Record("IpAddr_RBV", "stringin", "127.0.0.1", "Read-out board"),
    Record("IpAddr2_RBV", "stringin", "", "Second read-out board", since="1.6.2"),
    *(Record(f"Chip{n}_RBV", "stringin", f"W0002_H{9 + n}", "Name of a chip") for n in range(1, 5)),
    *(Record(f"Chip{n}_RBV", "stringin", "", "Name of a chip", since="1.6.2") for n in range(5, 9)),
    Record("AcqModes_RBV", "longin", 63, "Acquisition modes"),
    Record("ClockRead_RBV", "ai", 125.0, "Read-out clock", units="MHz"),
    Record("MaxPulseCnt_RBV", "longin", 2147483647, "Greatest pulse count"),
    Record("MaxPulseHgt_RBV", "ai", 1.0, "Greatest pulse height"),
    Record("MaxPulsePeriod_RBV", "ai", 34.35973836, "Longest pulse period", units="s"),
    Record("TimerMaxVal_RBV", "ai", 34.35973836, "Longest shutter time", units="s"),
    Record("TimerMinVal_RBV", "ai", 8e-9, "Shortest shutter time", units="s", precision=9),
    Record("TimerStep_RBV", "ai", 8e-9, "Step of the shutter time", units="s", precision=9),
    Record("ClockTimepix_RBV", "ai", 125.0, "Chip clock", units="MHz"),
    # --- calibration files ---
    *pair("BPCFilePath", "text", "", "Folder of the pixel configuration", effect="command"),
    Record("BPCFilePathExists_RBV", "bi", 0, "The folder exists", NO_YES, severities=_NO_MAJOR),
    *pair("BPCFileName", "text", "", "File of the pixel configuration"),
    *pair("DACSFilePath", "text", "", "Folder of the converter values", effect="command"),
    Record("DACSFilePathExists_RBV", "bi", 0, "The folder exists", NO_YES, severities=_NO_MAJOR),
    *pair("DACSFileName", "text", "", "File of the converter values"),
    # Busy for ever: the driver does not set them back.
    Record("WriteBPCFile", "busy", 0, "Have Serval load it", ("Done", "Write"), effect="command"),
    Record("WriteDACSFile", "busy", 0, "Have Serval load it", ("Done", "Write"), effect="command"),
]
