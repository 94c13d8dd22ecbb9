from itertools import combinations

import numpy as np
import pytest

from models.planes import planes, rgb_to_i420
from models.specs import Filter
from pipelines.media.filters import ClipFilter

from .material import HEIGHT, WIDTH, texture

FILTERS = [kind for kind in Filter if kind is not Filter.NONE]


def filtered(kind: Filter, intensity: float = 1.0) -> np.ndarray:
    frame = rgb_to_i420(texture())
    ClipFilter(kind, intensity, WIDTH, HEIGHT).apply(frame)
    return frame


def distance(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first.astype(int) - second.astype(int)).mean())


@pytest.mark.parametrize("kind", FILTERS)
def test_intensity_nought_changes_nothing(kind: Filter) -> None:
    assert np.array_equal(filtered(kind, 0.0), filtered(Filter.NONE))


@pytest.mark.parametrize("kind", FILTERS)
def test_intensity_is_the_amount(kind: Filter) -> None:
    none, half, whole = filtered(Filter.NONE), filtered(kind, 0.5), filtered(kind, 1.0)
    assert distance(none, whole) > 2.5
    assert 0.25 * distance(none, whole) < distance(none, half) < 0.75 * distance(none, whole)


@pytest.mark.parametrize(("first", "second"), list(combinations(Filter, 2)))
def test_no_two_filters_look_alike(first: Filter, second: Filter) -> None:
    assert distance(filtered(first), filtered(second)) > 2.0


def test_what_the_filters_are_named_after() -> None:
    _, blue, red = planes(filtered(Filter.NONE))
    for kind in (Filter.GRAYSCALE, Filter.NOIR):
        assert (planes(filtered(kind))[1] == 128).all()
        assert (planes(filtered(kind))[2] == 128).all()
    assert planes(filtered(Filter.WARM))[2].mean() > red.mean() + 5
    assert planes(filtered(Filter.COOL))[1].mean() > blue.mean() + 5
    assert planes(filtered(Filter.VIVID))[1].std() > 1.3 * blue.std()
    inverted = planes(filtered(Filter.INVERT))[0]
    assert np.abs(inverted.astype(int) + planes(filtered(Filter.NONE))[0] - 251).max() <= 1


def test_noir_darkens_the_corners_more_than_the_middle() -> None:
    frame = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
    ClipFilter(Filter.NOIR, 1.0, WIDTH, HEIGHT).apply(frame)
    luma = planes(frame)[0]
    assert luma[0, 0] < 0.7 * luma[HEIGHT // 2, WIDTH // 2]
