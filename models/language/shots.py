"""What both kinds of storyboard do with a shot in the making."""

import math
from collections.abc import Iterable

from models.draft.script.shots import Draft
from models.draft.script.source import Line
from models.draft.script.text import in_language, shorten
from models.draft.script.timing import MIN_SHOT_S
from models.language.session import Session
from models.specs import CameraMovement, DialogueLine, Shot, ShotType, Transition

REMEMBERED = 3
"""So many shots are told to the model before it writes the next."""
_VIEWS = (ShotType.WIDE, ShotType.EXTREME_CLOSE_UP, ShotType.MEDIUM)


def before(session: Session, drafts: list[Draft]) -> str:
    """The last shots, for the next to go on from."""
    if not drafts:
        return ""
    told = [f"- {draft.shot_type}; {draft.scene or ''}; {draft.description}" for draft in drafts[-REMEMBERED:]]
    return session.section("previous", list="\n".join(told))


def cutaway(shot: Draft, number: int) -> Draft:
    """A silent look around in a shot's scene, where there is more time than shots; ``show`` says what it shows."""
    kind = _VIEWS[number % len(_VIEWS)]
    return Draft(
        scene=shot.scene,
        setting=shot.setting,
        weather=shot.weather,
        shot_type=kind,
        camera=CameraMovement.PAN_RIGHT if kind is ShotType.WIDE else CameraMovement.PUSH_IN,
        transition=Transition.CUT,
        paragraph=shot.paragraph,
        cutaway=True,
    )


def show(drafts: list[Draft], session: Session) -> None:
    """Say what a cutaway shows: the place of the shot before it. No other shot is left without a picture either."""
    spec, language = session.spec, session.language
    scene = None
    for draft in drafts:
        scene = draft.scene = draft.scene or (scene if draft.cutaway else None)
        if draft.cutaway:
            place = next((place.description or place.name for place in spec.scenes if place.name == scene), scene)
            place = place or in_language(language, "空镜头", "an empty view")
            detail = in_language(language, "，细节特写", ", a detail from close by")
            draft.description = place + (detail if draft.shot_type is ShotType.EXTREME_CLOSE_UP else "")
        draft.description = draft.description or _seen_instead(draft, session)


def _seen_instead(draft: Draft, session: Session) -> str:
    spec = session.spec
    place = next((scene.description or scene.name for scene in spec.scenes if scene.name == draft.scene), "")
    said = next((line.text for line in draft.lines), "")
    shown = draft.action or draft.narration or place or draft.scene or said
    return shown or shorten(session.material.text, session.language, zh_characters=72, en_words=40)


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
