"""Reading a storyboard: every row is a shot, and what its author wrote is kept."""

import math
import re
from dataclasses import replace
from functools import lru_cache
from typing import Any

from models.draft.script import moods, table
from models.draft.script.columns import Row
from models.draft.script.moods import emotion_of_speech
from models.draft.script.names import one_spelling
from models.draft.script.people import find_people, mentions_of
from models.draft.script.pronouns import follow_pronouns
from models.draft.script.settings import assign_settings, follow_weather, read_setting
from models.draft.script.source import Beat, Line, Source
from models.draft.script.text import as_sentences, in_language, one_line
from models.specs import CameraMovement, Emotion, Language, ShotType, Transition

MAX_SHOT_S = 120.0

_DURATION = re.compile(
    r"^(?:(?P<minutes>\d{1,2}):)?(?P<seconds>\d+(?:\.\d+)?|\.\d+)\s*(?:s|sec|secs|seconds?|秒|秒钟|″|\")?$",
    re.IGNORECASE,
)
_SPLIT_NAMES = re.compile(r"\s*(?:[、,，/;；&\n]|\band\b|和|与)\s*")
_SPOKEN = re.compile(
    r"^(?P<name>[^：:（(“\"\n]{1,20}?)\s*(?:[（(](?P<how>[^）)]*)[）)])?\s*[：:]\s*(?P<words>\S.*)$", re.DOTALL
)
_NOBODY = frozenset(["无", "none", "-", "—", "n/a", "/"])


def read(text: str, language: Language, background: list[str]) -> Source:
    """A storyboard as a source with its people and settings, ``background`` telling more of the people. Raises
    UserInputError naming line and column."""
    storyboard = table.parse(text, language)
    rows = storyboard.rows
    shots = [_beat(row, number, language) for number, row in enumerate(rows)]
    names = [*storyboard.characters, *(name for beat in shots for name in beat.people)]
    spelling = one_spelling(names)
    for beat in shots:
        beat.people = list(dict.fromkeys(spelling[name] for name in beat.people))
        for line in beat.lines:
            line.speaker = spelling[line.speaker] if line.speaker else None
    told_of = [
        f"{spelling[name]}{in_language(language, '，', ', ')}{about}"
        for name, about in storyboard.characters.items()
        if about
    ]
    background = [*told_of, *background]
    source = Source(
        language, _outline(shots), shots, title=storyboard.title, style=storyboard.style, background=background
    )
    in_shots = (name for beat in shots for name in beat.people)
    listed = list(dict.fromkeys([*in_shots, *(spelling[name] for name in storyboard.characters)]))
    told = [*(beat.told for beat in shots), *background]
    source.people = find_people(told, language, listed)
    if listed:
        # The author named everybody: others in the words are not cast, but their words count for those who are.
        source.people = [person for person in source.people if person.name in listed]
        for person in source.people:
            person.mentions += sum(person.name in beat.people for beat in shots)
        source.people.sort(key=lambda person: (-person.mentions, listed.index(person.name)))
    mentions = mentions_of(source.people, language)
    for beat in shots:
        beat.people = list(dict.fromkeys([*beat.people, *mentions.names(beat.told)]))
    scenes = [row.cell("scene") for row in rows]
    if any(scenes):
        _named_settings(source, scenes)
    else:
        assign_settings(source, mentions)
    follow_pronouns(source, {number for number, row in enumerate(rows) if _people(row)})
    return source


def check(text: str, language: Language) -> None:
    """Read every cell, without looking for people. Raises UserInputError naming line and column."""
    for number, row in enumerate(table.parse(text, language).rows):
        _beat(row, number, language)


def _named_settings(source: Source, scenes: list[str]) -> None:
    """A scene for every name in the column; a row without one stays in the scene before it."""
    names = list(dict.fromkeys(scene for scene in scenes if scene))
    current = 0
    for beat, scene in zip(source.beats, scenes, strict=True):
        current = names.index(scene) if scene else current
        beat.setting = current
    source.scene_names = names
    for index, name in enumerate(names):
        shown = [beat.told for beat in source.beats if beat.setting == index]
        opening = read_setting(as_sentences([name, *shown[:1]])).weather
        setting = read_setting(as_sentences([name, *shown]), label=name)
        source.settings.append(replace(setting, weather=opening))
    follow_weather(source)


