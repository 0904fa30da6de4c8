"""The detector configuration: limits, and its JSON."""

from __future__ import annotations

import asyncio

import pytest

from sim_iocs.serval import DetectorConfig, Serval
from sim_iocs.serval.config import TRIGGER_MODES
from sim_iocs.serval.values import Wrong


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"exposure_s": 10.5}, "ExposureTime"),
        ({"exposure_s": 0.0}, "ExposureTime"),
        ({"period_s": 51.0}, "TriggerPeriod"),
        ({"bias_v": 200}, "BiasVoltage"),
        ({"trigger_delay_s": 1.5}, "TriggerDelay"),
        ({"global_time_s": 1e-4}, "GlobalTimestampInterval"),
        ({"n_triggers": -1}, "nTriggers"),
        ({"trigger_in": 7}, "TriggerIn"),
        ({"trigger_out": -1}, "TriggerOut"),
        ({"log_level": 3}, "LogLevel"),
        ({"fan1_pwm": 101}, "Fan1PWM"),
        ({"tdc": ("P0123", "X")}, "Tdc"),
        ({"trigger_mode": "SOMETIMES"}, "TriggerMode"),
        (
            {"trigger_mode": "AUTOTRIGSTART_TIMERSTOP", "exposure_s": 0.5, "period_s": 0.4},
            "TriggerPeriod",
        ),
    ],
)
def test_what_is_out_of_bounds_is_refused_by_name(with_serval, change, name):
    async def put(serval: Serval):
        before = serval.config
        reply = await serval.put_config(DetectorConfig(**change))
        return reply, serval.config is before

    reply, kept = with_serval(put)
    assert reply.code == 400
    assert name in reply.text
    assert reply.body is None
    assert kept


def test_json_has_all_fields_of_serval_and_comes_back_the_same():
    config = DetectorConfig(
        trigger_mode="PEXSTART_NEXSTOP", exposure_s=0.25, bias_v=80, bias_on=True, polarity=1,
        chain_mode=2, tdc=("PN0123", "N0"), trigger_in=3, global_time_s=0.1, fan2_pwm=40,
    )  # fmt: skip
    values = config.to_json()
    assert set(values) == {
        "Fan1PWM", "Fan2PWM", "BiasVoltage", "BiasEnabled", "ChainMode", "TriggerIn", "TriggerOut",
        "Polarity", "TriggerMode", "ExposureTime", "TriggerPeriod", "nTriggers", "PeriphClk80",
        "TriggerDelay", "Tdc", "GlobalTimestampInterval", "ExternalReferenceClock", "LogLevel",
    }  # fmt: skip
    assert values["Polarity"] == "Negative"
    assert values["ChainMode"] == "FOLLOWER"
    assert DetectorConfig().with_json(values) == config


def test_booleans_come_as_strings_too_and_what_is_not_named_stays():
    config = DetectorConfig(exposure_s=0.25).with_json({"BiasEnabled": "true", "nTriggers": "7"})
    assert config.bias_on is True
    assert config.n_triggers == 7
    assert config.exposure_s == 0.25


@pytest.mark.parametrize(
    "values",
    [
        {"Exposure": 1},
        {"ExposureTime": "long"},
        {"ExposureTime": True},
        {"ExposureTime": float("nan")},
        {"BiasEnabled": 1},
        {"nTriggers": 1.5},
        {"Tdc": ["P0"]},
        {"Tdc": "P0"},
        {"Polarity": "positive"},
        {"TriggerMode": 5},
    ],
)
def test_values_of_another_kind_are_refused(values):
    with pytest.raises(Wrong, match=next(iter(values))):
        DetectorConfig().with_json(values)


def test_every_trigger_mode_of_serval_is_known(with_serval):
    async def put(serval: Serval):
        configs = [DetectorConfig(trigger_mode=mode) for mode in TRIGGER_MODES]
        return [reply.code for reply in await asyncio.gather(*map(serval.put_config, configs))]

    assert with_serval(put) == [200] * 9
