"""The file of a site: which devices there are, and errors that say what is wrong in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinbeam.devices import Attenuators, Goniometer, load_site
from twinbeam.devices.site import Site
from twinbeam.errors import BeamlineError


def written(folder: Path, text: str) -> Path:
    path = folder / "site.yaml"
    path.write_text(text)
    return path


NEEDED = "shutter: {prefix: S}, ring: {prefix: R}, monitor: {prefix: M}"


def site_of(more: str) -> str:
    """A site with what all plans need, and more."""
    return f"devices: {{goniometer: {{prefix: G}}, {NEEDED}, {more}}}"


def test_the_packaged_site_is_the_simulated_beamline() -> None:
    site = load_site()
    assert site == load_site("simulated")
    assert site.prefix == "SIM:"
    assert site.detector.prefix == "TPX3-TEST:"
    assert len(site.devices) == 11


def test_names_come_from_prefix_suffix_and_single_names(tmp_path: Path) -> None:
    site = load_site(
        written(
            tmp_path,
            "prefix: 'XF:'\n"
            "devices:\n"
            "  goniometer:\n"
            "    prefix: 'OP{Spare:'\n"
            "    name: gonzo\n"
            "    pvs: {theta: 'XF:11IDB-OP{Spare:3-Ax:X}Mtr'}\n"
            "    without: [chi, phi]\n"
            "  attenuators: {prefix: A, options: {timeout_s: 3}}\n"
            f"  {NEEDED.replace(', ', chr(10) + '  ')}\n",
        )
    )
    made = [site.make("goniometer"), site.make("goniometer", "OTHER:"), site.make("attenuators")]
    try:
        gonzo, other, attenuators = made
        assert isinstance(gonzo, Goniometer)
        assert gonzo.name == "gonzo"
        assert gonzo.theta.prefix == "XF:11IDB-OP{Spare:3-Ax:X}Mtr"
        assert gonzo.theta.user_readback.pvname == "XF:11IDB-OP{Spare:3-Ax:X}Mtr.RBV"
        assert gonzo.x.prefix == "XF:OP{Spare:Ax:X}Mtr"
        assert gonzo.chi is None
        assert "phi" not in gonzo.component_names
        assert other.theta.prefix == gonzo.theta.prefix
        assert other.x.prefix == "OTHER:OP{Spare:Ax:X}Mtr"
        assert isinstance(attenuators, Attenuators)
        assert attenuators.timeout_s == 3
        assert site.make("slits") is None
        assert "chi" in Goniometer.component_names
    finally:
        for device in made:
            device.destroy()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("devices: {goniometer: {prefix: G}}", "devices lacks shutter, ring, monitor"),
        (f"devices: {{gonio: {{}}, {NEEDED}}}", "no device 'gonio'; there are goniometer, shutter"),
        (f"devices: {{goniometer: {{pvs: {{tetha: X}}}}, {NEEDED}}}", "no part 'tetha'; it has th"),
        (f"devices: {{goniometer: {{without: [psi]}}, {NEEDED}}}", "goniometer has no part 'psi'"),
        (f"devices: {{goniometer: {{prefx: X}}, {NEEDED}}}", "did you mean 'prefix'"),
        (
            "detector: {guards: {max_humidty_percent: 60}}\n"
            f"devices: {{goniometer: {{}}, {NEEDED}}}",
            "did you mean 'max_humidity_percent'",
        ),
        ("- a list", "a site is a mapping"),
        ("devices: {goniometer: {}, goniometer: {}}", "is there twice, in line 1"),
        ("", "devices': Field required"),
        (site_of("arm: {prefix: A, name: gonio}"), "goniometer and arm have the same name 'gonio'"),
        ("detector: {name: ring}\n" + site_of(""), "detector and ring have the same name 'ring'"),
        (site_of("arm: {}"), "arm has no prefix, and neither has the site, to name two_theta, x"),
        (site_of("slits: {prefix: S, options: {timeout_s: 3}}"), "slits has no option 'timeout_s'"),
        (
            site_of("attenuators: {prefix: A, options: {timeut_s: 3}}"),
            "no option 'timeut_s'; it has timeout_s",
        ),
        (site_of("attenuators: {prefix: A, options: {timeout_s: -3}}"), "must be above 0"),
        (site_of("mono: {prefix: M, without: [energy]}"), "mono needs energy"),
        (site_of("arm: {prefix: A, pvs: {x: ''}}"), "part 'x' of arm has an empty name"),
        (site_of("arm: {prefix: A, pvs: {x: X}, without: [x]}"), "both in pvs and in without"),
        (site_of("mono: {prefix: M, pvs: {crystal_bragg: X}}"), "is no process variable"),
        (
            "detector: {guards: {min_bias_v: 90, max_bias_v: 50}}\n" + site_of(""),
            "min_bias_v 90 is above max_bias_v 50",
        ),
    ],
)
def test_a_wrong_file_says_where_and_what(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(BeamlineError) as caught:
        load_site(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_an_unknown_site_names_those_that_are_there() -> None:
    with pytest.raises(
        BeamlineError, match=r"no site 'nowhere' \(give a YAML file, or .*simulated"
    ):
        load_site("nowhere")


def test_a_site_can_be_written_down_and_read_again(tmp_path: Path) -> None:
    site = load_site()
    assert Site.from_mapping(site.model_dump()) == site
