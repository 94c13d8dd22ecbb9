"""The storyboard: a text retold in shots, or the shots of a faithful film seen by the model."""

from typing import Any

from models.draft.script.shots import Draft
from models.draft.script.source import Line
from models.draft.script.text import speech_seconds
from models.draft.script.timing import MIN_SHOT_S, plan_smart, plan_target
from models.language import directing, schemas
from models.language.session import Session
from models.language.shots import REMEMBERED, as_shot, before, cutaway, show
from models.language.wording import plain
from models.specs import CameraMovement, Emotion, ScriptResult, ShotType, Transition

SHOT_TOKENS = 200
"""About what one shot takes to write."""
_USUAL_SHOT_S = 5.0
_MOST_SHOTS = 400
_MOST_PER_CALL = 24


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
    room = max(room - REMEMBERED * SHOT_TOKENS, room // 2)
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
        drafts += [_draft(told) for told in answer["shots"]]
    drafts = _timed(drafts, spec.target_duration_s)
    show(drafts, session)
    return drafts


def _draft(told: dict[str, Any]) -> Draft:
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
    draft.duration_s = max(float(told["seconds"]), draft.speech_s, MIN_SHOT_S)
    return draft


def _timed(drafts: list[Draft], target_s: float | None) -> list[Draft]:
    if target_s is None:
        plan_smart(drafts)
        return drafts
    drafts[0].worth += 2.0
    drafts[-1].worth += 1.5
    return plan_target(drafts, target_s, keep_words=False, cutaway=cutaway)
