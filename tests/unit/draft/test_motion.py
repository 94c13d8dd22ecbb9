"""Camera moves over a still: never frozen, never past the picture's edge, near before far."""

import cv2
import numpy as np
import pytest

from models.camera import view_at
from models.draft.motion import DraftAnimator
from models.interfaces import UserInputError
from models.planes import i420_to_rgb, planes, rgb_to_i420, rgb_to_planes
from models.specs import CameraMovement, VideoSpec
from tests.unit.draft.pictures import FISHER, GIRL, difference, paint, spec

WIDTH, HEIGHT, FPS = 480, 270, 12


def video(movement: CameraMovement, **fields: object) -> VideoSpec:
    given = {"image_key": "x", "duration_s": 3.0, "fps": FPS, "width": WIDTH, "height": HEIGHT, **fields}
    return VideoSpec(camera_movement=movement, **given)


def frames_of(asked: VideoSpec, image: np.ndarray, depth: np.ndarray | None) -> list[np.ndarray]:
    stream = DraftAnimator().animate(asked, image, depth, lambda fraction: None)
    frames = list(stream.frames)
    assert len(frames) == stream.count
    return frames


@pytest.fixture(scope="module")
def beach() -> tuple[np.ndarray, np.ndarray]:
    painted = paint(spec("two people on a beach at sunset, a boat", subjects=[GIRL, FISHER]))
    assert painted.depth is not None
    return painted.pixels, painted.depth


@pytest.mark.parametrize("movement", list(CameraMovement))
@pytest.mark.parametrize("with_depth", [True, False])
@pytest.mark.parametrize("duration_s", [2.5, 12.0])
def test_no_move_is_ever_frozen_for_a_second(
    movement: CameraMovement, with_depth: bool, duration_s: float, beach: tuple[np.ndarray, np.ndarray]
):
    image, depth = beach
    frames = frames_of(video(movement, duration_s=duration_s), image, depth if with_depth else None)
    for first, second in zip(frames, frames[FPS:], strict=False):
        assert difference(planes(first)[0], planes(second)[0]) > 0.3


@pytest.mark.parametrize("movement", list(CameraMovement))
def test_the_view_never_leaves_the_picture(movement: CameraMovement):
    """On a picture that is white but for a black rim, no black comes into view."""
    image = np.full((HEIGHT, WIDTH, 3), 235, np.uint8)
    cv2.rectangle(image, (0, 0), (WIDTH - 1, HEIGHT - 1), (0, 0, 0), 3)
    depth = np.repeat(np.linspace(0, 200, HEIGHT).astype(np.uint8)[:, None], WIDTH, axis=1)
    for seed in (0, 1, 12345):
        for frame in frames_of(video(movement, seed=seed), image, depth):
            luma = planes(frame)[0]
            rim = np.concatenate([luma[0], luma[-1], luma[:, 0], luma[:, -1]])
            assert rim.min() > 150


def test_near_things_move_more_than_far_ones():
    image = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    depth = np.full((HEIGHT, WIDTH), 10, np.uint8)
    image[40:80, 100:120] = (250, 40, 40)  # far: part of the ground
    image[150:230, 230:260] = (40, 250, 40)  # near
    depth[150:230, 230:260] = 240
    first, *_, last = frames_of(video(CameraMovement.PAN_RIGHT, duration_s=2.0), image, depth)

    def columns(frame: np.ndarray, channel: int) -> float:
        rgb = i420_to_rgb(frame).astype(int)
        marked = (rgb[..., channel] > 190) & (np.delete(rgb, channel, axis=2).max(axis=2) < 120)
        return float(np.nonzero(marked)[1].mean())

    far, near = (columns(first, channel) - columns(last, channel) for channel in (0, 1))
    assert far > 10
    assert near > far + 8


def test_what_was_behind_a_near_thing_is_filled_from_around_it():
    image = np.full((HEIGHT, WIDTH, 3), (60, 110, 200), np.uint8)
    depth = np.zeros((HEIGHT, WIDTH), np.uint8)
    image[80:200, 200:280] = (240, 220, 30)
    depth[80:200, 200:280] = 230
    for frame in frames_of(video(CameraMovement.ORBIT, duration_s=2.0), image, depth)[::6]:
        rgb = i420_to_rgb(frame).astype(int)
        blue, yellow = rgb[..., 2] - rgb[..., 0] > 60, rgb[..., 0] - rgb[..., 2] > 60
        # Nothing but the two colours and a thin mixed edge: neither holes nor a second copy.
        assert (~(blue | yellow)).mean() < 0.02
        assert 80 < yellow[HEIGHT // 2].sum() < 102


@pytest.mark.parametrize("movement", list(CameraMovement))
def test_moves_are_smooth(movement: CameraMovement):
    """The step from frame to frame changes by less than a 600th part of the picture's width."""
    views = [view_at(movement, number / 24, 4.0, 7) for number in range(96)]
    path = np.array([(view.x + view.shift_x, view.y + view.shift_y, view.zoom, view.roll / 90) for view in views])
    assert np.linalg.norm(np.diff(path, n=2, axis=0), axis=1).max() < 0.0015


def test_opposite_moves_are_opposite():
    for first, second in (("pan_left", "pan_right"), ("tilt_up", "tilt_down"), ("push_in", "pull_out")):
        there = view_at(CameraMovement(first), 3.0, 3.0)
        back = view_at(CameraMovement(second), 0.0, 3.0)
        assert abs(there.zoom - back.zoom) < 0.02
        assert abs(there.x - back.x) < 0.01
        assert abs(there.y - back.y) < 0.01


def test_the_seed_changes_a_handheld_move_and_equal_seeds_do_not(beach: tuple[np.ndarray, np.ndarray]):
    one, same, other = (
        frames_of(video(CameraMovement.HANDHELD, seed=seed, duration_s=1.0), *beach) for seed in (3, 3, 4)
    )
    assert all((first == second).all() for first, second in zip(one, same, strict=True))
    assert difference(one[-1], other[-1]) > 0.5


def test_rain_that_the_prompt_names_falls_and_is_not_there_otherwise(beach: tuple[np.ndarray, np.ndarray]):
    dry, wet, snowy = (
        frames_of(video(CameraMovement.STATIC, prompt=prompt, duration_s=1.0), *beach)
        for prompt in ("a beach without rain", "雨中的海滩", "snow on the beach")
    )
    for frames in (wet, snowy):
        falling = [planes(frame)[0].astype(int) - planes(bare)[0] for frame, bare in zip(frames, dry, strict=True)]
        assert min(drops.max() for drops in falling) > 30
        assert np.abs(falling[0] - falling[1]).mean() > 0.1
    assert difference(wet[0], snowy[0]) > 0.1


def test_an_odd_size_is_refused():
    with pytest.raises(UserInputError):
        DraftAnimator().animate(video(CameraMovement.STATIC, width=481), np.zeros((10, 10, 3), np.uint8), None, print)


def test_planes_keep_colours_and_half_planes_stay_in_register():
    rng = np.random.default_rng(0)
    image = cv2.resize(rng.integers(20, 235, (9, 16, 3), dtype=np.uint8), (320, 180), interpolation=cv2.INTER_CUBIC)
    assert difference(i420_to_rgb(rgb_to_i420(image)), image) < 2
    primaries = np.zeros((2, 2, 3), np.uint8)
    primaries[:] = (255, 255, 255)
    luma, blue, red = rgb_to_planes(primaries)
    assert (luma == 235).all()
    assert (blue == 128).all()
    assert (red == 128).all()
