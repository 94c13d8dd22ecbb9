"""Timeline arithmetic: how long a clip is, where it starts, where its speech starts. Pure; everything in seconds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from models.draft.script.text import speech_seconds
from models.specs import CameraMovement, Transition

FPS = 24
SPEECH_LEAD_S = 0.2
SPEECH_TAIL_S = 0.2
LINE_GAP_S = 0.25
SPEECH_APART_S = 0.1
"""Least pause between the speech of one clip that runs on and that of the next."""
MIN_SPEECH_S = 0.1
MIN_CLIP_S = 0.5
MAX_CLIP_S = 120.0
MAX_TRANSITION_S = 3.0

DEFAULT_TRANSITION_S = {
    Transition.CUT: 0.0,
    Transition.CROSSFADE: 0.6,
    Transition.FADE_BLACK: 0.8,
    Transition.FADE_WHITE: 0.8,
    Transition.WIPE_LEFT: 0.6,
    Transition.WIPE_RIGHT: 0.6,
    Transition.SLIDE_LEFT: 0.6,
    Transition.SLIDE_UP: 0.6,
}


@dataclass(frozen=True)
class ClipTiming:
    """What decides a clip's time. ``speech_s`` are its lines' durations in the order they are spoken."""

    planned_s: float
    user_duration_s: float | None
    transition: Transition
    transition_s: float
    speech_s: Sequence[float] = ()


@dataclass(frozen=True)
class PlacedClip:
    start_s: float
    duration_s: float
    transition_s: float
    """As it fits: never more than two fifths of either clip."""
    speech_start_s: list[float] = field(default_factory=list)
    speech_overrun: bool = False

    @property
    def end_s(self) -> float:
        return self.start_s + self.duration_s


_CAMERA_WORDS = {
    CameraMovement.STATIC: ("固定镜头", "镜头固定", "static camera", "locked"),
    CameraMovement.PUSH_IN: ("推近", "推进", "推镜", "拉近", "zoom in", "push in", "dolly in", "move closer"),
    CameraMovement.PULL_OUT: ("拉远", "后拉", "拉镜", "zoom out", "pull out", "pull back", "dolly out"),
    CameraMovement.PAN_LEFT: ("左摇", "左移", "向左", "pan left", "pans left", "to the left"),
    CameraMovement.PAN_RIGHT: ("右摇", "右移", "向右", "pan right", "pans right", "to the right"),
    CameraMovement.TILT_UP: ("上摇", "上移", "镜头向上", "tilt up", "tilts up"),
    CameraMovement.TILT_DOWN: ("下摇", "下移", "镜头向下", "tilt down", "tilts down"),
    CameraMovement.ORBIT: ("环绕", "orbit", "circle around"),
    CameraMovement.HANDHELD: ("手持", "handheld", "hand-held"),
}


def camera_named(prompt: str) -> CameraMovement | None:
    """The camera move a user's prompt asks for; the last one where it names several."""
    text = prompt.casefold()
    found = [
        (text.rindex(word) + len(word), movement)
        for movement, words in _CAMERA_WORDS.items()
        for word in words
        if word in text
    ]
    return max(found, key=lambda item: item[0])[1] if found else None


def speech_length(durations_s: Sequence[float]) -> float:
    return sum(durations_s) + LINE_GAP_S * max(0, len(durations_s) - 1)


def on_frame(seconds: float) -> float:
    """Rounded up to a whole frame."""
    return math.ceil(seconds * FPS - 1e-6) / FPS


def clip_duration(clip: ClipTiming) -> float:
    """As long as planned or as its speech needs; what the user set is kept even where the speech runs over it."""
    if clip.user_duration_s is not None:
        return on_frame(clip.user_duration_s)
    spoken = speech_length(clip.speech_s)
    needed = spoken + SPEECH_LEAD_S + SPEECH_TAIL_S if clip.speech_s else 0.0
    return on_frame(max(clip.planned_s, needed))


def place(clips: Sequence[ClipTiming]) -> list[PlacedClip]:
    """Lay clips end to end: a transition sits at a clip's end and the next clip starts at ``end - transition``. Speech
    that runs over its clip pushes the speech of the next one, never over it."""
    least = [clip_duration(clip) for clip in clips]
    placed: list[PlacedClip] = []
    start_s, spoken_until_s = 0.0, -SPEECH_APART_S
    for index, clip in enumerate(clips):
        starts: list[float] = []
        at_s = max(start_s + SPEECH_LEAD_S, spoken_until_s + SPEECH_APART_S)
        for line_s in clip.speech_s:
            starts.append(round(at_s, 4))
            spoken_until_s = at_s + line_s
            at_s = spoken_until_s + LINE_GAP_S
        duration_s = least[index]
        if starts and clip.user_duration_s is None:
            # Speech that was pushed by the clip before still fits into its own.
            duration_s = max(duration_s, on_frame(spoken_until_s + SPEECH_TAIL_S - start_s))
        wanted = 0.0 if clip.transition is Transition.CUT else clip.transition_s
        neighbours = [duration_s, *least[index + 1 : index + 2]]
        transition_s = math.floor(min(wanted, 0.4 * min(neighbours)) * FPS + 1e-6) / FPS
        overrun = bool(starts) and spoken_until_s > start_s + duration_s + 1e-6
        placed.append(PlacedClip(round(start_s, 6), duration_s, transition_s, starts, overrun))
        start_s += duration_s - (transition_s if index + 1 < len(clips) else 0.0)
    return placed


def total_duration(placed: Sequence[PlacedClip]) -> float:
    return round(placed[-1].end_s, 6) if placed else 0.0


def film_duration(placed: Sequence[PlacedClip], speech_s: Sequence[Sequence[float]]) -> float:
    """Like total_duration, but long enough for speech that runs over the last clip."""
    ends = [
        start + length
        for clip, lengths in zip(placed, speech_s, strict=True)
        for start, length in zip(clip.speech_start_s, lengths, strict=True)
    ]
    return max([total_duration(placed), *ends])


def batch_status(states: Sequence[str], *, was_cancelled: bool) -> str:
    """Of videos that were asked for together, from theirs: failed only where nothing came of it, and something
    failed."""
    if any(state in {"pending", "processing"} for state in states):
        return "pending" if all(state == "pending" for state in states) else "processing"
    if was_cancelled:
        return "cancelled"
    return next((state for state in ("completed", "failed") if state in states), "cancelled")


def estimate_speech_s(text: str, speed: float) -> float:
    """How long a text will take to speak; only used before it was spoken."""
    return round(max(0.3, speech_seconds(text)) / speed, 2)


def is_speakable(text: str) -> bool:
    return any(char.isalnum() for char in text)
