"""Who is in a text: the people it names, by name or by role, with what their naming says of gender and age."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from models.draft import lexicon
from models.specs import Language

Gender = Literal["male", "female", "other"]
Age = Literal["child", "young", "adult", "elder"]

PEOPLE_PATH = Path(__file__).with_name("people.toml")
MAX_PEOPLE = 8

_PRONOUNS = {
    "zh": re.compile("(?P<female>她(?!们))|(?P<male>他(?!们))"),
    "en": re.compile(r"\b(?:(?P<female>she|her|hers)|(?P<male>he|him|his))\b", re.IGNORECASE),
}
NARRATOR = {"zh": "我", "en": "Narrator"}
_NOBODY: dict[str, dict[str, tuple[str, set[str]]]] = {
    "zh": {"female": ("她", set()), "male": ("他", set())},
    "en": {"female": ("The Woman", {"she", "her"}), "male": ("The Man", {"he", "him"})},
}
_FIRST_PERSON = {"zh": re.compile("我(?!们)"), "en": re.compile(r"\bI\b")}


@dataclass
class Person:
    """Somebody in the text. ``aliases`` are written forms beside the name; ``first`` is where they first appear."""

    name: str
    aliases: set[str] = field(default_factory=set)
    gender: Gender | None = None
    age: Age | None = None
    likely: Gender | None = None
    """The gender most readers take for granted where nothing says it."""
    is_role: bool = False
    mentions: int = 0
    first: int = 0

    @property
    def forms(self) -> list[str]:
        """Every written form, the longest first."""
        return sorted({self.name, *self.aliases}, key=lambda form: (-len(form), form))

    def absorb(self, other: "Person") -> None:
        """Take over another naming of the same person."""
        self.aliases |= {other.name, *other.aliases} - {self.name}
        self.gender = self.gender if self.gender not in {None, "other"} else other.gender
        self.age = self.age or other.age
        self.mentions += other.mentions
        self.first = min(self.first, other.first)


@lru_cache(maxsize=1)
def data() -> dict[str, Any]:
    return lexicon.load(PEOPLE_PATH)


@lru_cache(maxsize=8)
def word_list(name: str) -> frozenset[str]:
    """``generic_roles``, ``not_names_zh``, ``things_zh`` or ``not_names_en``."""
    return frozenset(data()[name])


@lru_cache(maxsize=1)
def roles() -> lexicon.Vocabulary:
    return lexicon.Vocabulary(lexicon.entry(table) for table in data()["role"])


@lru_cache(maxsize=1)
def ages() -> lexicon.Vocabulary:
    return lexicon.Vocabulary(
        lexicon.Entry(name, (*table["zh"], *table["en"]), table) for name, table in data()["age"].items()
    )


class Mentions:
    """Finds the written forms of people in a text. A longer form hides a shorter one inside it."""

    def __init__(self, forms: Mapping[str, Iterable[str]], language: Language) -> None:
        self._owner: dict[str, str] = {}
        for name, written in forms.items():
            for form in written:
                self._owner.setdefault(form.lower(), name)
        patterns = [re.escape(form) for form in sorted(self._owner, key=lambda form: (-len(form), form)) if form]
        joined = "|".join(patterns)
        edge = r"\b" if language == "en" else ""
        self._pattern = re.compile(f"{edge}(?:{joined}){edge}", re.IGNORECASE) if patterns else None

    def find(self, text: str) -> list[tuple[int, int, str]]:
        """(start, end, name) in text order."""
        if self._pattern is None:
            return []
        return [
            (match.start(), match.end(), self._owner[match.group().lower()])
            for match in self._pattern.finditer(text)
            if match.group().lower() in self._owner
        ]

    def names(self, text: str) -> list[str]:
        """Names in the order of their first mention."""
        return list(dict.fromkeys(name for _, _, name in self.find(text)))

    def mask(self, text: str) -> str:
        """The text with every mention blanked, so that a name is not read as a place or the weather."""
        return self._pattern.sub(lambda match: "　" * len(match.group()), text) if self._pattern else text


def mentions_of(people: Iterable[Person], language: Language) -> Mentions:
    return Mentions({person.name: person.forms for person in people}, language)


def find_people(told: list[str], language: Language, known: Collection[str] = ()) -> list[Person]:
    """The people of a narration, sentence by sentence, most often mentioned first, at most MAX_PEOPLE.

    ``known`` are the names of people there are for certain, whether mentioned or not: all of them are returned."""
    if language == "zh":
        from models.draft.script.people_zh import discover
    else:
        from models.draft.script.people_en import discover
    people = _merge_generic_roles(_unique(discover(told, known)))
    if not known:
        people += _nameless(told, language, people)
    count_mentions(people, told, language)
    people.sort(key=lambda person: (-person.mentions, person.first))
    certain = set(known)
    others = [person.name for person in people if person.mentions and person.name not in certain]
    kept = {*certain, *others[: max(0, MAX_PEOPLE - len(certain))]}
    return [person for person in people if person.name in kept]


def _unique(people: list[Person]) -> list[Person]:
    """No two of the same name."""
    kept: dict[str, Person] = {}
    for person in people:
        first = kept.setdefault(person.name.casefold(), person)
        if first is not person:
            first.absorb(person)
    return list(kept.values())


def count_mentions(people: list[Person], told: list[str], language: Language) -> None:
    """Fill in mentions, first appearance, and gender from the pronouns that follow a name."""
    finder = mentions_of(people, language)
    by_name = {person.name: person for person in people}
    pronouns: dict[str, Counter[str]] = {person.name: Counter() for person in people}
    for person in people:
        person.mentions = 0
    current: str | None = None
    for number, sentence in enumerate(told):
        found = finder.find(sentence)
        for _, _, name in found:
            person = by_name[name]
            if not person.mentions:
                person.first = number
            person.mentions += 1
        # A pronoun speaks of the only person its sentence names, else of the one named last.
        names = {name for _, _, name in found}
        if names:
            current = found[0][2] if len(names) == 1 else None
        if current:
            for match in _PRONOUNS[language].finditer(sentence):
                pronouns[current][str(match.lastgroup)] += 1
    for person in people:
        counts = pronouns[person.name]
        if person.gender in {None, "other"} and counts["female"] != counts["male"]:
            person.gender = "female" if counts["female"] > counts["male"] else "male"
        if person.gender in {None, "other"}:
            person.gender = person.likely or person.gender


def pronoun_gender(text: str, language: Language) -> Gender | None:
    """The gender of the first he or she."""
    match = _PRONOUNS[language].search(text)
    return match.lastgroup if match else None  # type: ignore[return-value]


def closest(names: Iterable[str], by_name: Mapping[str, "Person"], gender: Gender) -> str | None:
    """The first of the names that "he" or "she" fits; somebody of unknown gender only where nobody else does."""
    fitting = [name for name in names if compatible(by_name[name], gender, None)]
    return next((name for name in fitting if by_name[name].gender == gender), fitting[0] if fitting else None)


def compatible(person: Person, gender: Gender | None, age: Age | None) -> bool:
    """Whether these may be said of the person; what is unknown contradicts nothing."""
    same_gender = "other" in {person.gender, gender} or None in {person.gender, gender} or person.gender == gender
    same_age = person.age is None or age is None or person.age == age or {person.age, age} == {"child", "young"}
    return same_gender and same_age


def _merge_generic_roles(people: list[Person]) -> list[Person]:
    """A girl, the old man: another word for the one person it fits, where there is only one."""
    kept = [person for person in people if not (person.is_role and person.name.lower() in word_list("generic_roles"))]
    for person in people:
        if person in kept:
            continue
        fitting = [other for other in kept if compatible(other, person.gender, person.age)]
        if len(fitting) == 1:
            fitting[0].absorb(person)
        else:
            kept.append(person)
    return kept


def _nameless(told: list[str], language: Language, named: list[Person]) -> list[Person]:
    """Who tells the story as "I"; or, where nobody has a name or a role, the "he" and "she" it is about."""
    text = "\n".join(told)
    if len(_FIRST_PERSON[language].findall(text)) >= 2:
        aliases = set() if language == "zh" else {"I", "me", "my"}
        return [Person(NARRATOR[language], aliases, gender="other", age="young")]
    if named:
        return []
    seen = list(dict.fromkeys(str(match.lastgroup) for match in _PRONOUNS[language].finditer(text)))
    return [Person(*_NOBODY[language][gender], gender=gender, age="young") for gender in seen]  # type: ignore[arg-type]
