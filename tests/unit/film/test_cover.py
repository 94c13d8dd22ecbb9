import numpy as np
import pytest

from models.planes import rgb_to_i420
from models.specs import CoverSpec
from pipelines.media.cover import Cover
from pipelines.media.frames import i420_to_rgb

from .material import plain, texture

SIZE = (640, 360)


def card(size: tuple[int, int] = SIZE, ground: tuple[int, int, int] = (90, 140, 200), **spec: object) -> np.ndarray:
    cover = Cover(CoverSpec(**spec), rgb_to_i420(plain(ground, *size)), size, 12)
    return cover.picture().astype(int)


def text_pixels(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.nonzero(image.min(axis=2) > 200)


def test_title_and_subtitle_are_set_in_the_middle() -> None:
    rows, columns = text_pixels(card(title_text="灯塔下的重逢", subtitle_text="一个关于等待的故事"))
    assert abs(columns.mean() / SIZE[0] - 0.5) < 0.02
    assert 0.35 < rows.mean() / SIZE[1] < 0.6
    alone, _ = text_pixels(card(title_text="灯塔下的重逢"))
    assert rows.max() > alone.max() + 20


def test_the_ground_is_darkened_under_text_only() -> None:
    ground = (90, 140, 200)
    assert card(title_text="灯塔")[20, 20].sum() < 0.7 * sum(ground)
    assert np.abs(card()[20, 20] - ground).max() < 4


@pytest.mark.parametrize("size", [(640, 360), (360, 640), (480, 360), (846, 360), (428, 360)])
@pytest.mark.parametrize(
    "title",
    [
        "海",
        "灯塔下的重逢",
        "一个关于等待与重逢以及很多很多年以前在海边发生过的故事的漫长标题",
        "The Long and Winding Road That Leads to the Lighthouse at the End of the World",
        "字" * 300,
        "Pneumonoultramicroscopicsilicovolcanoconiosis" * 3,
    ],
)
def test_any_title_stays_inside_the_frame(size: tuple[int, int], title: str) -> None:
    rows, columns = text_pixels(card(size, (0, 0, 0), title_text=title, subtitle_text="副标题"))
    assert rows.size
    assert 0.04 * size[0] < columns.min() < columns.max() < 0.96 * size[0]
    assert 0.04 * size[1] < rows.min() < rows.max() < 0.96 * size[1]


def test_the_card_moves_but_its_text_stands_still() -> None:
    cover = Cover(CoverSpec(title_text="灯塔"), rgb_to_i420(texture(*SIZE)), SIZE, 12)
    frames = [i420_to_rgb(frame).astype(int) for frame in cover.frames(25)]
    assert np.abs(frames[12] - frames[0]).mean() > 0.5
    (rows, columns), (later_rows, later_columns) = (text_pixels(frames[n]) for n in (0, 24))
    assert abs(rows.mean() - later_rows.mean()) < 1.5
    assert abs(columns.mean() - later_columns.mean()) < 1.5


def test_a_title_of_emoji_alone_leaves_the_picture() -> None:
    assert np.array_equal(card(title_text="😀🎉"), card())
