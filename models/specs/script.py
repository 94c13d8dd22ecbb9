"""The script: what the five steps of a generation produce."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from models.specs.base import Language, Result, Seed, Spec
from models.specs.choices import CameraMovement, Emotion, ShotType, Transition


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
