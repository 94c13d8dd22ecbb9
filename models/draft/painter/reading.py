"""What a prompt says: words of the shared lexicon and of the painter's own list, found in Chinese and English text."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from models.draft import lexicon
from models.draft.weather_words import CLEAR, Said, said
from models.specs import ImageSpec, Place

_OWN_PATH = Path(__file__).with_name("words.toml")
# A word of refusal shortly before a word takes it back: "no boats", "没有船".
_REFUSAL = re.compile(r"(?:\b(?:no|without|not|never|free of)\s+(?:\w+\s+)?|没有|无|不要|不是|不)$", re.IGNORECASE)

# Named beside any place without moving there: "a kite in the sky", "down the road to the village".
_BACKDROPS = frozenset({"sky", "road"})


@dataclass(frozen=True)
class Match:
    start: int
    end: int
    id: str


class Known:
    """The words of some entries, as they are asserted: what a text refuses is not found."""

    def __init__(self, entries: Iterable[lexicon.Entry]) -> None:
        self._vocabulary = lexicon.Vocabulary(entries)

    def find(self, text: str) -> list[Match]:
        """Every word found, in text order."""
        return [
            Match(hit.start, hit.end, hit.entry.id)
            for hit in self._vocabulary.find(text)
            if not _REFUSAL.search(text[max(0, hit.start - 24) : hit.start])
        ]

    def ids(self, text: str) -> list[str]:
        """The ids said, each once, in the order in which they were last said."""
        said: dict[str, None] = {}
        for match in self.find(text):
            said.pop(match.id, None)
            said[match.id] = None
        return list(said)


class _Weather(Known):
    """Weather as it is said to be: 雨停了 is clear, "tears like rain" nothing."""

    def find(self, text: str) -> list[Match]:
        matches = [(match, said(text, match.start, match.end)) for match in super().find(text)]
        return [
            Match(match.start, match.end, CLEAR) if is_said is Said.OVER else match
            for match, is_said in matches
            if is_said is not Said.UNREAL
        ]


@dataclass(frozen=True)
class Words:
    """Every vocabulary the painter uses. ``near``: places in sight of a place, so naming them moves nobody there."""

    places: Known
    near: dict[str, frozenset[str]]
    indoor: frozenset[str]
    times: Known
    time_hints: Known
    weather: Known
    own: dict[str, Known]


@lru_cache(maxsize=1)
def words() -> Words:
    shared = lexicon.load(lexicon.SHARED_PATH)
    own = lexicon.load(_OWN_PATH)
    return Words(
        places=_merged(shared["place"], own["place_words"]),
        near={table["id"]: frozenset(table.get("near", ())) for table in shared["place"]},
        indoor=frozenset(table["id"] for table in shared["place"] if table["scene_type"] == "indoor"),
        times=Known(map(lexicon.entry, shared["time"])),
        time_hints=Known(lexicon.entry(table, words=("hint_zh", "hint_en")) for table in shared["time"]),
        weather=_Weather([*map(lexicon.entry, shared["weather"]), *_entries(own["weather_words"])]),
        own={section: Known(_entries(own[section])) for section in own},
    )


def _merged(shared: list[dict[str, Any]], more: Mapping[str, Mapping[str, list[str]]]) -> Known:
    return Known([*map(lexicon.entry, shared), *_entries(more)])


def _entries(tables: Mapping[str, Mapping[str, list[str]]]) -> list[lexicon.Entry]:
    return [lexicon.Entry(name, (*forms["zh"], *forms["en"])) for name, forms in tables.items()]


@dataclass(frozen=True)
class Reading:
    """What a picture is to show. ``place`` is None when nothing names one; ``time_said`` tells an hour that the
    words name from the one that is assumed."""

    place: str | None
    indoor: bool
    time: str
    weather: str
    props: tuple[str, ...]
    actions: tuple[str, ...]
    emotion: str
    time_said: bool = False


def read(spec: ImageSpec) -> Reading:
    """The prompt weighs over the place, later words over earlier ones; the negative prompt takes things away."""
    known = words()
    prompt = _without_names(spec)
    ground = place_text(spec.place) if spec.place else ""
    refused = spec.negative_prompt
    place = _last_place(_last_place(None, ground), prompt)
    if place is not None and place in known.places.ids(refused):
        place = None
    indoor = place in known.indoor if place else bool(spec.place and spec.place.scene_type == "indoor")
    refused_props = set(known.own["props"].ids(refused))
    props = [
        name
        for name in dict.fromkeys([*known.own["props"].ids(ground), *known.own["props"].ids(prompt)])
        if name not in refused_props and name != "nothing"
    ]
    refused_weather = set(known.weather.ids(refused))
    weather = [name for name in known.weather.ids(f"{ground}\n{prompt}") if name not in refused_weather]
    time = _time(ground, prompt, set(known.times.ids(refused)))
    return Reading(
        place=place,
        indoor=indoor,
        time=time or "day",
        weather=_worst(weather, known.weather.ids(prompt)),
        props=tuple(props),
        actions=tuple(known.own["actions"].ids(prompt)),
        emotion=next(iter(reversed(known.own["emotions"].ids(prompt))), "neutral"),
        time_said=time is not None,
    )


def _without_names(spec: ImageSpec) -> str:
    """The prompt without its people's names: neither Rose nor 江雪 says anything of flowers or the weather."""
    prompt = spec.prompt
    for name in sorted(
        {subject.name for subject in spec.subjects if subject.name}, key=lambda name: (-len(name), name)
    ):
        prompt = prompt.replace(name, " ")
    return prompt


def air_of(text: str) -> str | None:
    """What moves through the air of a described scene: rain, storm, snow, lights, or None."""
    falling = [name for name in words().weather.ids(text) if name in {"rain", "storm", "snow", CLEAR}]
    if falling and falling[-1] != CLEAR:
        return falling[-1]
    return "lights" if {"firefly", "campfire", "fireworks"} & set(words().own["props"].ids(text)) else None


def place_text(place: Place) -> str:
    return "\n".join((place.name, place.description, place.atmosphere, place.lighting))


def _last_place(current: str | None, text: str) -> str | None:
    known = words()
    for match in known.places.find(text):
        if current is None or not (match.id in _BACKDROPS or match.id in known.near.get(current, frozenset())):
            current = match.id
    return current


def _time(ground: str, prompt: str, refused: set[str]) -> str | None:
    known = words()
    for vocabulary in (known.times, known.time_hints):
        for text in (prompt, ground):
            said = [name for name in vocabulary.ids(text) if name not in refused]
            if said:
                return said[-1]
    return None


def _worst(weather: list[str], in_prompt: list[str]) -> str:
    """One weather: the last that the prompt names, else the last of all. Wind alone says nothing of the sky, and
    a wet night is rain even when wind is said after it."""
    said = [name for name in weather if name in in_prompt] or weather
    telling = [name for name in said if name != "wind"]
    return (telling or said or ["clear"])[-1]
