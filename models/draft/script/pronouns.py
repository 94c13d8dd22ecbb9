"""Whom "he", "she", "they" and 两人 speak of: beats that name nobody show whom the scene is about."""

import re
from collections.abc import Container

from models.draft.script.people import closest, pronoun_gender
from models.draft.script.source import Source
from models.specs import Language

_MOST = 4
_SEVERAL = {
    "zh": re.compile("他们|她们|俩|一老一小|[两二三四]个?人|大家都"),
    "en": re.compile(
        r"\b(?:they|both|the (?:two|three|four|pair|couple)(?! \w+s\b)|(?:all|the) (?:three|four) of)\b", re.I
    ),
}
_NUMBERS = {
    "zh": re.compile("(?P<two>两个?人|二人|俩|一老一小)|(?P<three>三个?人)|(?P<four>四个?人)"),
    "en": re.compile(r"\b(?:(?P<two>both|two|pair|couple)|(?P<three>three)|(?P<four>four))\b", re.IGNORECASE),
}
_COUNTS = {"two": 2, "three": 3, "four": 4}
_WOMEN = {"zh": re.compile("她们"), "en": re.compile(r"(?!)")}


def follow_pronouns(source: Source, kept: Container[int] = ()) -> None:
    """Add to the beats the people their pronouns speak of: "they" are all who were in the scene so far, or came to it
    from the scene before. ``kept``: numbers of beats whose people their author listed."""
    by_name = {person.name: person for person in source.people}
    recent: list[str] = []
    scene: list[str] = []
    former: list[str] = []
    setting = -1
    for number, beat in enumerate(source.beats):
        if beat.setting != setting:
            setting, former, scene = beat.setting, scene or former, []
        text = "" if beat.is_quoted else beat.told
        if number in kept:
            pass
        elif _SEVERAL[source.language].search(text):
            here = list(dict.fromkeys([*beat.people, *scene, *(former if len({*beat.people, *scene}) < 2 else ())]))
            if _WOMEN[source.language].search(text):
                here = [name for name in here if by_name[name].gender != "male"]
            here = [*beat.people, *(name for name in recent if name in here and name not in beat.people)]
            beat.people = here[: max(_count(text, source.language), len(beat.people))]
        elif not beat.people:
            gender = pronoun_gender(text, source.language)
            meant = closest(recent, by_name, gender) if gender else None
            beat.people = [meant] if meant else []
        recent = [*beat.people, *(name for name in recent if name not in beat.people)]
        scene = [*scene, *(name for name in beat.people if name not in scene)]


def _count(text: str, language: Language) -> int:
    match = _NUMBERS[language].search(text)
    return _COUNTS[str(match.lastgroup)] if match else _MOST
