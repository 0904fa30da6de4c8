"""The recipe, the pipeline and its ledger."""

from twinbeam.pipeline.fit import GaussianFit, fit_gaussian
from twinbeam.pipeline.ledger import Ledger, Stage
from twinbeam.pipeline.nexus import write_nexus
from twinbeam.pipeline.pipeline import Pipeline
from twinbeam.pipeline.process import process
from twinbeam.pipeline.recipe import Recipe
from twinbeam.pipeline.result import Result
from twinbeam.pipeline.summary import (
    detuning_fit,
    dt_fit,
    fitted_centre,
    peak_over_floor,
    summary,
)

__all__ = [
    "GaussianFit",
    "Ledger",
    "Pipeline",
    "Recipe",
    "Result",
    "Stage",
    "detuning_fit",
    "dt_fit",
    "fit_gaussian",
    "fitted_centre",
    "peak_over_floor",
    "process",
    "summary",
    "write_nexus",
]
