"""Enumerations, most of which the API lists in input/options."""

from enum import StrEnum


class CameraMovement(StrEnum):
    STATIC = "static"
    PUSH_IN = "push_in"
    PULL_OUT = "pull_out"
    PAN_LEFT = "pan_left"
    PAN_RIGHT = "pan_right"
    TILT_UP = "tilt_up"
    TILT_DOWN = "tilt_down"
    ORBIT = "orbit"
    HANDHELD = "handheld"


class Transition(StrEnum):
    CUT = "cut"
    CROSSFADE = "crossfade"
    FADE_BLACK = "fade_black"
    FADE_WHITE = "fade_white"
    WIPE_LEFT = "wipe_left"
    WIPE_RIGHT = "wipe_right"
    SLIDE_LEFT = "slide_left"
    SLIDE_UP = "slide_up"


class Filter(StrEnum):
    NONE = "none"
    GRAYSCALE = "grayscale"
    SEPIA = "sepia"
    WARM = "warm"
    COOL = "cool"
    VIVID = "vivid"
    VINTAGE = "vintage"
    NOIR = "noir"
    SOFT = "soft"
    INVERT = "invert"


class Emotion(StrEnum):
    NEUTRAL = "neutral"
    HAPPY = "happy"
    SAD = "sad"
    ANGRY = "angry"
    EXCITED = "excited"
    CALM = "calm"
    FEARFUL = "fearful"
    WHISPER = "whisper"


class Font(StrEnum):
    """The bundled families, by which a subtitle's font is named."""

    SANS = "Noto Sans CJK SC"
    SERIF = "Noto Serif CJK SC"
    DEJAVU = "DejaVu Sans"


class ShotType(StrEnum):
    ESTABLISHING = "establishing"
    WIDE = "wide"
    MEDIUM = "medium"
    CLOSE_UP = "close_up"
    EXTREME_CLOSE_UP = "extreme_close_up"
    OVER_SHOULDER = "over_shoulder"


class Framing(StrEnum):
    """What an image shows: a shot, or one of the sheets made of a character, a scene or a style."""

    SHOT = "shot"
    FRONT_VIEW = "front_view"
    THREE_VIEW = "three_view"
    DETAIL = "detail"
    SCENE = "scene"
    STYLE = "style"
