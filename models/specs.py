"""What is asked of a model and what a film is made of: the vocabulary shared by every engine.

Pure data: pydantic only, so the control plane can build these without loading an engine. Lengths are seconds,
sizes are pixels. Fields that end in ``_key`` or ``_keys`` are artifact store keys; a pipeline loads them before it
calls a model. Nothing here may carry a random id: equal specs must give equal results, whatever they were made for.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal["zh", "en"]
Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]


class Spec(BaseModel):
    """Base of every spec: closed, so a misspelt field fails instead of being ignored."""

    model_config = ConfigDict(extra="forbid")


# --- enumerations the API lists in input/options ---------------------------------------------------------------


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


# --- how things were made -----------------------------------------------------------------------------------------


class Helped(Spec):
    """A model that helped another one, and its weights."""

    model: str
    source: str | None = None
    revision: str | None = None
    weights_sha256: str | None = None


class Provenance(Spec):
    """How a result was made. ``spec`` is what was asked, ``parameters`` what the model was given for it; ``parents``
    are the store keys of the files it was made from; ``source``, ``revision`` and ``weights_sha256`` name the weights.
    ``options`` are the model's, all of them; ``helpers`` are the models that helped it, by what they did.
    """

    task_kind: str
    model: str
    source: str | None = None
    revision: str | None = None
    weights_sha256: str | None = None
    seed: int | None = None
    spec: dict[str, Any]
    parameters: dict[str, Any] = {}
    options: dict[str, Any] = {}
    helpers: dict[str, Helped] = {}
    parents: list[str] = []
    timings_s: dict[str, float] = {}
    software: dict[str, str] = {}


class Result(Spec):
    """Base of what tasks make. The worker adds the ``provenance``."""

    provenance: Provenance | None = None


# --- the script: what the five steps of a generation produce ----------------------------------------------------


class Storyline(Spec):
    title: str
    content: str
    summary: str
    genre: str
    tone: str
    language: Language


class ArtStyle(Spec):
    """How everything looks. ``palette`` holds ``#rrggbb`` colours, the darkest role first is not implied."""

    style_name: str
    description: str = ""
    prompt_template: str = ""
    visual_keywords: list[str] = []
    palette: list[str] = []


class Character(Spec):
    name: str
    character_type: Literal["protagonist", "supporting", "extras"]
    description: str = ""
    personality: list[str] = []
    appearance: str = ""
    voice_style: str | None = None
    gender: Literal["male", "female", "other"] = "other"
    age: Literal["child", "young", "adult", "elder"] = "adult"


class Scene(Spec):
    name: str
    scene_type: Literal["indoor", "outdoor", "abstract"]
    description: str = ""
    atmosphere: str = ""
    lighting: str = ""
    camera_angle: str = ""


class DialogueLine(Spec):
    character: str
    text: str
    emotion: Emotion = Emotion.NEUTRAL


class Shot(Spec):
    """One shot of the storyboard. ``scene`` and ``characters`` are names of the scene and characters steps."""

    shot_number: int = Field(ge=1)
    shot_type: ShotType
    scene: str | None = None
    characters: list[str] = []
    description: str
    narration: str = ""
    dialogue: list[DialogueLine] = []
    action: str = ""
    duration_s: float = Field(gt=0)
    camera_movement: CameraMovement = CameraMovement.STATIC
    transition: Transition = Transition.CUT


class ScriptStep(StrEnum):
    """The five steps of a generation, in order; a step may read what the steps before it produced."""

    STORYLINE = "storyline"
    ARTSTYLE = "artstyle"
    CHARACTERS = "characters"
    SCENES = "scenes"
    STORYBOARD = "storyboard"


class ScriptSpec(Spec):
    """One step of the breakdown of a text, a screenplay (Fountain) or a storyboard (table, CSV, JSON).

    ``take`` counts how often the step was asked for another result. With ``rewrite`` only that element, which the step
    made, is written again, following ``instruction``; the result holds it alone.
    """

    step: ScriptStep
    input_mode: Literal["general", "professional"] = "general"
    input_type: Literal["text", "script", "storyboard"]
    content: str
    documents: list[str] = []
    language: Language | None = None
    target_duration_s: float | None = Field(default=None, gt=0)
    aspect: float = Field(default=16 / 9, gt=0)
    """Width over height of the film: a tall picture wants people closer."""
    instruction: str = ""
    seed: Seed = 0
    take: int = Field(default=0, ge=0)
    rewrite: Storyline | ArtStyle | Character | Scene | Shot | None = None
    fixed_style: ArtStyle | None = None
    fixed_protagonist: Character | None = None
    storyline: Storyline | None = None
    art_style: ArtStyle | None = None
    characters: list[Character] = []
    scenes: list[Scene] = []


