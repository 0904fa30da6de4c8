"""areaDetector plugins: what happens to arrays between a driver and its clients."""

from __future__ import annotations

from sim_iocs.plugins.frame import Frame
from sim_iocs.plugins.plugin import describe
from sim_iocs.plugins.plugin_set import PluginSet, plugin_tables

__all__ = ["Frame", "PluginSet", "describe", "plugin_tables"]
