"""What a user may write of an element, field by field, and what becomes of its spec. Pure.

The fields are those of the package's detail. ``new_content`` is the text of the element's main field, or a JSON object
of fields.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import Field, TypeAdapter

from control_plane.errors import InvalidParameter
from control_plane.web.models import RequestModel
from control_plane.web.parsing import parse_body
from models.specs import ArtStyle, CameraMovement, Character, DialogueLine, Emotion, Scene, Shot, ShotType, Storyline
from models.specs import Transition as ShotTransition

FIELD = "new_content"
LONG = 20_000
"""Characters of a storyline."""

_Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S")]
_Words = Annotated[str, Field(max_length=2000)]


class StorylineEdit(RequestModel):
    title: _Name | None = None
    content: Annotated[str, Field(min_length=1, max_length=LONG, pattern=r"\w")] | None = None
    summary: _Words | None = None
    genre: Annotated[str, Field(max_length=100)] | None = None
    tone: Annotated[str, Field(max_length=100)] | None = None


class ArtStyleEdit(RequestModel):
    style_name: _Name | None = None
    description: _Words | None = None
    prompt_template: _Words | None = None


class CharacterEdit(RequestModel):
    character_name: _Name | None = None
    character_type: Literal["protagonist", "supporting", "extras"] | None = None
    description: _Words | None = None
    personality: Annotated[list[_Name], Field(max_length=20)] | None = None
    appearance: _Words | None = None
    voice_style: Annotated[str, Field(max_length=200)] | None = None


class SceneEdit(RequestModel):
    scene_name: _Name | None = None
    scene_type: Literal["indoor", "outdoor", "abstract"] | None = None
    description: _Words | None = None
    atmosphere: Annotated[str, Field(max_length=500)] | None = None
    lighting: Annotated[str, Field(max_length=500)] | None = None
    camera_angle: Annotated[str, Field(max_length=500)] | None = None


class ShotEdit(RequestModel):
    shot_type: ShotType | None = None
    scene_id: Annotated[str, Field(max_length=64)] | None = None
    character_id: Annotated[str, Field(max_length=64)] | None = None
    description: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    narration: _Words | None = None
    dialogue: _Words | None = None
    action: _Words | None = None
    duration: Annotated[float, Field(ge=0.5, le=120)] | None = None
    camera_movement: CameraMovement | None = None
    transition: ShotTransition | None = None


ElementEdit = StorylineEdit | ArtStyleEdit | CharacterEdit | SceneEdit | ShotEdit

_EDITS: dict[str, tuple[type[ElementEdit], str]] = {
    "storyline": (StorylineEdit, "content"),
    "artstyle": (ArtStyleEdit, "description"),
    "character": (CharacterEdit, "appearance"),
    "scene": (SceneEdit, "description"),
    "storyboard": (ShotEdit, "description"),
}
SPECS: dict[str, TypeAdapter[Any]] = {
    "storyline": TypeAdapter(Storyline),
    "artstyle": TypeAdapter(ArtStyle),
    "character": TypeAdapter(Character),
    "scene": TypeAdapter(Scene),
    "storyboard": TypeAdapter(Shot),
}


def main_text(kind: str, data: Mapping[str, Any]) -> str:
    """The text that stands for an element where only one is shown."""
    return str(data[_EDITS[kind][1]])


def read_edit(kind: str, new_content: str) -> ElementEdit:
    """Raises InvalidParameter, with the field at fault."""
    model, main = _EDITS[kind]
    is_object = new_content.lstrip().startswith("{")
    try:
        edit = parse_body(model, (new_content if is_object else json.dumps({main: new_content})).encode())
    except InvalidParameter as error:
        where = FIELD if error.field in {None, "body"} else f"{FIELD}.{error.field}"
        raise InvalidParameter(error.detail_zh, error.detail_en, field=where) from error
    if not edit.model_dump(exclude_none=True):
        raise InvalidParameter("没有要修改的字段", "names no field to change", field=FIELD)
    return cast(ElementEdit, edit)


def edited(
    kind: str, data: Mapping[str, Any], edit: ElementEdit, names: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """An element's spec after an edit. ``names`` has the package's characters and scenes by kind and element id.

    Raises InvalidParameter for a name or an id that the package does not have, or a name that is taken.
    """
    given = edit.model_dump(mode="json", exclude_none=True)
    changed = dict(data)
    if isinstance(edit, ShotEdit):
        given = _shot_fields(data, given, names)
    for own, field in (("character_name", "character"), ("scene_name", "scene")):
        if own in given:
            name = given.pop(own).strip()
            if name != data["name"] and name in names.get(field, {}).values():
                raise InvalidParameter("此名称已被使用", "this name is taken", field=f"{FIELD}.{own}")
            given["name"] = name
    changed.update(given)
    if isinstance(edit, ArtStyleEdit):
        changed["visual_keywords"] = _keywords(data, given)
        if given.get("style_name", data["style_name"]) != data["style_name"]:
            changed["palette"] = []  # another style has other colours
    return SPECS[kind].validate_python(changed).model_dump(mode="json")


def _keywords(data: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """What was just written of a style speaks first; keywords of a style of another name say nothing of this one."""
    written = [given[field] for field in ("style_name", "description", "prompt_template") if given.get(field)]
    renamed = given.get("style_name", data["style_name"]) != data["style_name"]
    kept = [] if renamed else [word for word in data["visual_keywords"] if word not in written]
    return (written + kept)[:12]


def _shot_fields(
    data: Mapping[str, Any], given: dict[str, Any], names: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    fields = dict(given)
    if "duration" in fields:
        fields["duration_s"] = fields.pop("duration")
    for field, kind in (("scene_id", "scene"), ("character_id", "character")):
        if field not in fields:
            continue
        name = names.get(kind, {}).get(fields.pop(field))
        if name is None:
            raise InvalidParameter("素材包中没有此元素", "no such element in this package", field=f"{FIELD}.{field}")
        if kind == "scene":
            fields["scene"] = name
        else:
            fields["characters"] = [name, *(other for other in data["characters"] if other != name)]
    if "dialogue" in fields:
        emotions = {(line["character"], line["text"]): line["emotion"] for line in data["dialogue"]}
        lines = read_dialogue(fields["dialogue"], set(names.get("character", {}).values()), set(data["characters"]))
        fields["dialogue"] = [
            {**line.model_dump(mode="json"), "emotion": emotions.get((line.character, line.text), line.emotion.value)}
            for line in lines
        ]
    return fields


def read_dialogue(text: str, characters: set[str], in_shot: set[str]) -> list[DialogueLine]:
    """Lines such as ``林晓雨：你好``, as the package's detail shows them. Raises InvalidParameter."""
    lines = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        at = min((index for index in (line.find("："), line.find(":")) if index > 0), default=-1)
        who, said = line[:at].strip(), line[at + 1 :].strip()
        if at < 0 or not said or who not in characters | in_shot:
            raise InvalidParameter(
                f"第 {number} 行应为“角色：台词”，角色须在素材包中",
                f"line {number} should be `character: words` with a character of this package",
                field=f"{FIELD}.dialogue",
            )
        lines.append(DialogueLine(character=who, text=said, emotion=Emotion.NEUTRAL))
    return lines
