"""What a prompt says: words of the shared lexicon and of the painter's own list, found in Chinese and English text."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from models.draft import lexicon
from models.draft.buildings import is_inside
from models.draft.weather_words import CLEAR, Said, said
from models.specs import ImageSpec, Place

_OWN_PATH = Path(__file__).with_name("words.toml")
# A word of refusal shortly before a word takes it back: "no boats", "没有船".
_REFUSAL = re.compile(r"(?:\b(?:no|without|not|never|free of)\s+(?:\w+\s+)?|没有|无|不要|不是|不)$", re.IGNORECASE)

# Named beside any place without moving there: "a kite in the sky", "down the road to the village".
_BACKDROPS = frozenset({"sky", "road"})


# Said where a user wants the scene moved: only then may words of an action leave the scene's own place.
_MOVED = re.compile(
    r"(?:\b(?:move|moved|set|change|changed|relocate|put|instead)\b[^.;]{0,40}|[换改搬移挪][^。；]{0,12})$",
    re.IGNORECASE,
)

# What is said before a thing that somebody has in the hand: "carrying a small green plant", "手里提着一盏红灯".
_CARRIED = re.compile(
    r"(?:\b(?:with|carr(?:y|ies|ying)|hold(?:s|ing)?|hug(?:s|ging)?|bring(?:s|ing)?|lift(?:s|ing)?|rais(?:es|ing)|grip(?:s|ping)?"
    r"|swing(?:s|ing)?|play(?:s|ing)?|read(?:s|ing)?|drink(?:s|ing)?|sip(?:s|ping)?|clutch(?:es|ing)?)\s+(?:[\w-]+\s+){0,4}"
    r"|(?:提|拿|举|捧|抱|端|握|撑|拎|弹|读|看|喝|品|打|放|挥|带着|背着|手里|手中)(?:着|起|了|来)?的?[^，。；：、,.;:]{0,6})$",
    re.IGNORECASE,
)
_IN_HAND = re.compile(r"\s+in (?:his|her|their|its|one|a|the) (?:hands?|arms?|paws?)\b", re.IGNORECASE)

_NO_WORDS = frozenset({"place_refines", "place_insides"})

_URBAN = frozenset({"city", "street", "market", "rooftop", "subway_station", "office", "neon"})
_COUNTRY = frozenset(
    {"mountain", "forest", "village", "field", "snowfield", "bamboo", "terraces", "river", "lake", "desert", "garden"}
)


@dataclass(frozen=True)
class Match:
    """``weak``: a short form that says something only where nothing else does."""

    start: int
    end: int
    id: str
    weak: bool = False


class Known:
    """The words of some entries, as they are asserted: what a text refuses is not found."""

    def __init__(self, entries: Iterable[lexicon.Entry]) -> None:
        self._vocabulary = lexicon.Vocabulary(entries)

    def find(self, text: str) -> list[Match]:
        """Every word found, in text order."""
        return [
            Match(hit.start, hit.end, hit.entry.id, bool(hit.entry.fields.get("weak")))
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
    """Every vocabulary the painter uses. ``near``: places in sight of a place, so naming them moves nobody there.
    ``refines``: the larger places that a place is part of; ``insides``: the rooms of a place that is a building."""

    places: Known
    near: dict[str, frozenset[str]]
    refines: dict[str, frozenset[str]]
    insides: Mapping[str, str]
    indoor: frozenset[str]
    times: Known
    time_hints: Known
    weather: Known
    own: dict[str, Known]
    people: Mapping[str, Mapping[str, Any]]


@lru_cache(maxsize=1)
def words() -> Words:
    shared = lexicon.load(lexicon.SHARED_PATH)
    own = lexicon.load(_OWN_PATH)
    near = {table["id"]: frozenset(table.get("near", ())) for table in shared["place"]}
    indoor = {table["id"] for table in shared["place"] if table["scene_type"] == "indoor"}
    for name, table in own["places"].items():
        near[name] = near.get(name, frozenset()) | frozenset(table.get("near", ()))
        if table.get("indoor"):
            indoor.add(name)
    # The first entry that has a word keeps it: the painter's own places are finer than the shared ones.
    places = [
        *_entries(own["places"]),
        *map(lexicon.entry, shared["place"]),
        *(lexicon.Entry(entry.id, entry.words, {"weak": True}) for entry in _entries(own["place_words"])),
    ]
    return Words(
        places=Known(places),
        near=near,
        refines={name: frozenset(larger) for name, larger in own["place_refines"].items()},
        insides=own["place_insides"],
        indoor=frozenset(indoor),
        times=Known(map(lexicon.entry, shared["time"])),
        time_hints=Known(lexicon.entry(table, words=("hint_zh", "hint_en")) for table in shared["time"]),
        weather=_Weather([*map(lexicon.entry, shared["weather"]), *_entries(own["weather_words"])]),
        own={section: Known(_entries(own[section])) for section in own if section not in _NO_WORDS},
        people=own["people"],
    )


def _entries(tables: Mapping[str, Mapping[str, Any]]) -> list[lexicon.Entry]:
    return [lexicon.Entry(name, (*forms["zh"], *forms["en"])) for name, forms in tables.items()]


@dataclass(frozen=True)
class Reading:
    """What a picture is to show. ``place`` is None when nothing names one; ``time_said`` tells an hour that the
    words name from the one that is assumed. ``carried``: the props that somebody has in the hand. ``urban``: whether
    what is seen beyond the place is a city, None where nothing says."""

    place: str | None
    indoor: bool
    time: str
    weather: str
    props: tuple[str, ...]
    actions: tuple[str, ...]
    emotion: str
    time_said: bool = False
    carried: tuple[str, ...] = ()
    animals: tuple[tuple[str, str | None], ...] = ()  # each kind with the colour said of it
    urban: bool | None = None


def read(spec: ImageSpec) -> Reading:
    """The prompt weighs over the place, later words over earlier ones; the negative prompt takes things away."""
    known = words()
    prompt = _without_names(spec)
    ground = place_text(spec.place) if spec.place else ""
    refused = spec.negative_prompt
    place = _entered(_place(spec.place, prompt, spec.prompt), spec.place, prompt)
    if place is not None and place in known.places.ids(refused):
        place = None
    indoor = place in known.indoor if place else bool(spec.place and spec.place.scene_type == "indoor")
    # What a scene is lit by stands in nobody's way: "one warm lamp indoors" is light, not a thing.
    seen = f"{spec.place.name}\n{spec.place.description}" if spec.place else ""
    refused_props = set(known.own["props"].ids(refused)) | {"nothing"}
    said = known.own["props"].find(prompt)
    props = [
        name
        for name in dict.fromkeys([*known.own["props"].ids(seen), *(match.id for match in said)])
        if name not in refused_props
    ]
    refused_weather = set(known.weather.ids(refused))
    weather = [name for name in known.weather.ids(f"{ground}\n{prompt}") if name not in refused_weather]
    time = _time(ground, prompt, set(known.times.ids(refused)))
    creatures = known.own["animals"]
    hidden = {"nothing", *creatures.ids(refused)}
    animals = [match for match in creatures.find(prompt) if match.id not in hidden]
    return Reading(
        place=place,
        indoor=indoor,
        time=time or "day",
        weather=_worst(weather, known.weather.ids(prompt)),
        props=tuple(props),
        actions=tuple(known.own["actions"].ids(prompt)),
        emotion=next(iter(reversed(known.own["emotions"].ids(prompt))), "neutral"),
        time_said=time is not None,
        carried=_carried(prompt, [*said, *animals], props),
        animals=tuple({match.id: _coat(prompt, match) for match in animals}.items()),
        urban=_urban(place, f"{seen}\n{prompt}", spec),
    )


def _carried(prompt: str, said: list[Match], props: list[str]) -> tuple[str, ...]:
    found = {
        match.id: None
        for match in said
        if _CARRIED.search(prompt[max(0, match.start - 40) : match.start]) or _IN_HAND.match(prompt, match.end)
    }
    return tuple(name for name in found if name in props or name in {"cat", "dog", "rabbit"})


def _coat(prompt: str, animal: Match) -> str | None:
    """The colour inside an animal's word or right before it: 白马, "a black cat"."""
    near = [colour.id for colour in words().own["colours"].find(prompt) if animal.start - 2 <= colour.end <= animal.end]
    return near[-1] if near else None


