"""Physics as pure functions, one quantity a file."""

from twinbeam.physics.absorption import silicon_efficiency
from twinbeam.physics.acceptance import pair_acceptance
from twinbeam.physics.bragg import bragg_angle_deg, wavelength_angstrom
from twinbeam.physics.geometry import Geometry
from twinbeam.physics.heralding import (
    direct_variance,
    heralded_transmission,
    heralded_variance,
    heralding_efficiency,
    sub_shot_noise_gain,
)
from twinbeam.physics.identification import (
    identification_probability,
    measured_spectra,
    pair_posterior,
)
from twinbeam.physics.measured_identification import (
    IdentificationCut,
    identification_cut,
    identification_of_histograms,
)
from twinbeam.physics.refraction import index_detuning_mdeg, refraction_decrement
from twinbeam.physics.ring import (
    pair_detuning_deg,
    partner_radius_from_energy_px,
    partner_radius_px,
    photon_energy_kev,
    radius_to_angle_rad,
    ring_angle_rad,
    ring_radius_px,
    shared_energy_kev,
    sharpened_radius_px,
)
from twinbeam.physics.rocking import (
    DARWIN_WIDTH_MDEG,
    FWHM_PER_SIGMA,
    darwin_reflectivity,
    mosaicity_mdeg,
    rocking_curve,
)
from twinbeam.physics.spectrum import fraction_density, fraction_quantile
from twinbeam.physics.timewalk import timewalk_ns
from twinbeam.physics.tot import energy_from_tot_kev, tot_from_energy_ns
from twinbeam.physics.triangle import (
    axis_tilt_deg,
    closure_defect,
    detuning_from_angles_deg,
    emission_angle_rad,
    energy_fraction,
    partner_angle_rad,
)

__all__ = [
    "DARWIN_WIDTH_MDEG",
    "FWHM_PER_SIGMA",
    "Geometry",
    "IdentificationCut",
    "axis_tilt_deg",
    "bragg_angle_deg",
    "closure_defect",
    "darwin_reflectivity",
    "detuning_from_angles_deg",
    "direct_variance",
    "emission_angle_rad",
    "energy_fraction",
    "energy_from_tot_kev",
    "fraction_density",
    "fraction_quantile",
    "heralded_transmission",
    "heralded_variance",
    "heralding_efficiency",
    "identification_cut",
    "identification_of_histograms",
    "identification_probability",
    "index_detuning_mdeg",
    "measured_spectra",
    "mosaicity_mdeg",
    "pair_acceptance",
    "pair_detuning_deg",
    "pair_posterior",
    "partner_angle_rad",
    "partner_radius_from_energy_px",
    "partner_radius_px",
    "photon_energy_kev",
    "radius_to_angle_rad",
    "refraction_decrement",
    "ring_angle_rad",
    "ring_radius_px",
    "rocking_curve",
    "shared_energy_kev",
    "sharpened_radius_px",
    "silicon_efficiency",
    "sub_shot_noise_gain",
    "timewalk_ns",
    "tot_from_energy_ns",
    "wavelength_angstrom",
]
