"""Names and roles in English narration."""

import re
from collections import Counter
from collections.abc import Collection

from models.draft.lexicon import shared
from models.draft.script import people
from models.draft.script.people import Age, Gender, Person

SAY = (
    "said|says|asked|asks|replied|replies|answered|answers|whispered|whispers|shouted|shouts|called|calls|cried|cries|"
    "murmured|murmurs|added|adds|laughed|laughs|sighed|sighs|told|tells|exclaimed|yelled|yells|muttered|mutters|"
    "breathed|continued|agreed|began|smiled|grinned|warned|insisted|admitted|wondered"
)
_WORD = r"[A-Z][a-zà-ÿ]+(?:[-'’][A-Z][a-zà-ÿ]+)?"
_NAME = re.compile(rf"\b(?:(?P<title>[A-Z][a-z]+)\.? )?(?P<first>{_WORD})(?: (?P<last>{_WORD}))?")
_SAID_NAME = re.compile(rf"\b(?:{SAY}) ({_WORD})")
_VERB_AFTER = re.compile(
    rf"[’']s\b|,? (?:{SAY}|is|was|were|are|had|has|did|does|would|could|can|will|ran|went|came|took|saw|stood|sat|"
    r"looked|walks|runs|stands|sits|looks|turns|smiles|nods|never|always|only|just|and \w+ed|\w+ed|\w+s)\b"
)
_PREPOSITION = re.compile(r"\b(?:in|at|from|to|of|near|across|through|over|toward|towards|the|a|an)\s+$", re.IGNORECASE)
_REACH = 48
_ADJECTIVES = "old|young|little|elderly|tall|blind|tired|lonely|retired|quiet|strange|tiny|small|teenage|aged"
_AGED = re.compile(rf"\b(?:{_ADJECTIVES})\s+$")
_OF_SOMEBODY = "(?:the|an?|her|his|their|our|my|one of the)"
_APPOSITION = re.compile(rf", {_OF_SOMEBODY} (?P<words>[^,.;:!?]{{1,60}})")
_MOST_ADJECTIVES = 3
_BEFORE_ROLE = re.compile(
    rf"\b(?:the|a|an|his|her|their|my|our|one|this|that)\s+(?:[a-z-]+,?\s+){{0,2}}?(?P<adjective>(?:{_ADJECTIVES})\s+)?$"
    rf"|\b(?P<bare>(?:{_ADJECTIVES})\s+)$",
    re.IGNORECASE,
)


def discover(told: list[str], known: Collection[str] = ()) -> list[Person]:
    """Every named person and every role in the sentences, names first, the same person under one name. Those
    ``known`` are named persons even where nothing is told of them."""
    names = {name: {name.split()[0]} - {name} for name in known if name.strip()}
    taken = {part.lower() for name in names for part in name.split()}
    found = _names(told).items()
    names |= {name: parts for name, parts in found if not taken & {part.lower() for part in name.split()}}
    named = [Person(name, aliases, gender=_gender(name), age=_age(name, told)) for name, aliases in names.items()]
    rest: list[Person] = []
    for role in _roles(told):
        owner = _called_alike(role, named) or _same_person(role, named, told)
        if owner:
            owner.absorb(role)
        else:
            rest.append(role)
    return [*named, *rest]


def _names(told: list[str]) -> dict[str, set[str]]:
    text = "\n".join(told)
    lower_words = set(re.findall(r"\b[a-z]+\b", text))
    known = {*people.data()["english_names"]["female"], *people.data()["english_names"]["male"]}
    evidence: Counter[str] = Counter()
    against: Counter[str] = Counter()
    opening: Counter[str] = Counter()
    full: dict[str, set[str]] = {}
    for sentence in told:
        for match in _NAME.finditer(sentence):
            words = [word for word in match.group(0, "title", "first", "last")[1:] if word]
            titled = _title(words[0])
            while words and not titled and not _may_name(words[0], lower_words, known):
                words = words[1:]
                titled = bool(words) and _title(words[0])
            if not words or (titled and len(words) == 1):
                continue
            kept = words[:1]
            for word in words[1:]:
                if not _may_name(word, lower_words, known):
                    break
                kept.append(word)
            if titled and len(kept) == 1:
                continue
            name = " ".join(kept)
            start = match.start() + match.group().find(kept[0])
            after = sentence[start + len(name) + (1 if f"{kept[0]}. " in match.group() else 0) :]
            if _is_described(after):
                evidence[name] += 2
            elif titled or kept[0].lower() in known or _VERB_AFTER.match(after) or _AGED.search(sentence[:start]):
                evidence[name] += 1
                if not titled and kept[0].lower() not in known and not sentence[:start].strip(' “"‘'):
                    opening[name] += 1  # a word that opens a sentence has its capital anyway
            elif _PREPOSITION.search(sentence[max(0, start - _REACH) : start]):
                against[name] += 1
            full.setdefault(name, set())
        for match in _SAID_NAME.finditer(sentence):
            if _may_name(match.group(1), lower_words, known):
                evidence[match.group(1)] += 2
                full.setdefault(match.group(1), set())
    accepted = [
        name for name in full if evidence[name] > (1 if opening[name] == 1 else 0) and evidence[name] >= against[name]
    ]
    merged: dict[str, set[str]] = {}
    for name in sorted(accepted, key=lambda name: -len(name.split())):
        owner = next((other for other in merged if name in other.split()), None)
        if owner:
            merged[owner].add(name)
        else:
            merged[name] = {part for part in name.split() if not _title(part)} - {name} if " " in name else set()
    return merged