class ScriptResult(Result):
    """The part that the step made; the others stay empty."""

    storyline: Storyline | None = None
    art_style: ArtStyle | None = None
    characters: list[Character] = []
    scenes: list[Scene] = []
    shots: list[Shot] = []


# --- pictures ----------------------------------------------------------------------------------------------------


class Subject(Spec):
    """A character as pictures need it: the same name, appearance and seed give the same features in every shot."""

    name: str
    appearance: str = ""
    gender: Literal["male", "female", "other"] = "other"
    age: Literal["child", "young", "adult", "elder"] = "adult"
    seed: Seed = 0
    reference_keys: list[str] = []


class Place(Spec):
    """A scene as pictures need it: the same name, description and seed give the same place in every shot."""

    name: str = ""
    scene_type: Literal["indoor", "outdoor", "abstract"] = "outdoor"
    description: str = ""
    atmosphere: str = ""
    lighting: str = ""
    seed: Seed = 0
    reference_keys: list[str] = []


class ImageSpec(Spec):
    """One picture. ``prompt`` says what is seen; later words of it weigh over earlier ones where they disagree."""

    prompt: str
    negative_prompt: str = ""
    width: int = Field(ge=64, le=4096)
    height: int = Field(ge=64, le=4096)
    seed: Seed = 0
    framing: Framing = Framing.SHOT
    shot_type: ShotType = ShotType.MEDIUM
    style: ArtStyle
    place: Place | None = None
    subjects: list[Subject] = []
    reference_keys: list[str] = []


class StoredArtifact(Spec):
    """A file that a worker stored under its content-addressed key."""

    key: str
    media_type: str
    size: int
    sha256: str


class ImageResult(Result):
    """``identity``: how like their reference sheets the characters of a shot are, -1 to 1; None where none were
    compared."""

    image: StoredArtifact
    thumbnail: StoredArtifact
    depth: StoredArtifact | None = None
    width: int
    height: int
    identity: float | None = None


# --- video -------------------------------------------------------------------------------------------------------


class VideoSpec(Spec):
    """A clip made from one image. ``depth_key``: an 8-bit grey PNG, white is near; without it the model guesses."""

    image_key: str
    depth_key: str | None = None
    prompt: str = ""
    camera_movement: CameraMovement = CameraMovement.PUSH_IN
    duration_s: float = Field(gt=0, le=120)
    fps: int = Field(ge=1, le=120)
    width: int = Field(ge=64, le=4096)
    height: int = Field(ge=64, le=4096)
    seed: Seed = 0


class VideoResult(Result):
    video: StoredArtifact
    thumbnail: StoredArtifact
    duration_s: float
    fps: int
    width: int
    height: int


# --- sound -------------------------------------------------------------------------------------------------------


class SpeechSpec(Spec):
    """One spoken line. ``voice`` is a voice id of the model's catalog entry; ``speed`` 1.0 is the voice's own."""

    text: str
    language: Language
    voice: str
    speed: float = Field(default=1.0, ge=0.5, le=2.0)
    emotion: Emotion = Emotion.NEUTRAL
    seed: Seed = 0


class Word(Spec):
    """A stretch of the spoken text with its time from the start of the audio; stretches cover the text in order."""

    text: str
    start_s: float
    end_s: float


class SpeechResult(Result):
    audio: StoredArtifact
    duration_s: float
    words: list[Word]


class MusicSpec(Spec):
    """Music of about ``duration_s`` seconds. ``mood`` and ``genre`` are hints beside the free prompt."""

    prompt: str = ""
    mood: str = ""
    genre: str = ""
    duration_s: float = Field(gt=0, le=3600)
    seed: Seed = 0


class MusicResult(Result):
    audio: StoredArtifact
    duration_s: float
    loops_cleanly: bool


# --- the film ----------------------------------------------------------------------------------------------------


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
