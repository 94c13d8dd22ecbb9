"""A whole film as one flat plan, and what it is made of."""

from typing import Literal

from pydantic import Field

from models.specs.base import Language, Result, Spec, StoredArtifact
from models.specs.choices import CameraMovement, Filter, Font, Transition
from models.specs.sound import Word


class ClipEdit(Spec):
    """Edits of one clip's picture. Crop is in fractions of the picture; pan in fractions of the frame, -1 to 1;
    rotation in degrees, clockwise; ``filter_intensity`` 0 leaves the picture as it is, 1 is the whole filter."""

    crop_x: float = Field(default=0.0, ge=0, lt=1)
    crop_y: float = Field(default=0.0, ge=0, lt=1)
    crop_width: float = Field(default=1.0, gt=0, le=1)
    crop_height: float = Field(default=1.0, gt=0, le=1)
    zoom_level: float = Field(default=1.0, ge=1.0, le=8.0)
    pan_x: float = Field(default=0.0, ge=-1, le=1)
    pan_y: float = Field(default=0.0, ge=-1, le=1)
    rotation: float = Field(default=0.0, ge=-360, le=360)
    flip_horizontal: bool = False
    flip_vertical: bool = False
    filter_type: Filter = Filter.NONE
    filter_intensity: float = Field(default=1.0, ge=0, le=1)


class FilmSpeech(Spec):
    """A spoken line in the film. ``start_s`` counts from the film's start (cover excluded); ``volume`` 1.0 is as
    recorded. ``words`` may be empty for uploaded audio; the text then spreads over the whole line."""

    audio_key: str
    start_s: float = Field(ge=0)
    duration_s: float = Field(gt=0)
    volume: float = Field(default=1.0, ge=0, le=2)
    text: str = ""
    speaker: str | None = None
    words: list[Word] = []


class FilmClip(Spec):
    """One clip on the timeline. The transition sits at the clip's end: the next clip starts at
    ``end_s - transition_duration_s`` (0 for a cut)."""

    kind: Literal["image", "video"]
    media_key: str
    depth_key: str | None = None
    start_s: float = Field(ge=0)
    duration_s: float = Field(gt=0)
    camera_movement: CameraMovement = CameraMovement.STATIC
    transition: Transition = Transition.CUT
    transition_duration_s: float = Field(default=0.0, ge=0)
    edit: ClipEdit = ClipEdit()


class FilmMusic(Spec):
    audio_key: str
    volume: float = Field(default=0.5, ge=0, le=2)
    is_loop: bool = True
    fade_in_s: float = Field(default=0.0, ge=0)
    fade_out_s: float = Field(default=0.0, ge=0)


class SubtitleStyle(Spec):
    """``burn_in`` draws the text into the picture; a separate file in ``format`` is always made when enabled."""

    burn_in: bool = True
    format: Literal["SRT", "VTT", "ASS"] = "SRT"
    font_name: Font | None = None
    font_size: int | None = Field(default=None, ge=8, le=400)  # pixels at a short side of 720
    font_color: str = "#ffffff"
    position: Literal["top", "center", "bottom"] = "bottom"
    background_color: str = "#000000"
    background_opacity: float = Field(default=0.0, ge=0, le=1)


class CoverSpec(Spec):
    """A title card shown before the film and stored as a picture. Without ``image_key`` the first frame of clip
    ``clip_index`` (default: the first clip) is its ground."""

    image_key: str | None = None
    clip_index: int | None = Field(default=None, ge=0)
    title_text: str = ""
    subtitle_text: str = ""
    duration_s: float = Field(default=2.0, gt=0, le=10)


class EncodeSpec(Spec):
    """A whole film, as one flat plan."""

    title: str
    language: Language
    width: int = Field(ge=64, le=8192, multiple_of=2)
    height: int = Field(ge=64, le=8192, multiple_of=2)
    fps: int = Field(ge=1, le=120)
    format: Literal["MP4", "MOV"] = "MP4"
    clips: list[FilmClip] = Field(min_length=1)
    speech: list[FilmSpeech] = []
    music: FilmMusic | None = None
    subtitle: SubtitleStyle | None = None
    cover: CoverSpec | None = None


class EncodeResult(Result):
    """``loudness_lufs`` is None for a silent film. ``encoder`` names the codec used, such as ``libx264``."""

    video: StoredArtifact
    subtitles: list[StoredArtifact]
    cover: StoredArtifact | None = None
    duration_s: float
    width: int
    height: int
    encoder: str
    loudness_lufs: float | None = None
