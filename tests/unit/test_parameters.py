from __future__ import annotations

import pytest
from pydantic import Field, ValidationError, model_validator

from twinbeam.errors import RecipeError
from twinbeam.parameters import Parameters


class Inner(Parameters):
    width_ns: float = Field(1.0, gt=0.0, description="Width in ns.")
    height_mm: float = Field(1.0, description="Height in mm.")


class Outer(Parameters):
    inner: Inner = Field(Inner(), description="Inner.")
    maybe: Inner | None = Field(None, description="Perhaps.")
    many: tuple[Inner, ...] = Field((), description="Many.")

    @model_validator(mode="after")
    def _fits(self) -> Outer:
        if self.inner.height_mm > 10:
            raise ValueError("the inner is too high")
        return self


@pytest.mark.parametrize(
    ("values", "what", "hint"),
    [
        ({"iner": {}}, "unknown key 'iner'", "did you mean 'inner'?"),
        ({"inner": {"widht_ns": 2}}, "unknown key 'inner.widht_ns'", "did you mean 'width_ns'?"),
        ({"maybe": {"hieght": 2}}, "unknown key 'maybe.hieght'", "did you mean 'height_mm'?"),
        ({"many": [{}, {"width": 2}]}, "unknown key 'many.1.width'", "did you mean 'width_ns'?"),
        ({"inner": {"qq": 2}}, "unknown key 'inner.qq'", None),
        (
            {"inner": {"width_ns": 0}},
            "'inner.width_ns': Input should be greater than 0, got 0",
            None,
        ),
        ({"inner": {"height_mm": 11}}, "the inner is too high", None),
    ],
)
def test_the_first_mistake_is_explained(values: dict, what: str, hint: str | None) -> None:
    with pytest.raises(RecipeError) as caught:
        Outer.from_mapping(values, where="file.yaml")
    assert (caught.value.what, caught.value.hint) == (what, hint)
    assert caught.value.where == "file.yaml"


def test_values_are_frozen_finite_and_typed() -> None:
    values = Outer.from_mapping({"inner": {"width_ns": "2.5"}})
    assert values.inner.width_ns == 2.5
    with pytest.raises(ValidationError, match="frozen"):
        values.inner.width_ns = 3.0  # type: ignore[misc]
    for wrong in (float("nan"), float("inf"), "wide", None):
        with pytest.raises(RecipeError, match="inner\\.width_ns"):
            Outer.from_mapping({"inner": {"width_ns": wrong}})
