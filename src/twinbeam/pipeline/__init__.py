"""The recipe, the pipeline and its ledger."""

from twinbeam.pipeline.acquisitions import acquisitions_of
from twinbeam.pipeline.checkpoint import load_checkpoint, save_checkpoint
from twinbeam.pipeline.fit import GaussianFit, fit_gaussian
from twinbeam.pipeline.gather import Gatherer
from twinbeam.pipeline.ledger import Ledger, Stage
from twinbeam.pipeline.nexus import write_nexus
from twinbeam.pipeline.partial import Partial, count_range
from twinbeam.pipeline.piece import Piece
from twinbeam.pipeline.pipeline import Pipeline
from twinbeam.pipeline.process import process
from twinbeam.pipeline.read_photons import read_photons
from twinbeam.pipeline.recipe import Recipe
from twinbeam.pipeline.result import Result, check_result
from twinbeam.pipeline.run_recipe import recipe_of_start
from twinbeam.pipeline.summary import (
    detuning_exact_fit,
    detuning_fit,
    dt_fit,
    fitted_centre,
    peak_over_floor,
    peak_over_floor_lower,
    summary,
)

__all__ = [
    "Gatherer",
    "GaussianFit",
    "Ledger",
    "Partial",
    "Piece",
    "Pipeline",
    "Recipe",
    "Result",
    "Stage",
    "acquisitions_of",
    "check_result",
    "count_range",
    "detuning_exact_fit",
    "detuning_fit",
    "dt_fit",
    "fit_gaussian",
    "fitted_centre",
    "load_checkpoint",
    "peak_over_floor",
    "peak_over_floor_lower",
    "process",
    "read_photons",
    "recipe_of_start",
    "save_checkpoint",
    "summary",
    "write_nexus",
]
