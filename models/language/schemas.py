"""The JSON that each step is written as: schemas made of the vocabulary of models/specs/, every length bounded."""

from collections.abc import Iterable, Sequence
from typing import Any, get_args

from models.specs import (
    CameraMovement,
    Character,
    Emotion,
    Language,
    Scene,
    ShotType,
    Transition,
)

Schema = dict[str, Any]

MAX_CHARACTERS = 8
MAX_SCENES = 12
MAX_IN_SHOT = 4
MAX_LINES = 3
SECONDS = (2, 12)
"""Of a shot, before the film is brought to its length."""

# A Chinese character says about as much as three letters.
_LETTERS = {"zh": 1, "en": 3}


def record(**properties: Schema) -> Schema:
    """An object with all of these properties, in this order."""
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def words(most: int, language: Language) -> Schema:
    """A text; ``most`` is its length in Chinese characters."""
    return {"type": "string", "maxLength": letters(most, language)}


def letters(most: int, language: Language) -> int:
    """How many characters say as much as so many Chinese ones."""
    return most * _LETTERS[language]


def one_of(values: Iterable[str]) -> Schema:
    return {"enum": [str(value) for value in values]}


def fixed(value: str | int) -> Schema:
    return {"const": value}


def several(items: Schema, most: int, least: int = 0) -> Schema:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def exactly(items: Sequence[Schema]) -> Schema:
    """One after the other, none else."""
    return {"type": "array", "prefixItems": [*items], "items": False, "minItems": len(items), "maxItems": len(items)}


def whole(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def _values(kind: Any, field: str) -> tuple[str, ...]:
    return get_args(kind.model_fields[field].annotation)


def storyline(language: Language, *, content: int) -> Schema:
    """``content``: the most that it has, in Chinese characters; 0 where the story is told already."""
    told = {"content": words(content, language)} if content else {}
    return record(
        title=words(24, language),
        **told,
        summary=words(160, language),
        genre=words(12, language),
        tone=words(12, language),
    )


def art_style(language: Language) -> Schema:
    return record(
        style_name=words(20, language),
        description=words(160, language),
        visual_words={"type": "string", "maxLength": 240},
        visual_keywords=several(words(10, language), 6),
        palette=several({"type": "string", "pattern": "^#[0-9a-f]{6}$"}, 6, 3),
    )


def character(language: Language, name: Schema | None = None) -> Schema:
    return record(
        name=name or words(16, language),
        character_type=one_of(_values(Character, "character_type")),
        gender=one_of(_values(Character, "gender")),
        age=one_of(_values(Character, "age")),
        description=words(120, language),
        personality=several(words(8, language), 5),
        appearance=words(160, language),
        voice_style=words(24, language),
    )


def scene(language: Language, name: Schema | None = None, scene_type: str | None = None) -> Schema:
    return record(
        name=name or words(20, language),
        scene_type=fixed(scene_type) if scene_type else one_of(_values(Scene, "scene_type")),
        description=words(160, language),
        atmosphere=words(40, language),
        lighting=words(60, language),
        camera_angle=words(24, language),
    )


def shot(language: Language, characters: Sequence[str], scenes: Sequence[str]) -> Schema:
    """A shot that the model tells as it likes, of these characters in these scenes."""
    return record(
        **_where(characters, scenes),
        description=words(160, language),
        action=words(60, language),
        narration=words(80, language),
        **({"dialogue": several(line(language, characters), MAX_LINES)} if characters else {}),
        seconds=whole(*SECONDS),
        **camera(),
    )


def line(language: Language, characters: Sequence[str]) -> Schema:
    return record(character=one_of(characters), emotion=one_of(Emotion), text=words(60, language))


def _where(characters: Sequence[str], scenes: Sequence[str]) -> dict[str, Schema]:
    place = {"scene": one_of(scenes)} if scenes else {}
    return place | ({"characters": several(one_of(characters), MAX_IN_SHOT)} if characters else {})


def camera() -> dict[str, Schema]:
    return {
        "shot_type": one_of(ShotType),
        "camera_movement": one_of(CameraMovement),
        "transition": one_of(Transition),
    }


def digest(most: int, language: Language) -> Schema:
    return record(notes=words(most, language))