def _urban(place: str | None, text: str, spec: ImageSpec) -> bool | None:
    """Whether a station, a roof, a window looks out on a city or on the country."""
    beyond = {match.id for match in words().places.find(text)} - {place}
    if beyond & _COUNTRY:
        return False
    if beyond & _URBAN or "neon" in words().own["techniques"].ids(" ".join(spec.style.visual_keywords)):
        return True
    return None


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


def _place(place: Place | None, prompt: str, asked: str) -> str | None:
    """The scene's own place; an action may only say where in it we are, unless the user moves it. A prompt that does
    not speak of the scene at all speaks of another place."""
    own = _last_place(None, place.name) or _last_place(None, place_text(place)) if place else None
    if own is None or place is None:
        return _last_place(own, prompt)
    scene_named = bool(place.name.strip()) and place.name.strip().casefold() in asked.casefold()
    if not scene_named:
        return _last_place(own, prompt)
    known = words()
    for match in _places_in(prompt):
        if match.weak or match.id in _BACKDROPS:
            continue
        if own in known.refines.get(match.id, frozenset()) or _MOVED.search(prompt[: match.start]):
            own = match.id
    return own


def _entered(place: str | None, scene: Place | None, prompt: str) -> str | None:
    """The rooms of a building that the scene or the words are inside of, else the place itself."""
    rooms = words().insides.get(place or "")
    if place is None or rooms is None:
        return place
    if scene and scene.scene_type == "indoor":
        return rooms
    text = f"{place_text(scene)}\n{prompt}" if scene else prompt
    named = [match for match in words().places.find(text) if match.id == place]
    return rooms if named and is_inside(text, named[-1].start, named[-1].end) else place


def _places_in(text: str) -> list[Match]:
    """The words of places in a text that are not part of a thing's name: no street in a street lamp."""
    things = [match for match in words().own["props"].find(text) if match.id != "nothing"]
    return [
        match
        for match in words().places.find(text)
        if not any(
            thing.start <= match.start and match.end <= thing.end and thing.end - thing.start > match.end - match.start
            for thing in things
        )
    ]


def _last_place(current: str | None, text: str) -> str | None:
    """The place a text ends up in: its last word of one that is not merely in sight, a short form only where no word
    says more."""
    known = words()
    matches = _places_in(text)
    named = [match for match in matches if not match.weak]
    if not named and current is None:
        named = matches
    for match in named:
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
