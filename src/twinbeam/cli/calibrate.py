"""`twinbeam calibrate`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinbeam.cli.calibrate_output import Job, with_error, with_errors
from twinbeam.cli.progress import QuietOption
from twinbeam.errors import RecipeError

if TYPE_CHECKING:
    from twinbeam.calibrate import EnergyCalibration, PairEnergyCalibration, PixelEnergyCalibration

__all__ = ["calibrate"]

calibrate = typer.Typer(
    help="Parameters of a recipe from data, each with its uncertainty.", no_args_is_help=True
)

_WIDEST = 2.0  # pair detunings are looked for up to so many times the recipe's
_Raw = Annotated[list[Path], typer.Argument(help="Raw .tpx3 files, in order.", metavar="RAW…")]
_RecipeFile = Annotated[
    Path | None, typer.Option("--recipe", help="Recipe to start from (YAML); else the default.")
]
_Out = Annotated[
    Path | None, typer.Option("--out", help="Write the calibrated recipe to this YAML file.")
]
_Figure = Annotated[
    Path | None, typer.Option("--figure", help="Draw the calibration into this file (.png, .pdf).")
]
_Json = Annotated[bool, typer.Option("--json", help="Print the values as JSON on stdout.")]


@calibrate.command()
def pixels(
    raw: _Raw,
    recipe: _RecipeFile = None,
    out_file: _Out = None,
    figure: _Figure = None,
    _quiet: QuietOption = False,
    as_json: _Json = False,
    false_positives: Annotated[
        float, typer.Option(min=1e-6, max=1e3, help="Good pixels called bad by chance, at most.")
    ] = 0.1,
    ceiling_quantile: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=0.5,
            help="The data are scattered light of the pump: find the ToT in each pixel below which "
            "this share of it lies, and let larger ToT not count.",
        ),
    ] = None,
) -> None:
    """Hot and dead pixels from hits per pixel; optionally ToT ceilings.

    Example: twinbeam calibrate pixels flat_000000.tpx3 --out recipe.yaml --figure pixels.png
    """
    from twinbeam.calibrate import calibrate_ceilings, calibrate_pixels, known_pixels, read_counts

    job = Job.checked("pixels", raw, recipe, out_file, figure, as_json)
    geometry = job.start.geometry
    with job.reading() as advance:
        counts, seconds = read_counts(raw, advance)
    result = calibrate_pixels(
        counts,
        seconds,
        known=known_pixels(geometry),
        gap_px=geometry.gap_px,
        false_positives=false_positives,
    )
    values: dict[str, Any] = {
        "hot": result.n_hot,
        "dead": result.n_dead,
        "untestable_pixels": result.n_untestable,
        "false_positives": result.false_positives,
        "hits_used": result.n_used,
        "hits_rejected": result.n_rejected,
        "exposure_s": seconds,
    }
    if ceiling_quantile is not None:
        singles = job.clusters(masked=result.reason > 0).singles
        ceilings = calibrate_ceilings(singles, ceiling_quantile)
        result = result.with_ceilings(ceilings.rounded())
        values["ceiling_spread_ns"] = ceilings.spread_ns
        values["ceiling_median_ns"] = float(sorted(ceilings.ceiling_ns.ravel())[512 * 256])
    job.finish(
        result,
        values,
        lambda file: result.apply(job.start, result.save(file.with_suffix(".pixels.npz"))),
    )


@calibrate.command()
def energy(
    raw: _Raw,
    recipe: _RecipeFile = None,
    out_file: _Out = None,
    figure: _Figure = None,
    _quiet: QuietOption = False,
    as_json: _Json = False,
    kev: Annotated[
        list[float] | None,
        typer.Option("--kev", help="Energy of each raw file in keV, in order. None: from pairs."),
    ] = None,
    per_pixel: Annotated[
        bool, typer.Option("--per-pixel", help="Also the scale of every pixel; needs --kev.")
    ] = False,
    threshold_kev: Annotated[
        float, typer.Option(min=0.1, max=10.0, help="Threshold of the pixels in keV.")
    ] = 3.0,
) -> None:
    """ToT to energy, from exposures of known energies or from the pairs themselves.

    Example: twinbeam calibrate energy e8.tpx3 e12.tpx3 --kev 8 --kev 12 --out recipe.yaml
    """
    job = Job.checked("energy", raw, recipe, out_file, figure, as_json)
    if kev and len(kev) != len(raw):
        raise RecipeError(f"{len(kev)} energies for {len(raw)} raw files", where="--kev")
    if per_pixel and not kev:
        raise RecipeError("needs exposures of known energies", where="--per-pixel", hint="--kev")
    result: EnergyCalibration | PairEnergyCalibration
    scales: PixelEnergyCalibration | None = None
    if kev:
        result, scales = _energy_of_exposures(job, kev, per_pixel, threshold_kev)
    else:
        result = _energy_of_pairs(job, threshold_kev)
    curve = result.curve
    names = ("a_ns_per_kev", "b_ns", "c_ns_kev", "t_kev")
    values: dict[str, Any] = {
        **dict(zip(names, with_errors(curve.values, curve.errors), strict=True)),
        "energies_kev": list(result.energies_kev),
        "tot_ns": [with_error(peak.tot_ns, peak.error_ns) for peak in result.peaks],
        "chi2": curve.chi2,
        "ndf": curve.ndf,
        "photons_used": result.n_used,
        "photons_rejected": result.n_rejected,
    }
    if scales is None:
        job.finish(result, values, lambda _: result.apply(job.start))
        return
    values["pixel_spread"] = with_error(scales.spread, scales.spread_error)
    values["pixel_hit_sigma"] = scales.hit_sigma
    values["sigma_before_and_after"] = [scales.before, scales.after]
    job.finish(
        scales,
        values,
        lambda file: scales.apply(job.start, scales.save(file.with_suffix(".energy.npy"))),
    )


def _energy_of_exposures(
    job: Job, kev: list[float], per_pixel: bool, threshold_kev: float
) -> tuple[EnergyCalibration, PixelEnergyCalibration | None]:
    from twinbeam.calibrate import calibrate_energy, calibrate_pixel_energy, read_clusters

    files: dict[float, list[Path]] = {}
    for path, e in zip(job.raw, kev, strict=True):
        files.setdefault(e, []).append(path)
    with job.reading() as advance:
        exposures = {e: read_clusters(same, job.start, advance) for e, same in files.items()}
    result = calibrate_energy(exposures, threshold_kev=threshold_kev)
    if not per_pixel:
        return result, None
    # the peaks of all pixels are narrower once the pixels are known
    singles = {e: clustered.singles for e, clustered in exposures.items()}
    scales = calibrate_pixel_energy(singles, result.curve)
    result = calibrate_energy(exposures, threshold_kev=threshold_kev, scales=scales)
    return result, calibrate_pixel_energy(singles, result.curve)


def _energy_of_pairs(job: Job, threshold_kev: float) -> PairEnergyCalibration:
    from twinbeam.calibrate import calibrate_pair_energy, find_candidates

    response = job.start.response.model_copy(update={"per_pixel": None})
    start = job.start.model_copy(update={"response": response})
    with job.reading() as advance:
        found = find_candidates(job.raw, start, energy=False, on_progress=advance)
    return calibrate_pair_energy(
        found.pairs,
        found.estimate.replicas,
        start.geometry,
        response,
        threshold_kev=threshold_kev,
    )


@calibrate.command()
def timewalk(
    raw: _Raw,
    recipe: _RecipeFile = None,
    out_file: _Out = None,
    figure: _Figure = None,
    _quiet: QuietOption = False,
    as_json: _Json = False,
) -> None:
    """Timewalk from photons shared between two pixels; the better of two forms is taken.

    Example: twinbeam calibrate timewalk run_000000.tpx3 --out recipe.yaml --figure walk.png
    """
    from twinbeam.calibrate import calibrate_timewalk, hit_offsets_ticks, walk_cells

    job = Job.checked("timewalk", raw, recipe, out_file, figure, as_json)
    clustered, response = job.clusters(), job.start.response
    cells = walk_cells(clustered, hit_offsets_ticks(clustered.hits, response))
    result = calibrate_timewalk(cells, response)
    values: dict[str, Any] = {"best": result.best.form}
    names = {"exponential": ("B_ns", "k_per_ns"), "pole": ("c_ns_kev", "t_kev")}
    for fit in (result.exponential, result.pole):
        if fit is not None:
            found = with_errors(fit.values, fit.errors)
            values[fit.form] = {
                **dict(zip(names[fit.form], found, strict=True)),
                "chi2": fit.chi2,
                "ndf": fit.ndf,
                "p_value": fit.p_value,
            }
    values |= {"shared_photons_used": cells.used, "shared_photons_rejected": cells.rejected}
    job.finish(result, values, lambda _: result.apply(job.start))


@calibrate.command()
def columns(
    raw: _Raw,
    recipe: _RecipeFile = None,
    out_file: _Out = None,
    figure: _Figure = None,
    _quiet: QuietOption = False,
    as_json: _Json = False,
) -> None:
    """Late ("railroad") double columns from neighbouring hits of one photon or track.

    Example: twinbeam calibrate columns run_000000.tpx3 --out recipe.yaml --figure columns.png
    """
    from twinbeam.calibrate import calibrate_columns

    job = Job.checked("columns", raw, recipe, out_file, figure, as_json)
    result = calibrate_columns(job.clusters(), job.start.response)
    values = {
        "late_columns": [dataclasses.asdict(r) for r in result.ranges],
        "steps": [dataclasses.asdict(s) for s in result.significant_steps()],
        "noise_ticks": result.noise_ticks,
        "step_at_16_phase_borders": with_error(result.phase_step, result.phase_error),
        "step_at_other_borders": with_error(result.other_step, result.other_error),
        "has_phase_term": result.has_phase_term,
        "chi2": result.chi2,
        "ndf": result.ndf,
        "neighbours_used": result.n_used,
        "neighbours_rejected": result.n_rejected,
    }
    job.finish(result, values, lambda _: result.apply(job.start))


@calibrate.command()
def geometry(
    raw: _Raw,
    recipe: _RecipeFile = None,
    out_file: _Out = None,
    figure: _Figure = None,
    _quiet: QuietOption = False,
    as_json: _Json = False,
    known_detuning_deg: Annotated[
        float | None,
        typer.Option(
            min=1e-4,
            max=1.0,
            help="Pair detuning in degrees that is known otherwise: finds the distance instead.",
        ),
    ] = None,
    known_error_deg: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Standard error of the known detuning.")
    ] = 2e-4,
    pool_px: Annotated[
        float, typer.Option(min=5.0, max=100.0, help="How far off in pixels the centre may be.")
    ] = 25.0,
) -> None:
    """Centre of the ring and pair detuning, or distance, from pairs.

    The pairs show only the product of squared distance and detuning. Without a known detuning the
    distance of the recipe is believed. The figure shows the detuning.

    Example: twinbeam calibrate geometry run_000000.tpx3 --out recipe.yaml --figure detuning.png
    """
    from twinbeam.calibrate import (
        KnownDetuning,
        calibrate_detuning,
        centre_by_contrast,
        centre_by_lines,
        distance_by_radii,
        find_candidates,
    )

    job = Job.checked("geometry", raw, recipe, out_file, figure, as_json)
    before = job.start.geometry
    with job.reading() as advance:
        found = find_candidates(raw, job.start, pool_px=pool_px, on_progress=advance)
    replicas = found.estimate.replicas
    centre = centre_by_lines(found.pairs, replicas, before.centre_px, pool_px)
    check = centre_by_contrast(found.pairs, replicas, before.centre_px)
    centred = centre.apply(job.start)
    with job.reading() as advance:  # radii and cuts around the centre that was found
        found = find_candidates(raw, centred, pool_px=4.0 * centre.dp_cut_px, on_progress=advance)
    between = (0.25 * before.detuning_deg, _WIDEST * before.detuning_deg)
    detuning = calibrate_detuning(found.pairs, replicas, between, centred.geometry)
    values: dict[str, Any] = {
        "centre_px": with_errors(centre.centre_px, centre.errors_px),
        "centre_by_contrast_px": with_errors(check.centre_px, check.errors_px),
        "dp_sigma_px": centre.dp_sigma_px,
        "detuning_deg": with_error(detuning.detuning_deg, detuning.error_deg),
        "detuning_sigma_deg": with_error(detuning.sigma_deg, detuning.sigma_error_deg),
        "chi2": detuning.chi2,
        "ndf": detuning.ndf,
        "pairs_net": detuning.n_net,
        "pairs_used": detuning.n_used,
        "pairs_rejected": detuning.n_rejected,
    }
    if known_detuning_deg is None:
        job.finish(detuning, values, lambda _: detuning.apply(centred))
        return
    known = KnownDetuning(known_detuning_deg, known_error_deg)
    distance = distance_by_radii(detuning, centred.geometry, known)
    values["distance_m"] = with_error(distance.distance_m, distance.error_m)
    values["distance_statistical_m"] = distance.statistical_m
    job.finish(detuning, values, lambda _: distance.apply(centred))