def _is_described(after: str) -> bool:
    """Whether a name is followed by what the person is: Martha, an old woman; Bram, the baker."""
    match = _APPOSITION.match(after)
    if match is None:
        return False
    words = match.group("words")
    return any(len(words[: hit.start].split()) <= _MOST_ADJECTIVES for hit in people.roles().find(words)[:1])


def _may_name(word: str, lower_words: set[str], known: set[str]) -> bool:
    lower = word.lower()
    if lower in people.word_list("not_names_en"):
        return False
    if lower in known:
        return True
    if lower in lower_words or people.roles().find(word):
        return False
    return not any(shared(section).find(word) for section in ("place", "time", "weather"))


def _title(word: str) -> bool:
    names = people.data()["english_names"]
    return word.lower() in {*names["titles"], *names["male_titles"], *names["female_titles"]}


def _gender(name: str) -> Gender | None:
    names = people.data()["english_names"]
    words = [word.lower() for word in name.split()]
    if words[0] in names["female_titles"]:
        return "female"
    if words[0] in names["male_titles"]:
        return "male"
    for word in words:
        if word in names["female"]:
            return "female"
        if word in names["male"]:
            return "male"
    return None


def _age(name: str, told: list[str]) -> Age | None:
    first = name.split(maxsplit=1)[0].lower()
    if first in {"old", "grandma", "grandpa", "granny"}:
        return "elder"
    if first == "little":
        return "child"
    beside = re.compile(rf"\b(?P<adjective>{_ADJECTIVES}) {re.escape(name.split(maxsplit=1)[0])}\b")
    for sentence in told:
        match = beside.search(sentence)
        aged = people.ages().find(match.group("adjective")) if match else []
        if aged:
            return aged[0].entry.id  # type: ignore[return-value]
    return None


def _roles(told: list[str]) -> list[Person]:
    found: dict[str, Person] = {}
    for sentence in told:
        for hit in people.roles().find(sentence):
            if hit.word.lower() not in hit.entry.words:
                continue  # a plural is a crowd
            before = _BEFORE_ROLE.search(sentence[max(0, hit.start - _REACH) : hit.start])
            if before is None:
                continue
            adjective = (before.group("adjective") or before.group("bare") or "").strip().lower()
            word = f"{adjective} {hit.word.lower()}".strip()
            exact = people.roles().find(word)
            role = exact[0].entry if exact and exact[0].word == word else hit.entry
            age: Age = role.fields["age"]
            ahead = people.ages().find(adjective)
            if ahead and role is hit.entry:
                age = ahead[0].entry.id  # type: ignore[assignment]
            person = found.setdefault(word, Person(word.title(), gender=role.fields["gender"], age=age, is_role=True))
            person.mentions += 1
    kept: list[Person] = []
    for person in sorted(found.values(), key=lambda person: -len(person.name)):
        longer = [other for other in kept if other.name.endswith(f" {person.name}")]
        if len(longer) == 1:
            longer[0].absorb(person)
        else:
            kept.append(person)
    return kept


def _called_alike(role: Person, named: list[Person]) -> Person | None:
    """A rusty robot where somebody is called Robot, the robot where the only one is Rusty Robot."""
    word = role.name.lower()
    alike = [p for p in named if word.endswith(f" {p.name.lower()}") or f" {p.name.lower()}".endswith(f" {word}")]
    return alike[0] if len(alike) == 1 else None


def _same_person(role: Person, named: list[Person], told: list[str]) -> Person | None:
    """A girl named Mira; Mira, the clockmaker; Mira was a courier: whom the role stands beside."""
    for person in named:
        name, word = re.escape(person.name.split()[0]), re.escape(role.name.lower())
        pattern = re.compile(
            rf"\b{word}(?:,)? (?:named |called |by the name of |whose name (?:is|was) )?{name}\b"
            rf"|\b{name}(?:,| (?:was|is)) {_OF_SOMEBODY} (?:[\w-]+,? ){{0,3}}{word}\b",
            re.IGNORECASE,
        )
        if any(pattern.search(sentence) for sentence in told):
            return person
    return None
