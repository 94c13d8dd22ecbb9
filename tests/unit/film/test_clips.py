from pathlib import Path

import av
import numpy as np
import pytest

from models.specs import CameraMovement, ClipEdit, FilmClip, Filter
from pipelines.context import LocalContext
from pipelines.media.clips import ClipUnreadableError, clip_frames
from pipelines.media.frames import i420_to_rgb

from .material import (
    BLUE,
    FPS,
    GREEN,
    HEIGHT,
    RED,
    WIDTH,
    YELLOW,
    colour_at,
    is_near,
    plain,
    quarters,
    still,
    store_picture,
    store_tone,
    store_video,
    texture,
    video,
)

SIZE = (WIDTH, HEIGHT)


def shown(
    context: LocalContext, clip: FilmClip, count: int, fps: int = FPS, size: tuple[int, int] = SIZE
) -> list[np.ndarray]:
    path = context.root / clip.media_key
    return [i420_to_rgb(frame) for frame in clip_frames(clip, path, size, fps, count)]


def corners(image: np.ndarray) -> list[np.ndarray]:
    return [colour_at(image, x, y) for y in (0.08, 0.92) for x in (0.08, 0.92)]


def edited(context: LocalContext, kind: str, **edit: object) -> np.ndarray:
    """One frame of the four-coloured picture under an edit, as a still or as a video."""
    if kind == "image":
        clip = still(store_picture(context, "q.png", quarters()), edit=ClipEdit(**edit))
    else:
        clip = video(store_video(context, "q.mp4", [quarters()] * 3), edit=ClipEdit(**edit))
    return shown(context, clip, 1)[0]


@pytest.mark.parametrize("kind", ["image", "video"])
@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ({}, [RED, GREEN, BLUE, YELLOW]),
        ({"flip_horizontal": True}, [GREEN, RED, YELLOW, BLUE]),
        ({"flip_vertical": True}, [BLUE, YELLOW, RED, GREEN]),
        ({"rotation": 90}, [BLUE, RED, YELLOW, GREEN]),  # clockwise: what was at the top is on the right
        ({"rotation": 180}, [YELLOW, BLUE, GREEN, RED]),
        ({"rotation": -90}, [GREEN, YELLOW, RED, BLUE]),
        ({"flip_horizontal": True, "rotation": 90}, [YELLOW, GREEN, BLUE, RED]),
        ({"crop_width": 0.4, "crop_height": 0.4}, [RED] * 4),
        ({"crop_x": 0.6, "crop_y": 0.6, "crop_width": 0.4, "crop_height": 0.4}, [YELLOW] * 4),
        ({"crop_x": 0.6}, [GREEN, GREEN, YELLOW, YELLOW]),  # a crop that would leave the picture ends at its edge
        ({"zoom_level": 4, "pan_x": -1, "pan_y": 1}, [BLUE] * 4),
        ({"zoom_level": 2, "pan_x": 0.6}, [GREEN, GREEN, YELLOW, YELLOW]),
    ],
)
def test_edits_move_the_picture(
    context: LocalContext, kind: str, edit: dict[str, object], expected: list[tuple[int, int, int]]
) -> None:
    image = edited(context, kind, **edit)
    for seen, colour in zip(corners(image), expected, strict=True):
        assert is_near(seen, colour)


@pytest.mark.parametrize("size", [SIZE, SIZE[::-1]])
@pytest.mark.parametrize("rotation", [10, -33, 45, 135])
def test_a_turned_picture_fills_the_frame(context: LocalContext, rotation: float, size: tuple[int, int]) -> None:
    image = plain((240, 240, 240), *size)
    image[:3], image[-3:], image[:, :3], image[:, -3:] = 0, 0, 0, 0
    clip = still(store_picture(context, "edge.png", image), edit=ClipEdit(rotation=rotation))
    # The picture's edge shows in the corners at most; a frame that is not filled shows all of it.
    assert (shown(context, clip, 1, size=size)[0] < 128).mean() < 0.004


