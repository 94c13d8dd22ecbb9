"""The picture pipelines over a plain directory: what is stored, what is refused, what passes through."""

import hashlib
from pathlib import Path

import av
import numpy as np
import pytest

from models.draft.motion import DraftAnimator
from models.draft.painter import DraftPainter
from models.interfaces import PaintedImage, UserInputError
from models.specs import CameraMovement, VideoSpec
from pipelines import image_to_image, image_to_video, text_to_image
from pipelines.context import LocalContext, TaskCancelled
from pipelines.media import frames
from pipelines.media.video_writer import VideoWriter, check_video
from tests.unit.draft.pictures import GIRL, difference, spec


@pytest.fixture
def context(tmp_path: Path) -> LocalContext:
    return LocalContext(tmp_path)


def test_a_picture_its_thumbnail_and_its_depth_are_stored(context: LocalContext):
    result = text_to_image.run(spec("a beach at sunset", subjects=[GIRL]), DraftPainter(), context)
    image = frames.load_image(context.fetch(result.image.key))
    assert image.shape == (270, 480, 3)
    assert frames.load_image(context.fetch(result.thumbnail.key)).shape == (180, 320, 3)
    assert result.depth is not None
    assert frames.load_grey(context.fetch(result.depth.key)).shape == (270, 480)
    assert context.fractions == sorted(context.fractions)
    assert context.fractions[-1] == 1.0
    assert set(context.phases) == {"fetch", "run", "upload"}


def test_a_blank_picture_is_never_stored(context: LocalContext):
    class Blank(DraftPainter):
        def paint(self, asked, images, report):
            return PaintedImage(np.full((asked.height, asked.width, 3), 90, np.uint8))

    with pytest.raises(RuntimeError, match="blank"):
        text_to_image.run(spec("sea"), Blank(), context)
    assert not (context.root / "content").exists()


def test_a_reference_that_is_no_picture_is_the_users_to_change(context: LocalContext):
    (context.root / "note.png").write_text("not a picture")
    with pytest.raises(UserInputError) as refused:
        text_to_image.run(spec("sea", reference_keys=["note.png"]), DraftPainter(), context)
    assert refused.value.field == "reference_image_url"
    with pytest.raises(UserInputError):
        image_to_image.run(spec("sea"), DraftPainter(), context)


def test_image_to_image_changes_the_picture_it_is_given(context: LocalContext):
    first = text_to_image.run(spec("a beach at noon, boat"), DraftPainter(), context)
    asked = spec("night", reference_keys=[first.image.key], width=360, height=360)
    result = image_to_image.run(asked, DraftPainter(), context)
    night = frames.load_image(context.fetch(result.image.key))
    assert night.shape == (360, 360, 3)
    assert night.mean() < frames.load_image(context.fetch(first.image.key)).mean() * 0.7


def clip(context: LocalContext, **fields: object) -> VideoSpec:
    picture = text_to_image.run(spec("a forest", subjects=[GIRL]), DraftPainter(), context)
    given = {"duration_s": 1.5, "fps": 24, "width": 320, "height": 180, **fields}
    depth_key = picture.depth.key if picture.depth else None
    return VideoSpec(image_key=picture.image.key, depth_key=depth_key, **given)


def test_a_clip_has_its_frames_its_size_and_its_tags(context: LocalContext):
    result = image_to_video.run(clip(context, camera_movement=CameraMovement.ORBIT), DraftAnimator(), context)
    with av.open(str(context.fetch(result.video.key))) as container:
        stream = container.streams.video[0]
        assert not container.streams.audio
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (int(stream.codec_context.color_primaries), int(stream.codec_context.colorspace)) == (1, 1)
        decoded = list(container.decode(stream))
        assert "creation_time" not in container.metadata
    assert len(decoded) == 36
    assert {(frame.width, frame.height) for frame in decoded} == {(320, 180)}
    assert result.duration_s == pytest.approx(1.5)
    first, last = (decoded[index].to_ndarray(format="rgb24") for index in (0, -1))
    assert difference(first, last) > 1


def test_the_same_clip_has_the_same_bytes(context: LocalContext):
    asked = clip(context)
    digests = {image_to_video.run(asked, DraftAnimator(), context).video.sha256 for _ in range(3)}
    assert len(digests) == 1


def test_a_picture_of_another_ratio_is_cut_and_never_letterboxed(context: LocalContext):
    result = image_to_video.run(clip(context, width=180, height=320, duration_s=0.5), DraftAnimator(), context)
    with av.open(str(context.fetch(result.video.key))) as container:
        frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert frame.shape == (320, 180, 3)
    assert frame[:8].std() > 2
    assert min(frame[:8].mean(), frame[-8:].mean()) > 12


def test_cancelling_stops_the_clip_and_leaves_no_file(context: LocalContext):
    asked = clip(context, duration_s=4.0)
    seen: list[float] = []

    def cancel(fraction: float, preview: object = None) -> None:
        seen.append(fraction)
        if fraction > 0.3:
            raise TaskCancelled

    context.progress = cancel  # type: ignore[method-assign]
    with pytest.raises(TaskCancelled):
        image_to_video.run(asked, DraftAnimator(), context)
    assert max(seen) < 0.6
    assert not (context.work_dir / "clip.mp4").exists()


def test_a_file_with_missing_frames_fails_its_check(tmp_path: Path):
    path = tmp_path / "short.mp4"
    frame = np.zeros((96, 64), np.uint8)
    with VideoWriter(path, 64, 64, 24) as writer:
        for number in range(10):
            frame[:] = number * 20
            writer.write(frame)
    check_video(path, 10, 64, 64)
    with pytest.raises(RuntimeError, match="10 frames"):
        check_video(path, 11, 64, 64)


def test_cover_crop_fills_every_size_from_the_middle():
    image = np.zeros((100, 200, 3), np.uint8)
    image[:, 60:140] = 255
    for width, height in ((64, 64), (50, 300), (301, 77), (200, 100)):
        assert frames.cover_crop(image, width, height).shape == (height, width, 3)
    assert frames.cover_crop(image, 64, 64)[32, 32].min() == 255


def test_a_picture_that_announces_too_many_pixels_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "big.png"
    frames.save_png(path, np.zeros((40, 50, 3), np.uint8))
    monkeypatch.setattr(frames, "MAX_PIXELS", 1999)
    with pytest.raises(frames.UnreadableImageError, match="50x40"):
        frames.load_image(path)


def test_saved_pictures_read_back_and_repeat(tmp_path: Path):
    image = np.random.default_rng(1).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    path = tmp_path / "a.png"
    frames.save_png(path, image)
    assert (frames.load_image(path) == image).all()
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    frames.save_png(path, image)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
