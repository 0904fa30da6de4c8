"""From ordinary data to a recipe: every calibration with its uncertainty and its figure."""

from twinbeam.calibrate.candidates import find_candidates, widened
from twinbeam.calibrate.ceilings import CeilingCalibration, calibrate_ceilings
from twinbeam.calibrate.centre import CentreCalibration, centre_by_contrast, centre_by_lines
from twinbeam.calibrate.charge_loss import missing_share, single_share
from twinbeam.calibrate.cloud import CLOUD_PRIOR, cloud_from_shares, count_singles
from twinbeam.calibrate.clusters import ClusteredHits, cluster_hits, join_clusters
from twinbeam.calibrate.column_chain import column_levels, fit_levels
from twinbeam.calibrate.columns import (
    ColumnCalibration,
    ColumnRange,
    ColumnStep,
    calibrate_columns,
    hit_offsets_ticks,
)
from twinbeam.calibrate.curve import CurveFit, CurvePrior, fit_curve
from twinbeam.calibrate.detuning import DetuningCalibration, calibrate_detuning
from twinbeam.calibrate.deviations import (
    CLIP,
    Deviations,
    clip_around_mean,
    pixel_deviations,
    shared_square,
)
from twinbeam.calibrate.distance import (
    DistanceCalibration,
    KnownDetuning,
    distance_by_energies,
    distance_by_radii,
)
from twinbeam.calibrate.energy import EnergyCalibration, calibrate_energy, put_curve
from twinbeam.calibrate.figures import draw
from twinbeam.calibrate.neighbour_steps import (
    N_DOUBLE_COLUMNS,
    NeighbourSteps,
    neighbour_steps,
)
from twinbeam.calibrate.pair_energy import (
    PairEnergyCalibration,
    calibrate_pair_energy,
    pair_energies_kev,
)
from twinbeam.calibrate.peak import PeakShape, ToTPeak, fit_tot_peak
from twinbeam.calibrate.peak_curve import fit_peaks_and_curve
from twinbeam.calibrate.pixel_energy import PixelEnergyCalibration, calibrate_pixel_energy
from twinbeam.calibrate.pixels import (
    PixelCalibration,
    PixelReason,
    calibrate_pixels,
    hits_per_pixel,
)
from twinbeam.calibrate.reading import known_pixels, read_clusters, read_counts
from twinbeam.calibrate.revise import require_significant, revised
from twinbeam.calibrate.robust import MedianError, robust_sigma
from twinbeam.calibrate.single_hits import single_hit_photons
from twinbeam.calibrate.timewalk import WalkCalibration, WalkFit, calibrate_timewalk
from twinbeam.calibrate.walk_cells import WalkCells, walk_cells

__all__ = [
    "CLIP",
    "CLOUD_PRIOR",
    "N_DOUBLE_COLUMNS",
    "CeilingCalibration",
    "CentreCalibration",
    "ClusteredHits",
    "ColumnCalibration",
    "ColumnRange",
    "ColumnStep",
    "CurveFit",
    "CurvePrior",
    "DetuningCalibration",
    "Deviations",
    "DistanceCalibration",
    "EnergyCalibration",
    "KnownDetuning",
    "MedianError",
    "NeighbourSteps",
    "PairEnergyCalibration",
    "PeakShape",
    "PixelCalibration",
    "PixelEnergyCalibration",
    "PixelReason",
    "ToTPeak",
    "WalkCalibration",
    "WalkCells",
    "WalkFit",
    "calibrate_ceilings",
    "calibrate_columns",
    "calibrate_detuning",
    "calibrate_energy",
    "calibrate_pair_energy",
    "calibrate_pixel_energy",
    "calibrate_pixels",
    "calibrate_timewalk",
    "centre_by_contrast",
    "centre_by_lines",
    "clip_around_mean",
    "cloud_from_shares",
    "cluster_hits",
    "column_levels",
    "count_singles",
    "distance_by_energies",
    "distance_by_radii",
    "draw",
    "find_candidates",
    "fit_curve",
    "fit_levels",
    "fit_peaks_and_curve",
    "fit_tot_peak",
    "hit_offsets_ticks",
    "hits_per_pixel",
    "join_clusters",
    "known_pixels",
    "missing_share",
    "neighbour_steps",
    "pair_energies_kev",
    "pixel_deviations",
    "put_curve",
    "read_clusters",
    "read_counts",
    "require_significant",
    "revised",
    "robust_sigma",
    "shared_square",
    "single_hit_photons",
    "single_share",
    "walk_cells",
    "widened",
]
