"""How one picture gives way to the next, on I420 planes."""

from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.planes import empty_frame, planes
from models.specs import Transition

if TYPE_CHECKING:
    from models.interfaces import I420, Grey

_SOFT_EDGE = 0.05  # of the frame's width, for wipes
_GROUND_LUMA = {Transition.FADE_BLACK: 16, Transition.FADE_WHITE: 235}


def plain(width: int, height: int, luma: int = 16) -> "I420":
    """A frame of one grey; 16 is black and 235 is white."""
    frame = empty_frame(width, height)
    frame[:height] = luma
    frame[height:] = 128
    return frame


def blend(kind: Transition, before: "I420", after: "I420", progress: float, out: "I420") -> None:
    """Write into ``out`` the picture at ``progress`` (0 is ``before``, 1 is ``after``) of a transition;
    ``out`` may be ``before``."""
    match kind:
        case Transition.CUT:
            out[:] = after
        case Transition.CROSSFADE:
            cv2.addWeighted(before, 1 - progress, after, progress, 0, dst=out)
        case Transition.FADE_BLACK | Transition.FADE_WHITE:
            _through(_GROUND_LUMA[kind], before, after, progress, out)
        case Transition.WIPE_LEFT | Transition.WIPE_RIGHT:
            _wipe(kind is Transition.WIPE_LEFT, before, after, _ease(progress), out)
        case Transition.SLIDE_LEFT | Transition.SLIDE_UP:
            _slide(kind is Transition.SLIDE_LEFT, before, after, _ease(progress), out)


def closing(kind: Transition, frame: "I420", progress: float) -> None:
    """The end of the film in place: a transition into white after ``FADE_WHITE``, else into black."""
    rows, width = frame.shape
    ground = plain(width, rows * 2 // 3, _GROUND_LUMA.get(kind, 16))
    # Fading through black into black would be over at half time.
    fades = kind in _GROUND_LUMA
    blend(Transition.CROSSFADE if fades else kind, frame, ground, progress, frame)


def _ease(progress: float) -> float:
    return progress * progress * (3 - 2 * progress)


def _through(luma: int, before: "I420", after: "I420", progress: float, out: "I420") -> None:
    source, share = (before, 1 - 2 * progress) if progress < 0.5 else (after, 2 * progress - 1)
    for number, (plane, target) in enumerate(zip(planes(source), planes(out), strict=True)):
        ground = luma if number == 0 else 128
        cv2.convertScaleAbs(plane, dst=target, alpha=share, beta=ground * (1 - share))


def _wipe(to_left: bool, before: "I420", after: "I420", progress: float, out: "I420") -> None:
    """A soft vertical edge runs over the frame and uncovers ``after``."""
    for old, new, target in zip(planes(before), planes(after), planes(out), strict=True):
        width = old.shape[1]
        soft = max(1.0, width * _SOFT_EDGE)
        place = np.arange(width, dtype=np.float32) + 0.5
        if to_left:
            place = width - place
        shown = np.clip((progress * (width + soft) - place) / soft, 0, 1)
        _mix_columns(old, new, shown, target)


def _mix_columns(old: "Grey", new: "Grey", shown: "np.ndarray", target: "Grey") -> None:
    whole, none = shown == 1, shown == 0
    edge = ~(whole | none)
    mixed = old[:, edge] * (1 - shown[edge]) + new[:, edge] * shown[edge]
    target[:, none] = old[:, none]
    target[:, whole] = new[:, whole]
    target[:, edge] = np.rint(mixed).astype(np.uint8)


def _slide(sideways: bool, before: "I420", after: "I420", progress: float, out: "I420") -> None:
    """``after`` pushes ``before`` out of the frame."""
    rows, width = before.shape
    length = width if sideways else rows * 2 // 3
    gone = round(progress * length / 2)
    for number, (old, new, target) in enumerate(zip(planes(before), planes(after), planes(out), strict=True)):
        pushed = gone * 2 if number == 0 else gone
        parts = (old[:, pushed:], new[:, :pushed]) if sideways else (old[pushed:], new[:pushed])
        target[:] = np.concatenate(parts, axis=1 if sideways else 0)
