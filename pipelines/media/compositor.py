"""The film's pictures in order: which clips are on screen at a frame, their transitions, and the
subtitles."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from models.planes import empty_frame
from models.specs import EncodeSpec, FilmClip, Transition
from pipelines.media import transitions
from pipelines.media.cues import Cue
from pipelines.media.geometry import Size
from pipelines.media.overlay import Overlay

if TYPE_CHECKING:
    from models.interfaces import I420

    Frames = Callable[[int], Iterator[I420]]  # makes that many frames


@dataclass
class Segment:
    """A stretch of the film from one source, in frames. ``transition`` leads to the next one while both
    run."""

    first: int
    count: int
    transition: Transition
    frames: "Frames"

    @property
    def end(self) -> int:
        return self.first + self.count


@dataclass(frozen=True)
class Plan:
    """``closing`` is the transition into black or white over the last ``closing_frames`` frames."""

    segments: list[Segment]
    total: int
    closing: Transition
    closing_frames: int


def film_duration_s(spec: EncodeSpec) -> float:
    """Length of the clips' timeline in seconds, without the cover."""
    return max(clip.start_s + clip.duration_s for clip in spec.clips)


def plan_film(
    spec: EncodeSpec,
    clip_source: "Callable[[int, FilmClip], Frames]",
    cover: "Frames | None",
    offset_s: float,
    cover_fade_s: float,
) -> Plan:
    """Lay the clips, and the cover before them, on the grid of frames. Every frame is covered: where
    rounding or the timeline leaves a gap, the clip before it lasts longer."""
    fps = spec.fps

    def at(time_s: float) -> int:
        return round((offset_s + time_s) * fps)

    order = sorted(range(len(spec.clips)), key=lambda number: (spec.clips[number].start_s, number))
    segments = []
    for number in order:
        clip = spec.clips[number]
        first, end = at(clip.start_s), at(clip.start_s + clip.duration_s)
        segments.append(Segment(first, max(1, end - first), clip.transition, clip_source(number, clip)))
    total = max(segment.end for segment in segments)
    opening = at(0.0)
    if segments[0].first > opening:
        segments[0].count += segments[0].first - opening
        segments[0].first = opening
    for before, after in pairwise(segments):
        before.count = max(before.count, after.first - before.first)
    if cover is not None:
        fade = round(cover_fade_s * fps)
        segments.insert(0, Segment(0, min(opening + fade, total), Transition.CROSSFADE, cover))
    last = spec.clips[order[-1]]
    closing_frames = 0 if last.transition is Transition.CUT else round(last.transition_duration_s * fps)
    return Plan(segments, total, last.transition, min(closing_frames, segments[-1].count))


def film_frames(plan: Plan, size: Size) -> "Iterator[I420]":
    """Every frame of the film, without subtitles. A frame is overwritten when the next one is asked for."""
    waiting = list(plan.segments)
    running: list[tuple[Segment, Iterator[I420]]] = []
    canvas = empty_frame(*size)
    for number in range(plan.total):
        while waiting and waiting[0].first <= number:
            segment = waiting.pop(0)
            running.append((segment, segment.frames(segment.count)))
        running = [pair for pair in running if pair[0].end > number]
        frame = next(running[0][1])
        for (before, _), (after, frames) in pairwise(running):
            overlap = before.end - after.first
            progress = min(1.0, (number - after.first + 1) / (overlap + 1))
            transitions.blend(before.transition, frame, next(frames), progress, canvas)
            frame = canvas
        left = plan.total - number
        if left <= plan.closing_frames:
            progress = 1 - (left - 1) / plan.closing_frames
            transitions.closing(plan.closing, frame, progress)
        yield frame


class SubtitleTrack:
    """Draws cues into frames; a cue is set once and kept while it is on screen."""

    def __init__(self, cues: list[Cue], draw: Callable[[Cue], Overlay], fps: int) -> None:
        self._cues, self._draw, self._fps = cues, draw, fps
        self._at = 0
        self._tile: Overlay | None = None

    def apply(self, frame: "I420", number: int) -> None:
        """Draw the cue of frame ``number``, if there is one; numbers rise."""
        # A frame stands for the time it is on screen: its middle decides.
        time_s = (number + 0.5) / self._fps
        while self._at < len(self._cues) and self._cues[self._at].end_s <= time_s:
            self._at += 1
            self._tile = None
        if self._at == len(self._cues) or self._cues[self._at].start_s > time_s:
            return
        if self._tile is None:
            self._tile = self._draw(self._cues[self._at])
        self._tile.blend(frame)
