"""How a clip is divided into renders."""

import pytest

from models.diffusion.parts import frames_needed, model_size, part_lengths


@pytest.mark.parametrize(
    ("width", "height", "multiple_of", "max_pixels", "expected"),
    [
        (1280, 720, 16, 832 * 480, (832, 464)),
        (720, 1280, 16, 832 * 480, (464, 832)),
        (1024, 1024, 32, 768 * 512, (608, 608)),
        (320, 192, 16, 832 * 480, (320, 192)),
    ],
)
def test_size_is_the_models(
    width: int, height: int, multiple_of: int, max_pixels: int, expected: tuple[int, int]
) -> None:
    assert model_size(width, height, multiple_of=multiple_of, max_pixels=max_pixels) == expected


@pytest.mark.parametrize("width", [64, 300, 1280, 1920, 4096])
@pytest.mark.parametrize("height", [64, 300, 720, 1080, 4096])
@pytest.mark.parametrize("multiple_of", [8, 16, 32])
def test_size_divides_and_fits(width: int, height: int, multiple_of: int) -> None:
    size = model_size(width, height, multiple_of=multiple_of, max_pixels=832 * 480)

    assert size[0] % multiple_of == size[1] % multiple_of == 0
    assert size[0] * size[1] <= 832 * 480
    assert abs(size[0] - width * size[1] / height) <= multiple_of * max(1, width / height)


@pytest.mark.parametrize(("count", "fps", "model_fps"), [(120, 24, 16), (1, 24, 16), (150, 30, 24), (48, 12, 24)])
def test_frames_cover_the_clip(count: int, fps: int, model_fps: int) -> None:
    needed = frames_needed(count, fps, model_fps)

    assert (needed - 1) / model_fps >= (count - 1) / fps
    assert (needed - 2) / model_fps < (count - 1) / fps


@pytest.mark.parametrize("frames", [1, 2, 5, 80, 81, 82, 85, 161, 162, 500])
def test_parts_add_up(frames: int) -> None:
    lengths = part_lengths(frames, frames_step=4, max_frames=81)

    assert all(length % 4 == 1 and 5 <= length <= 81 for length in lengths)
    assert sum(lengths) - (len(lengths) - 1) >= frames
    assert sum(lengths) - (len(lengths) - 1) < frames + 4 + 3
    assert max(lengths) - min(lengths) <= 4, "one part is much shorter than another"


def test_no_part_too_many() -> None:
    assert part_lengths(81, frames_step=4, max_frames=81) == [81]
    assert len(part_lengths(161, frames_step=4, max_frames=81)) == 2
    assert len(part_lengths(162, frames_step=4, max_frames=81)) == 3
