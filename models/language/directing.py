"""Shots whose words are set (a faithful text, a screenplay, a storyboard): the model sees their pictures.

The parsers and the timing make the shots; what they hold is kept to the letter. The model fills in what they leave
open: the picture, who speaks in a prose text and how, where the camera is.
"""

from dataclasses import replace
from typing import Any

from models.draft.script.shots import Draft, draft_shots
from models.draft.script.source import Source
from models.draft.script.text import join_sentences
from models.draft.script.timing import pace_of, plan_smart, plan_target
from models.language import schemas
from models.language.schemas import Schema
from models.language.session import Session
from models.language.shots import before, cutaway, show
from models.language.wording import plain
from models.specs import CameraMovement, Emotion, ScriptSpec, ShotType, Transition

_DIRECTION_TOKENS = 160
_MOST_PER_CALL = 16
_TOLD_CHARACTERS = 400


def direct(session: Session) -> list[Draft]:
    source, spec = session.material.source, session.spec
    if source is None:
        raise RuntimeError("only a source has shots to direct")
    drafts, pictures = _set_shots(source, spec)
    if spec.target_duration_s is None:
        plan_smart(drafts, pace_of(spec.instruction))
    else:
        drafts = plan_target(drafts, spec.target_duration_s, keep_words=True, cutaway=cutaway)
    told = [draft.description for draft in drafts]
    if not pictures:
        for draft in drafts:
            draft.description = ""
    open_shots = [n for n, draft in enumerate(drafts) if not draft.cutaway and _open(draft, session)["properties"]]
    per_call = min(max(session.options.max_new_tokens // _DIRECTION_TOKENS, 1), _MOST_PER_CALL)
    groups = [open_shots[start : start + per_call] for start in range(0, len(open_shots), per_call)]
    session.expect(len(groups))
    for group in groups:
        asked = [_open(drafts[number], session) for number in group]
        shots = [
            schemas.record(shot=schemas.fixed(number + 1), **schema["properties"])
            for number, schema in zip(group, asked, strict=True)
        ]
        answer = session.ask(
            "direct",
            schemas.record(shots=schemas.exactly(shots)),
            material="\n\n".join(_listed(drafts[number], number + 1, told[number], session) for number in group),
            previous=before(session, drafts[: group[0]]),
        )
        for number, filled in zip(group, answer["shots"], strict=True):
            _fill(drafts[number], filled, session)
    for draft in drafts:
        _finish(draft, session)
    show(drafts, session)
    return drafts


def _set_shots(source: Source, spec: ScriptSpec) -> tuple[list[Draft], bool]:
    """The shots with what is set of them, and whether their descriptions are: a storyboard's are, a screenplay's
    action is what happens, and prose describes no picture."""
    if spec.input_type == "storyboard":
        drafts = draft_shots(source, spec)
        for beat, draft in zip(source.beats, drafts, strict=True):  # every row is a shot
            draft.description = draft.description if beat.description else ""
        return drafts, True
    if spec.input_type == "script":
        beats = [replace(beat, action=beat.action or beat.description) for beat in source.beats]
        return draft_shots(replace(source, beats=beats), spec), False
    # Who is who and where in prose is for the model to say, so nothing is named by the rules' own cast and places.
    own = spec.model_copy(update={"characters": [], "scenes": [], "fixed_protagonist": None})
    drafts = draft_shots(source, own)
    for draft in drafts:
        draft.scene, draft.description = None, ""
        draft.people = []
    return drafts, False


def _open(draft: Draft, session: Session) -> Schema:
    """A schema of what is not set of a shot."""
    spec, language = session.spec, session.language
    names = [character.name for character in spec.characters]
    open_fields: dict[str, Schema] = {}
    if spec.input_type == "text":
        if spec.scenes:
            open_fields["scene"] = schemas.one_of(scene.name for scene in spec.scenes)
        if names:
            open_fields["characters"] = schemas.several(schemas.one_of(names), schemas.MAX_IN_SHOT)
    lines = [_open_line(line.emotion, names if spec.input_type == "text" else []) for line in draft.lines]
    if any(line["properties"] for line in lines):
        open_fields["lines"] = schemas.exactly(lines)
    if not draft.description:
        open_fields["description"] = schemas.words(160, language)
    if not draft.action:
        open_fields["action"] = schemas.words(60, language)
    camera = schemas.camera()
    for field, value in (
        ("shot_type", draft.shot_type),
        ("camera_movement", draft.camera),
        ("transition", draft.transition),
    ):
        if value is None:
            open_fields[field] = camera[field]
    return schemas.record(**open_fields)


def _open_line(emotion: Emotion, names: list[str]) -> Schema:
    open_fields = {"character": schemas.one_of(names)} if names else {}
    if emotion is Emotion.NEUTRAL:
        open_fields["emotion"] = schemas.one_of(Emotion)
    return schemas.record(**open_fields)


def _listed(draft: Draft, number: int, told: str, session: Session) -> str:
    """A shot as the model reads it."""
    section = session.section
    parts = [section("shot", number=number, seconds=f"{draft.duration_s or 0:.1f}")]
    if draft.scene:
        parts.append(section("shot_scene", text=draft.scene))
    if draft.people:
        parts.append(section("shot_people", text=", ".join(draft.people)))
    if draft.narration:
        parts.append(section("shot_narration", text=draft.narration))
    for line in draft.lines:
        by_rule = session.spec.input_type == "text"
        parts.append(
            section("shot_line", text=line.text)
            if by_rule
            else section("shot_line_by", speaker=line.speaker, text=line.text)
        )
    seen = (words for words in dict.fromkeys([told, draft.action]) if words and words != draft.narration)
    parts += [section("shot_told", text=words[:_TOLD_CHARACTERS]) for words in seen]
    if values := [str(value) for value in (draft.shot_type, draft.camera, draft.transition) if value is not None]:
        parts.append(section("shot_fixed", text=", ".join(values)))
    return "\n".join(parts)


def _fill(draft: Draft, filled: dict[str, Any], session: Session) -> None:
    draft.scene = filled.get("scene", draft.scene)
    draft.people = list(dict.fromkeys([*draft.people, *filled.get("characters", [])]))
    for line, said in zip(draft.lines, filled.get("lines", []), strict=bool(filled.get("lines"))):
        line.speaker = said.get("character", line.speaker)
        line.emotion = Emotion(said.get("emotion", line.emotion))
    draft.description = draft.description or plain(filled.get("description", ""))
    draft.action = draft.action or plain(filled.get("action", ""))
    draft.shot_type = draft.shot_type or ShotType(filled["shot_type"])
    draft.camera = draft.camera or CameraMovement(filled["camera_movement"])
    draft.transition = draft.transition or Transition(filled["transition"])


def _finish(draft: Draft, session: Session) -> None:
    """No speaker who is not in the shot, and no word that nobody says."""
    known = {character.name for character in session.spec.characters}
    if session.spec.input_type == "text" and not known:
        draft.narration = join_sentences([draft.narration, *(line.text for line in draft.lines)]).strip()
        draft.lines = []
    draft.people = list(dict.fromkeys([*draft.people, *(str(line.speaker) for line in draft.lines)]))