def _beat(row: Row, number: int, language: Language) -> Beat:
    people = _people(row)
    lines = _dialogue(row, people, language)
    everyone = list(dict.fromkeys([*people, *(line.speaker for line in lines if line.speaker)]))
    narration = [row.cell("narration"), *(line.text for line in lines if line.speaker is None)]
    return Beat(
        narration=one_line(" ".join(part for part in narration if part)),
        lines=[line for line in lines if line.speaker is not None],
        people=everyone,
        paragraph=number,
        description=one_line(row.cell("description")),
        action=one_line(row.cell("action")),
        shot_type=_value(row, "shot_type", ShotType, language),
        camera=_value(row, "camera", CameraMovement, language),
        transition=_value(row, "transition", Transition, language),
        duration_s=_duration(row, language),
        is_shot=True,
    )


@lru_cache(maxsize=4)
def _values(column: str) -> dict[str, str]:
    """The value of a shot every accepted word stands for."""
    return {word.lower(): value for value, words in moods.data()[column].items() for word in (value, *words)}


def _value(row: Row, column: str, kind: Any, language: Language) -> Any:
    word = row.cell(column)
    if not word:
        return None
    key = re.sub(r"\s+", " ", word.lower().strip(" .。"))
    value = _values(column).get(key) or _values(column).get(key.replace("-", " ").replace("_", " "))
    if value is None:
        zh, en = "、".join(_values(column)), ", ".join(kind)
        raise row.error(column, language, f"不认识“{word}”；可用：{zh}", f"{word!r} is not known; use {en}")
    return kind(value)


def _duration(row: Row, language: Language) -> float | None:
    text = row.cell("duration")
    if not text:
        return None
    match = _DURATION.match(text)
    seconds = float(match.group("seconds")) + 60 * int(match.group("minutes") or 0) if match else math.nan
    if not 0 < seconds <= MAX_SHOT_S:
        raise row.error(
            "duration",
            language,
            f"“{text}”不是 0 到 {MAX_SHOT_S:g} 秒之间的时长",
            f"{text!r} is not a duration between 0 and {MAX_SHOT_S:g} seconds",
        )
    return seconds


def _people(row: Row) -> list[str]:
    value = row.cells.get("character", "")
    names = value if isinstance(value, list) else _SPLIT_NAMES.split(str(value))
    cleaned = [one_line(str(name.get("name", "") if isinstance(name, dict) else name)) for name in names]
    return list(dict.fromkeys(name for name in cleaned if name and name.lower() not in _NOBODY))


def _dialogue(row: Row, people: list[str], language: Language) -> list[Line]:
    value = row.cells.get("dialogue", "")
    mood = moods.emotion_of(row.cell("emotion"))
    if isinstance(value, str):
        return [_line(part, people, mood) for part in value.split("\n") if part.strip() and part.strip() not in _NOBODY]
    lines = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            lines.append(_line(item, people, mood))
            continue
        speaker = item.get("character") or item.get("speaker") or item.get("角色") or (people[0] if people else None)
        words = item.get("text") or item.get("line") or item.get("words") or item.get("台词") or item.get("对白")
        if not isinstance(words, str) or not words.strip() or not isinstance(speaker, str | None):
            raise row.error("dialogue", language, "每句对白需要 character 和 text", "a line needs character and text")
        emotion = str(item.get("emotion", ""))
        felt = Emotion(emotion) if emotion in set(Emotion) else moods.emotion_of(emotion)
        lines.append(
            Line(one_line(speaker) if speaker else None, one_line(words), felt if felt != Emotion.NEUTRAL else mood)
        )
    return lines


def _line(text: str, people: list[str], mood: Emotion) -> Line:
    match = _SPOKEN.match(text.strip())
    speaker = people[0] if people else None
    words, how = text, ""
    if match:
        speaker, words, how = match.group("name").strip(), match.group("words"), match.group("how") or ""
    words = one_line(words).strip('“”"「」')
    felt = moods.emotion_of(how)
    felt = felt if felt != Emotion.NEUTRAL else mood
    return Line(speaker, words, felt if felt != Emotion.NEUTRAL else emotion_of_speech(words))


def _outline(shots: list[Beat]) -> str:
    """The story the shots tell, a line each."""
    lines = []
    for number, beat in enumerate(shots, start=1):
        spoken = [f"{line.speaker}: {line.text}" for line in beat.lines]
        lines.append(f"{number}. {as_sentences([beat.description, beat.narration, *spoken])}")
    return "\n".join(lines)
