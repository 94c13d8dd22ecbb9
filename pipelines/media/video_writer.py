"""Writing I420 frames to an H.264 file. The same frames always give the same bytes, on any machine with this libav."""

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

import av
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

if TYPE_CHECKING:
    from models.interfaces import I420


class VideoWriter:
    """Context manager: ``write`` takes frames in order, leaving it finishes the file, an exception removes it.

    ``threads`` is fixed and never taken from the machine, because the encoder's output depends on it. An open
    ``container`` takes further streams until the first frame is written.
    """

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        fps: int,
        *,
        codec: str = "libx264",
        preset: str = "veryfast",
        crf: int = 18,
        gop: int = 24,
        threads: int = 1,
        options: dict[str, str] | None = None,
        metadata: dict[str, str] | None = None,
    ) -> None:
        self.path = path
        self.count = 0
        # bitexact leaves out what would change from build to build: the muxer's name and version.
        self.container = av.open(
            str(path),
            "w",
            options={"movflags": "+faststart"},
            container_options={"fflags": "+bitexact"},
        )
        self.container.metadata.update(metadata or {})
        quality = {"preset": preset, "crf": str(crf)} if codec == "libx264" else {}
        stream = self.container.add_stream(codec, rate=fps, options={**quality, **(options or {})})
        self.stream = cast(av.VideoStream, stream)
        context = self.stream.codec_context
        context.width, context.height, context.pix_fmt = width, height, "yuv420p"
        context.gop_size = gop
        context.thread_count = threads
        context.colorspace = Colorspace.ITU709
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
        context.color_range = ColorRange.MPEG

    def write(self, frame: "I420") -> None:
        """Encode the next frame; the array may be reused as soon as this returns."""
        picture = av.VideoFrame.from_ndarray(frame, format="yuv420p")
        picture.pts = self.count
        self.count += 1
        self.container.mux(self.stream.encode(picture))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.container.close()
            self.path.unlink(missing_ok=True)
            return
        self.container.mux(self.stream.encode(None))
        self.container.close()


def check_video(path: Path, frames: int, width: int, height: int) -> None:
    """Read every packet, decode the first frame of every group and compare. Raises RuntimeError naming what is wrong.

    The film that a clip becomes part of is decoded whole, so this only has to find what would waste its encoding.
    """
    packets = decoded = groups = 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.skip_frame = "NONKEY"
        for packet in container.demux(stream):
            packets += packet.size > 0
            groups += packet.size > 0 and packet.is_keyframe
            for frame in packet.decode():
                if (frame.width, frame.height) != (width, height):
                    raise RuntimeError(f"{path.name}: a frame has {frame.width}x{frame.height} pixels")
                decoded += 1
    if packets != frames or decoded != groups or not groups:
        raise RuntimeError(f"{path.name} has {packets} frames instead of {frames}, {decoded} of {groups} groups decode")
