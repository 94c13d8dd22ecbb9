"""One picture, and who and what is in it."""

from typing import Literal

from pydantic import Field

from models.specs.base import Result, Seed, Spec, StoredArtifact
from models.specs.choices import Framing, ShotType
from models.specs.script import ArtStyle


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


class ImageResult(Result):
    """``identity``: how like their reference sheets the characters of a shot are, -1 to 1; None where none were
    compared."""

    image: StoredArtifact
    thumbnail: StoredArtifact
    depth: StoredArtifact | None = None
    width: int
    height: int
    identity: float | None = None
