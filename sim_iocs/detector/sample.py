"""The sample in front of the detector: that of the beamline's file, or of the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sim_iocs.beamline.description import SampleDescription, load_beamline
from sim_iocs.beamline.sample_mask import SampleMask

__all__ = ["sample_of"]

_SHAPES = ("none", "spokes", "disc", "edge", "slit")


def sample_of(file: Path | None, changes: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a source for a sample.

    Parameters
    ----------
    file
        Description of the beamline; None is the one of this package.
    changes
        Fields of its sample that are given otherwise; a `shape` that is none of the built-in ones
        is the path of a picture.

    Raises
    ------
    RecipeError
        If the file, the sample or its picture cannot be read, or nobody knows the material.
    """
    described = load_beamline(file)
    given = {name: value for name, value in changes.items() if value is not None}
    shape = given.get("shape")
    if shape is not None:
        is_shape = shape in _SHAPES
        given["image"] = None if is_shape else str(Path(shape).absolute())
        given["shape"] = shape if is_shape else "image"
    values = {**described.sample.model_dump(mode="json"), **given}
    sample = SampleDescription.from_mapping(values, where="sample")
    if sample.image is not None and not sample.image.is_absolute() and file is not None:
        sample = sample.model_copy(update={"image": file.absolute().parent / sample.image})
    if sample.shape == "none":
        return {"sample": "none"}
    mask = SampleMask(sample, described.detector.pixel_um)
    if sample.material != SampleDescription().material:
        mask.look_up()
    return {"mask": mask}
