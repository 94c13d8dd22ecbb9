"""Writing one element again as the user asks; everything that is not asked for stays."""

import json
from typing import Any

from models.draft.script.text import speech_seconds, without_controls
from models.draft.script.wishes import Wish, read_wish
from models.language import schemas
from models.language.schemas import Schema
from models.language.session import Session
from models.language.wording import plain
from models.specs import ArtStyle, Character, DialogueLine, Scene, ScriptResult, Shot, Storyline

_SHORTEST_S, _LONGEST_S = 1.5, 60.0
_MAX_CONTENT = 2400
_MAY_BE_EMPTY = frozenset(["narration", "dialogue", "characters"])
"""A user may ask for silence, or for nobody to be seen."""


def rewrite(session: Session) -> ScriptResult:
    """The element of ``spec.rewrite`` alone. A name changes only where the wish says which."""
    wish = read_wish(session.spec.instruction)
    match session.spec.rewrite:
        case Storyline() as storyline:
            return ScriptResult(storyline=_storyline(storyline, wish, session))
        case ArtStyle() as style:
            return ScriptResult(art_style=_art_style(style, wish, session))
        case Character() as character:
            return ScriptResult(characters=[_character(character, wish, session)])
        case Scene() as scene:
            return ScriptResult(scenes=[_scene(scene, wish, session)])
        case Shot() as shot:
            return ScriptResult(shots=[_shot(shot, wish, session)])
    raise ValueError("there is nothing to rewrite")


def _ask(session: Session, kind: str, now: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """What the model makes of an element; a field it leaves empty stays as it was."""
    session.expect(1)
    noun = session.section(f"kind_{kind}")
    material = session.told(json.dumps(now, ensure_ascii=False, indent=1), session.room("rewrite", kind=noun))
    answer = session.ask("rewrite", schema, kind=noun, material=material)
    written = {field: plain(value) if isinstance(value, str) else value for field, value in answer.items()}
    may_be_empty = _MAY_BE_EMPTY if kind == "shot" else frozenset()
    return {
        field: now.get(field, value) if value in ("", []) and field not in may_be_empty else value
        for field, value in written.items()
    }


def _storyline(now: Storyline, wish: Wish, session: Session) -> Storyline:
    free = session.material.source is None
    schema = schemas.storyline(session.language, content=_MAX_CONTENT if free else 0)
    if wish.name:
        schema["properties"]["title"] = schemas.fixed(wish.name)
    written = _ask(session, "storyline", now.model_dump(mode="json"), schema)
    if free:
        written["content"] = without_controls(written["content"])
    return now.model_copy(update=written)


def _art_style(now: ArtStyle, wish: Wish, session: Session) -> ArtStyle:
    look = now.prompt_template.replace("{prompt}", "").strip(" ,")
    schema = schemas.art_style(session.language)
    if wish.name:
        schema["properties"]["style_name"] = schemas.fixed(wish.name)
    written = _ask(session, "artstyle", {**now.model_dump(mode="json"), "visual_words": look}, schema)
    words = written.pop("visual_words").replace("{", "").replace("}", "")
    keywords = list(dict.fromkeys(filter(None, map(plain, written["visual_keywords"]))))
    return now.model_copy(
        update={
            **written,
            "visual_keywords": keywords or now.visual_keywords,
            "prompt_template": f"{{prompt}}, {words}" if words else "{prompt}",
        }
    )


def _character(now: Character, wish: Wish, session: Session) -> Character:
    schema = schemas.character(session.language, schemas.fixed(wish.name or now.name))
    schema["properties"]["character_type"] = schemas.fixed(now.character_type)
    written = _ask(session, "character", now.model_dump(mode="json"), schema)
    traits = list(filter(None, map(plain, written["personality"])))
    return Character.model_validate(
        {
            **now.model_dump(),
            **written,
            "name": wish.name or now.name,
            "voice_style": written["voice_style"] or now.voice_style,
            "personality": traits or now.personality,
        }
    )


def _scene(now: Scene, wish: Wish, session: Session) -> Scene:
    schema = schemas.scene(session.language, schemas.fixed(wish.name or now.name))
    written = _ask(session, "scene", now.model_dump(mode="json"), schema)
    return Scene.model_validate({**now.model_dump(), **written, "name": wish.name or now.name})


def _shot(now: Shot, wish: Wish, session: Session) -> Shot:
    """Its words stay where they are the text's own, unless the wish quotes others."""
    spec, language = session.spec, session.language
    characters = [character.name for character in spec.characters] or now.characters
    properties = schemas.shot(language, characters, [scene.name for scene in spec.scenes])["properties"]
    least, most = max(round(now.duration_s / 2), 2), min(round(now.duration_s * 2), int(_LONGEST_S))
    properties["seconds"] = schemas.whole(least, max(most, least))
    kept = session.material.source is not None
    if kept or wish.narration:
        del properties["narration"]
    if kept or wish.spoken:
        properties.pop("dialogue", None)
    now_told = now.model_dump(mode="json") | {"seconds": round(now.duration_s, 1)}
    written = _ask(session, "shot", now_told, schemas.record(**properties))
    seconds = float(written.pop("seconds"))
    if wish.narration:
        written["narration"] = plain(wish.narration)
    if "dialogue" in written:
        written["dialogue"] = [
            {**line, "text": words} for line in written["dialogue"] if (words := plain(line["text"]))
        ]
    if wish.spoken and (now.dialogue or characters):
        first = now.dialogue[0] if now.dialogue else DialogueLine(character=characters[0], text=wish.spoken)
        lines = [first.model_copy(update={"text": wish.spoken}), *now.dialogue[1:]]
        written["dialogue"] = [line.model_dump() for line in lines]
    if "characters" in written:
        written["characters"] = list(dict.fromkeys(written["characters"]))
    shot = Shot.model_validate({**now.model_dump(), **written})
    spoken = speech_seconds(shot.narration) + sum(speech_seconds(line.text) for line in shot.dialogue)
    shot.duration_s = max(seconds, _SHORTEST_S, round(spoken, 1))
    return shot