def test_zoom_enlarges_about_the_middle(context: LocalContext) -> None:
    image = plain((20, 20, 20))
    image[80:100, 150:170] = 230
    clip = still(store_picture(context, "dot.png", image), edit=ClipEdit(zoom_level=3))
    once = shown(context, still("dot.png"), 1)[0]
    thrice = shown(context, clip, 1)[0]
    assert 7.5 < (thrice > 128).sum() / (once > 128).sum() < 10.5
    assert thrice[HEIGHT // 2, WIDTH // 2].min() > 200


@pytest.mark.parametrize("kind", ["image", "video"])
def test_a_filter_is_applied(context: LocalContext, kind: str) -> None:
    image = edited(context, kind, filter_type=Filter.GRAYSCALE)
    assert (image.max(axis=2).astype(int) - image.min(axis=2)).max() <= 3


@pytest.mark.parametrize("duration_s", [2, 20])
@pytest.mark.parametrize("movement", CameraMovement)
def test_a_still_is_never_frozen_for_a_second(context: LocalContext, movement: CameraMovement, duration_s: int) -> None:
    clip = still(store_picture(context, "t.png", texture()), duration_s=duration_s, camera_movement=movement)
    frames = [frame.astype(np.int16) for frame in shown(context, clip, duration_s * FPS)]
    assert min(np.abs(a - b).mean() for a, b in zip(frames, frames[FPS:], strict=False)) > 1.0


def test_camera_moves_go_where_they_say(context: LocalContext) -> None:
    store_picture(context, "t.png", texture())

    def drift(movement: CameraMovement, axis: int) -> float:
        """How far the picture's content moves along an axis between the first and the last frame, in
        pixels."""
        frames = shown(context, still("t.png", duration_s=3, camera_movement=movement), 3 * FPS)
        first, last = (frame[..., 1].astype(float) - frame[..., 1].mean() for frame in (frames[0], frames[-1]))
        spectrum = np.fft.fft2(first).conj() * np.fft.fft2(last)
        peak = np.unravel_index(np.fft.ifft2(spectrum / np.abs(spectrum)).real.argmax(), first.shape)[axis]
        return float(peak if peak < first.shape[axis] / 2 else peak - first.shape[axis])

    assert drift(CameraMovement.PAN_RIGHT, 1) < -5 < 5 < drift(CameraMovement.PAN_LEFT, 1)
    assert drift(CameraMovement.TILT_DOWN, 0) < -5 < 5 < drift(CameraMovement.TILT_UP, 0)


# --- videos -------------------------------------------------------------------------------------------------


def counting(count: int) -> list[np.ndarray]:
    """Frame ``i`` has brightness 20 + 8 i."""
    return [plain((20 + 8 * number,) * 3) for number in range(count)]


def numbers(frames: list[np.ndarray]) -> list[int]:
    return [round((float(frame.mean()) - 20) / 8) for frame in frames]


def test_a_video_keeps_its_frames(context: LocalContext) -> None:
    clip = video(store_video(context, "n.mp4", counting(24)))
    assert numbers(shown(context, clip, 24)) == list(range(24))


def test_a_video_follows_the_films_rate(context: LocalContext) -> None:
    clip = video(store_video(context, "n.mp4", counting(24)))
    assert numbers(shown(context, clip, 48, fps=24)) == [number // 2 for number in range(48)]
    assert numbers(shown(context, clip, 12, fps=6)) == list(range(0, 24, 2))


def test_a_video_shorter_than_its_clip_goes_on_moving(context: LocalContext) -> None:
    frames = [texture(seed=seed) for seed in range(FPS)]
    clip = video(store_video(context, "s.mp4", frames), duration_s=5)
    out = [frame.astype(np.int16) for frame in shown(context, clip, 5 * FPS)]
    assert np.abs(out[FPS + 2] - out[FPS - 1]).mean() < 12  # still the last picture
    assert all(np.abs(a - b).mean() > 1.0 for a, b in zip(out[FPS:], out[2 * FPS :], strict=False))


def test_a_longer_video_is_trimmed(context: LocalContext) -> None:
    clip = video(store_video(context, "n.mp4", counting(24)), duration_s=1)
    assert numbers(shown(context, clip, 12)) == list(range(12))


@pytest.mark.parametrize("size", [(180, 320), (426, 180), (240, 180), (854, 720), (640, 272)])
def test_any_shape_is_filled_without_bars(context: LocalContext, size: tuple[int, int]) -> None:
    store_video(context, "q.mp4", [quarters()] * 2)
    store_picture(context, "q.png", quarters(321, 181))
    for clip in (video("q.mp4"), still("q.png")):
        image = shown(context, clip, 1, size=size)[0]
        assert image.shape == (size[1], size[0], 3)
        for seen, colour in zip(corners(image), [RED, GREEN, BLUE, YELLOW], strict=True):
            assert is_near(seen, colour)


def test_a_phones_upright_video_stands_upright(context: LocalContext) -> None:
    store_video(context, "q.mp4", [quarters()] * 4)
    # The file says "turn me by 90 degrees clockwise", as a phone held upright does.
    turned = context.root / "turned.mp4"
    with av.open(str(context.root / "q.mp4")) as source, av.open(str(turned), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    data = turned.read_bytes()
    unity = b"".join(n.to_bytes(4, "big") for n in (65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30))
    quarter = b"".join((n % (1 << 32)).to_bytes(4, "big") for n in (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30))
    track = data.index(b"tkhd")
    at = data.index(unity, track)
    turned.write_bytes(data[:at] + quarter + data[at + len(quarter) :])
    image = shown(context, video("turned.mp4"), 1, size=(180, 320))[0]
    for seen, colour in zip(corners(image), [BLUE, RED, YELLOW, GREEN], strict=True):
        assert is_near(seen, colour)


@pytest.mark.parametrize("content", [b"", b"not a media file at all" * 50])
@pytest.mark.parametrize("kind", ["image", "video"])
def test_a_broken_file_is_named_as_such(context: LocalContext, kind: str, content: bytes) -> None:
    path: Path = context.root / "broken"
    path.write_bytes(content)
    clip = FilmClip(kind=kind, media_key="broken", start_s=0, duration_s=1)
    with pytest.raises(ClipUnreadableError):
        shown(context, clip, 1)


def test_sound_is_no_video(context: LocalContext) -> None:

    store_tone(context, "tone.flac", 0.5)
    with pytest.raises(ClipUnreadableError, match="no video"):
        shown(context, video("tone.flac"), 1)
