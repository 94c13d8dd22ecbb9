"""The storyboard: a text retold in shots, or the shots of a faithful film seen by the model."""

import math
from collections.abc import Iterable
from typing import Any

from models.draft.script.shots import Draft
from models.draft.script.source import Line
from models.draft.script.text import in_language, speech_seconds
from models.draft.script.timing import MIN_SHOT_S, plan_smart, plan_target
from models.language import directing, schemas
from models.language.session import Session
from models.language.wording import plain
from models.specs import CameraMovement, DialogueLine, Emotion, ScriptResult, ScriptSpec, Shot, ShotType, Transition

SHOT_TOKENS = 200
"""About what one shot takes to write."""
_USUAL_SHOT_S = 5.0
_MOST_SHOTS = 400
_MOST_PER_CALL = 24
_REMEMBERED = 3
_VIEWS = (ShotType.WIDE, ShotType.EXTREME_CLOSE_UP, ShotType.MEDIUM)


def write(session: Session) -> ScriptResult:
    """Shots numbered from 1, together as long as the film is to be."""
    drafts = _retell(session) if session.material.source is None else directing.direct(session)
    return ScriptResult(shots=[as_shot(draft, number) for number, draft in enumerate(drafts, start=1)])


def _retell(session: Session) -> list[Draft]:
    """Part by part of the text, as many shots in each as its share of the film asks for."""
    spec = session.spec
    film_s = spec.target_duration_s or speech_seconds(session.material.text)
    wanted = min(max(round(film_s / _USUAL_SHOT_S), 1), _MOST_SHOTS)
    per_call = min(max(session.options.max_new_tokens // SHOT_TOKENS, 1), _MOST_PER_CALL)
    room = session.room("storyboard", count=wanted, seconds=round(film_s), previous="")
    room = max(room - _REMEMBERED * SHOT_TOKENS, room // 2)
    parts = session.parts(session.material.text, room, -(-wanted // per_call))
    per_part = -(-wanted // len(parts))
    rounds = -(-per_part // per_call)  # a part with much time and few sentences is gone on with
    count = -(-per_part // rounds)
    schema = schemas.record(
        shots=schemas.several(
            schemas.shot(session.language, [c.name for c in spec.characters], [s.name for s in spec.scenes]),
            count + count // 2 + 1,
            1,
        )
    )
    calls = len(parts) * rounds
    session.expect(calls)
    drafts: list[Draft] = []
    for number in range(calls):
        part = parts[number // rounds].strip()
        if calls > 1:
            part = f"{session.section('part', number=number + 1, count=calls)}\n{part}"
        answer = session.ask(
            "storyboard",
            schema,
            count=count,
            seconds=max(round(film_s / calls), 1),
            material=part,
            previous=before(session, drafts),
        )
        drafts += [_draft(told, spec, part) for told in answer["shots"]]
    return _timed(drafts, session)


def before(session: Session, drafts: list[Draft]) -> str:
    """The last shots, for the next to go on from."""
    if not drafts:
        return ""
    told = [f"- {draft.shot_type}; {draft.scene or ''}; {draft.description}" for draft in drafts[-_REMEMBERED:]]
    return session.section("previous", list="\n".join(told))


def _draft(told: dict[str, Any], spec: ScriptSpec, part: str) -> Draft:
    lines = [
        Line(line["character"], words, Emotion(line["emotion"]))
        for line in told.get("dialogue", [])
        if (words := plain(line["text"]))
    ]
    seen = [*told.get("characters", []), *(str(line.speaker) for line in lines)]
    draft = Draft(
        narration=plain(told["narration"]),
        lines=lines,
        people=list(dict.fromkeys(seen)),
        scene=told.get("scene"),
        description=plain(told["description"]),
        action=plain(told["action"]),
        shot_type=ShotType(told["shot_type"]),
        camera=CameraMovement(told["camera_movement"]),
        transition=Transition(told["transition"]),
        worth=1.0 + bool(lines) + 0.5 * bool(told["narration"]),
    )
    draft.description = draft.description or seen_instead(draft, spec, part)
    draft.duration_s = max(float(told["seconds"]), draft.speech_s, MIN_SHOT_S)
    return draft


def seen_instead(draft: Draft, spec: ScriptSpec, part: str) -> str:
    """What a shot shows that nobody described."""
    place = next((scene.description or scene.name for scene in spec.scenes if scene.name == draft.scene), "")
    return draft.action or draft.narration or place or draft.scene or plain(part)[:80]


def _timed(drafts: list[Draft], session: Session) -> list[Draft]:
    target_s = session.spec.target_duration_s
    if target_s is None:
        plan_smart(drafts)
        return drafts
    drafts[0].worth += 2.0
    drafts[-1].worth += 1.5
    return plan_target(drafts, target_s, keep_words=False, cutaway=lambda shot, n: cutaway(shot, n, session))


def cutaway(shot: Draft, number: int, session: Session) -> Draft:
    """A silent look around in a shot's scene, where there is more time than shots."""
    spec = session.spec
    scene = next((scene for scene in spec.scenes if scene.name == shot.scene), None)
    place = (scene.description or scene.name) if scene else in_language(session.language, "空镜头", "an empty view")
    detail = in_language(session.language, "细节特写", "a detail of it from close by")
    kind = _VIEWS[number % len(_VIEWS)]
    return Draft(
        scene=shot.scene,
        setting=shot.setting,
        weather=shot.weather,
        description=f"{place}; {detail}" if kind is ShotType.EXTREME_CLOSE_UP else place,
        shot_type=kind,
        camera=CameraMovement.PAN_RIGHT if kind is ShotType.WIDE else CameraMovement.PUSH_IN,
        transition=Transition.CUT,
        paragraph=shot.paragraph,
        cutaway=True,
    )


def as_shot(draft: Draft, number: int) -> Shot:
    return Shot(
        shot_number=number,
        shot_type=draft.shot_type or ShotType.MEDIUM,
        scene=draft.scene,
        characters=draft.people,
        description=draft.description,
        narration=draft.narration,
        dialogue=list(_dialogue(draft.lines)),
        action=draft.action,
        duration_s=draft.duration_s or math.ceil(draft.speech_s) or MIN_SHOT_S,
        camera_movement=draft.camera or CameraMovement.STATIC,
        transition=draft.transition or Transition.CUT,
    )


def _dialogue(lines: Iterable[Line]) -> Iterable[DialogueLine]:
    for line in lines:
        if line.speaker is not None:
            yield DialogueLine(character=line.speaker, text=line.text, emotion=line.emotion)
