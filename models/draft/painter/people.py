"""Who is seen beside the film's own characters: the people that a prompt names by what they are."""

import re

from models.draft.painter.reading import words
from models.specs import Framing, ImageSpec, ShotType, Subject

# Between a name and a word for a person these make two people of them: "小满和老师", "Lina and the teacher".
_AND = re.compile(r"[和与跟同向对给]|\b(?:and|with|to|from|at|by|for)\b", re.IGNORECASE)
_STOP = re.compile(r"[，。；：、！？,.;:!?\n]")
_MOST = 3


def company_of(spec: ImageSpec) -> list[Subject]:
    """Nobody where only the place is asked for, or where a close shot belongs to the characters in it."""
    close = spec.shot_type in {ShotType.CLOSE_UP, ShotType.EXTREME_CLOSE_UP, ShotType.OVER_SHOULDER}
    if spec.framing != Framing.SHOT or (spec.subjects and close):
        return []
    known = words()
    taken = set(known.own["people"].ids("\n".join(f"{one.name} {one.appearance}" for one in spec.subjects)))
    refused = set(known.own["people"].ids(spec.negative_prompt))
    found: list[Subject] = []
    for match in known.own["people"].find(spec.prompt):
        role = known.people[match.id]
        if match.id in taken | refused or (spec.subjects and role.get("plain")):
            continue
        if spec.subjects and _is_one_of(spec, match.start, match.end):
            continue
        taken.add(match.id)
        found += [_subject(match.id, index) for index in range(int(role.get("many", 1)))]
    return found[:_MOST]


def _is_one_of(spec: ImageSpec, start: int, end: int) -> bool:
    """Whether a word for a person only says what a character is: "Captain Iris", "a fisherman named Tom"."""
    for subject in spec.subjects:
        name = subject.name.strip()
        if not name:
            continue
        before, after = spec.prompt[max(0, start - len(name) - 12) : start], spec.prompt[end : end + len(name) + 14]
        for between in (
            after[: after.find(name)] if name in after else None,
            before.rpartition(name)[2] if name in before else None,
        ):
            if between is not None and not _AND.search(between) and not _STOP.search(between.strip(",， ")):
                return True
    return False


def _subject(role: str, index: int) -> Subject:
    known = words().people[role]
    return Subject(
        name=f"{role} {index}",
        appearance=str(known["look"]),
        gender=known.get("gender", "other"),
        age=known.get("age", "adult"),
        seed=index,
    )
