"""Image to video: a clip of a camera moving over one picture, as H.264 that the film assembly reads again."""

from pathlib import Path
from typing import TYPE_CHECKING

from models.interfaces import Animator, FrameStream
from models.planes import i420_to_rgb
from models.specs import StoredArtifact, VideoResult, VideoSpec
from pipelines.context import PartOfTask, TaskContext
from pipelines.media import frames
from pipelines.media.video_writer import VideoWriter, check_video

if TYPE_CHECKING:
    from models.interfaces import I420

# An intermediate: encoded again into the film, so it must lose little, yet every bit costs time twice, here and when
# the film decodes it: paper grain at CRF 19 made clips of 30 Mbit/s.
_PRESET, _CRF = "ultrafast", 23


def run(spec: VideoSpec, model: Animator, context: TaskContext) -> VideoResult:
    """Raises RuntimeError when the file does not decode to all of its frames."""
    with context.phase("fetch"):
        image = frames.load_image(context.fetch(spec.image_key))
        depth = frames.load_grey(context.fetch(spec.depth_key)) if spec.depth_key else None
    image = frames.cover_crop(image, spec.width, spec.height)
    if depth is not None:
        depth = frames.cover_crop(depth, spec.width, spec.height)
    video = context.work_dir / "clip.mp4"
    with context.phase("run"):
        stream = model.animate(spec, image, depth, PartOfTask(context, 0.05, 0.8))
        middle = _encode(stream, video)
    with context.phase("decode"):
        check_video(video, stream.count, stream.width, stream.height)
        context.progress(0.95)
    with context.phase("upload"):
        result = VideoResult(
            video=context.store(video, "video/mp4"),
            thumbnail=_store_thumbnail(middle, context),
            duration_s=stream.count / stream.fps,
            fps=stream.fps,
            width=stream.width,
            height=stream.height,
        )
    context.progress(1.0)
    return result


def _encode(stream: FrameStream, path: Path) -> "I420":
    """Write all frames; returns the middle one."""
    middle: I420 | None = None
    with VideoWriter(path, stream.width, stream.height, stream.fps, preset=_PRESET, crf=_CRF) as writer:
        for number, frame in enumerate(stream.frames):
            if number == stream.count // 2:
                middle = frame.copy()
            writer.write(frame)
    if middle is None:
        raise RuntimeError("the model made no frames")
    return middle


def _store_thumbnail(frame: "I420", context: TaskContext) -> StoredArtifact:
    path = context.work_dir / "thumbnail.jpg"
    frames.save_thumbnail(path, i420_to_rgb(frame))
    return context.store(path, "image/jpeg")
