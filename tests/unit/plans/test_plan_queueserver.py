"""A queue server can list every plan, show its types, and check calls of it."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from ophyd.sim import SynAxis, SynSignal

from twinbeam import plans

profile_ops = pytest.importorskip("bluesky_queueserver.manager.profile_ops")

NO_PLANS = {"bind"}
DEVICES = ("monitor", "theta", "x", "y", "energy", "threshold", "shutter", "tpx", "ring")


def all_plans() -> dict[str, Any]:
    """Every plan of the package; live results are given for good, as a profile does."""
    found = {
        name: getattr(plans, name)
        for name in plans.__all__
        if inspect.isgeneratorfunction(getattr(plans, name)) and name not in NO_PLANS
    }
    for name in ("collect_pairs", "detuning_scan"):
        found[name] = plans.bind(found[name], results=lambda run: None)
    found["collect_pairs"] = plans.bind(found["collect_pairs"], earlier=lambda run: None)
    return found


@pytest.fixture(scope="module")
def listed() -> tuple[dict[str, Any], dict[str, Any]]:
    """Plans and devices as the server describes them."""
    devices: dict[str, Any] = {name: SynAxis(name=name) for name in DEVICES}
    devices["monitor"] = SynSignal(name="monitor")
    there, instruments, *_ = profile_ops.existing_plans_and_devices_from_nspace(
        nspace={**all_plans(), **devices}
    )
    return there, instruments


CALLS: dict[str, dict[str, Any]] = {
    "approach": {"theta": "theta", "angle_deg": 11.5},
    "calibrate_timewalk": {"detector": "tpx", "shutter": "shutter"},
    "calibrate_tot": {"detector": "tpx", "energy": "energy", "shutter": "shutter"},
    "classical_image": {"detector": "tpx", "shutter": "shutter", "photons": 1000},
    "collect_pairs": {
        "detector": "tpx",
        "shutter": "shutter",
        "theta": "theta",
        "seconds": 60,
        "bragg_deg": 11.576,
        "ring": "ring",
        "continue_from": "3f4a8174",
        "recipe_md": {"geometry": {"distance_m": 0.5}},
    },
    "count_pairs": {"detector": "tpx", "shutter": "shutter", "bragg_deg": 11.576},
    "detuning_scan": {
        "detector": "tpx",
        "shutter": "shutter",
        "theta": "theta",
        "bragg_deg": 11.576,
        "detunings_deg": [0.02, 0.03],
    },
    "distance_from_rings": {
        "detector": "tpx",
        "shutter": "shutter",
        "theta": "theta",
        "bragg_deg": 11.576,
    },
    "find_bragg": {"monitor": "monitor", "theta": "theta", "shutter": "shutter"},
    "find_center": {"detector": "tpx", "shutter": "shutter", "bragg_deg": 11.576},
    "find_hot_pixels": {"detector": "tpx", "shutter": "shutter"},
    "fly_frames": {"detector": "tpx"},
    "mosaic_map": {
        "monitor": "monitor",
        "theta": "theta",
        "x": "x",
        "y": "y",
        "bragg_deg": 11.576,
        "pattern": "grid",
    },
    "rocking_curve": {"monitor": "monitor", "theta": "theta", "centre_deg": 11.576},
    "set_detuning": {"theta": "theta", "bragg_deg": 11.576},
    "threshold_scan": {
        "detector": "tpx",
        "threshold": "threshold",
        "shutter": "shutter",
        "thresholds": [1.0, 2.0],
    },
}


def test_every_plan_is_listed_with_types_and_words(listed: Any) -> None:
    there, _ = listed
    assert set(there) == set(all_plans()) == set(CALLS)
    for name, description in there.items():
        assert description["description"], name
        for parameter in description["parameters"]:
            assert parameter.get("description"), f"{name}: {parameter['name']}"
            if parameter["name"] not in ("results", "enough"):
                assert parameter.get("annotation"), f"{name}: {parameter['name']}"


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_accepted_and_a_wrong_one_refused(listed: Any, name: str) -> None:
    there, instruments = listed

    def check(kwargs: dict[str, Any]) -> bool:
        item = {"item_type": "plan", "name": name, "args": [], "kwargs": kwargs}
        good, _ = profile_ops.validate_plan(item, allowed_plans=there, allowed_devices=instruments)
        return bool(good)

    assert check(CALLS[name])
    assert not check({**CALLS[name], "nonsense": 1})
    for key, value in CALLS[name].items():
        if isinstance(value, float | int):
            assert not check({**CALLS[name], key: "many"})


def test_results_left_the_signature() -> None:
    signature = inspect.signature(all_plans()["detuning_scan"])
    assert "results" not in signature.parameters
    assert signature.parameters["bragg_deg"].annotation is float
