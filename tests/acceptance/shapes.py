"""What the API document promises of each answer of the creation flow, said a second time, apart from the server's code.

A model here has the document's fields and no others; an optional field is left out when absent and never null. Fields
that are not in the document's interface but belong to the contract stand under "added".
"""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")]
Url = Annotated[str, Field(pattern=r"^http://127\.0\.0\.1:\d+/")]
Id = Annotated[str, Field(pattern=r"^[a-z]{2,}_\w+$")]
Percent = Annotated[int, Field(ge=0, le=100)]


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


S = TypeVar("S", bound=Shape)


def check(shape: type[S], data: Any) -> S:
    """The answer as its shape. Raises for what is missing, null, unknown or of another type."""
    _refuse_null(data, shape.__name__)
    return shape.model_validate(data)


def _refuse_null(value: Any, path: str) -> None:
    assert value is not None, f"{path} is null"
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        _refuse_null(item, f"{path}.{key}")


class Nothing(Shape):
    pass


# --- 1 login


class User(Shape):
    id: Id
    username: str
    email: str
    avatar_url: str
    user_type: Literal["personal", "team"]


class Space(Shape):
    type: Literal["personal", "team"]
    space_id: str | None = None
    space_name: str | None = None


class Login(Shape):
    user: User
    session_token: str
    refresh_token: str
    current_space: Space


# --- 2 options


class Model(Shape):
    id: str
    name: str
    display_name: str
    icon_url: Url


class ModelWithDefault(Model):
    is_default: bool


class Models(Shape):
    text_to_image: list[ModelWithDefault]
    # The document shows no default here; the contract's further lists are of the same shape as the first.
    image_to_image: list[ModelWithDefault]
    # added
    image_to_video: list[ModelWithDefault]
    speech: list[ModelWithDefault]
    music: list[ModelWithDefault]
    script: list[ModelWithDefault]


class Style(Shape):
    id: str
    name: str
    preview_image_url: Url
    category: str


class AspectRatio(Shape):
    ratio: Literal["16:9", "9:16", "4:3", "2.35:1", "19:16"]
    width: int
    height: int
    description: str
    preview_url: Url


class Duration(Shape):
    label: str
    value: int


class Subject(Shape):
    id: str
    name: str
    type: str


class Options(Shape):
    models: Models
    styles: list[Style]
    aspect_ratios: list[AspectRatio]
    durations: list[Duration]
    subjects: list[Subject]
    # added
    filters: list[str]
    transitions: list[str]
    emotions: list[str]
    camera_movements: list[str]
    fonts: list[str]


# --- 3 attachments, 4 submit, 5 start, 6 progress


class UploadConfig(Shape):
    upload_url: Url
    file_max_size: int
    allowed_types: list[str]
    # added
    file_url: Url


class Attachment(Shape):
    id: Id
    file_name: str
    file_url: Url
    file_size: int
    upload_status: Literal["uploading", "completed"]
    created_at: Time


class Submitted(Shape):
    project_id: Id
    status: Literal["submitted", "processing"]


class Started(Shape):
    material_package_id: Id
    status: Literal["generating"]


class Step(Shape):
    task_type: Literal["storyline", "artstyle", "characters", "scenes", "storyboard"]
    task_name: str
    display_name: str
    display_order: int
    status: Literal["pending", "in_progress", "completed", "failed", "skipped"]
    progress: Percent
    error_message: str | None = None
    # added
    task_id: Id


class Progress(Shape):
    material_package_id: Id
    status: Literal["generating", "completed", "failed"]
    progress: Percent
    current_step: str
    tasks: list[Step]


# --- 7 package


class Storyline(Shape):
    id: Id
    title: str
    content: str
    summary: str
    genre: str
    tone: str
    is_selected: bool


class ArtStyle(Shape):
    id: Id
    style_name: str
    description: str
    prompt_template: str
    reference_image_url: Url
    is_selected: bool


class CharacterImage(Shape):
    id: Id
    image_type: Literal["front_view", "three_view", "detail"]
    image_url: Url
    thumbnail_url: Url
    is_selected: bool


class CharacterVoice(Shape):
    id: Id
    voice_name: str
    voice_id: str
    audio_sample_url: Url
    is_selected: bool


class Character(Shape):
    id: Id
    character_name: str
    character_type: Literal["protagonist", "supporting", "extras"]
    description: str
    personality: list[str]
    appearance: str
    voice_style: str | None = None
    images: list[CharacterImage]
    voices: list[CharacterVoice] | None = None
    is_selected: bool


class SceneImage(Shape):
    id: Id
    image_url: Url
    thumbnail_url: Url
    is_selected: bool


class Scene(Shape):
    id: Id
    scene_name: str
    scene_type: Literal["indoor", "outdoor", "abstract"]
    description: str
    atmosphere: str
    lighting: str
    camera_angle: str
    images: list[SceneImage]
    is_selected: bool


class Storyboard(Shape):
    id: Id
    shot_number: int
    shot_type: str
    scene_id: Id | None = None
    character_id: Id | None = None
    description: str
    dialogue: str | None = None
    action: str | None = None
    duration: float
    camera_movement: str | None = None
    transition: str | None = None
    reference_image_url: Url | None = None
    is_selected: bool


class Materials(Shape):
    storyline: Storyline | None = None
    art_style: ArtStyle | None = None
    characters: list[Character] | None = None
    scenes: list[Scene] | None = None
    storyboards: list[Storyboard] | None = None


class Package(Shape):
    id: Id
    version: str
    package_name: str
    status: Literal["generating", "completed", "failed"]
    materials: Materials
    summary: str | None = None
    created_at: Time


# --- 8 regenerate, 9 save


class Regenerated(Shape):
    candidate_id: Id
    image_url: Url
    thumbnail_url: Url
    status: Literal["processing"]


class Saved(Shape):
    new_package_id: Id
    version: int
