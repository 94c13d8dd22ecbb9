"""How a person looks: what the text says of hair, clothes and age, completed so that nobody looks like another."""

import hashlib
import re
from dataclasses import dataclass, field
from functools import lru_cache

from models.draft.lexicon import Entry, Hit, Vocabulary, entry
from models.draft.script.people import Age, Gender, data
from models.draft.script.text import in_language
from models.specs import Language

_AGE_WORDS = {
    ("child", "female"): ("七八岁的小女孩", "a girl of about eight"),
    ("child", "male"): ("七八岁的小男孩", "a boy of about eight"),
    ("child", "other"): ("七八岁的孩子", "a child of about eight"),
    ("young", "female"): ("二十岁左右的年轻女子", "a young woman of about twenty"),
    ("young", "male"): ("二十岁左右的年轻男子", "a young man of about twenty"),
    ("young", "other"): ("二十岁左右的年轻人", "a young person of about twenty"),
    ("adult", "female"): ("三十多岁的女人", "a woman in her thirties"),
    ("adult", "male"): ("三十多岁的男人", "a man in his thirties"),
    ("adult", "other"): ("三十多岁的成年人", "an adult in their thirties"),
    ("elder", "female"): ("白发的老奶奶", "an old woman in her seventies"),
    ("elder", "male"): ("年过七旬的老人", "an old man in his seventies"),
    ("elder", "other"): ("年过七旬的老人", "an old person in their seventies"),
}
_CARRYING = re.compile(
    r"提着|拿着|背着|撑着|抱着|拄着|打着|带着|举着|握着|挎着"
    r"|\b(?:with|hold(?:s|ing)?|carr(?:y|ies|ied|ying)|under|wear(?:s|ing)?|shoulder(?:s|ing)?|play(?:s|ing)?)\b",
    re.IGNORECASE,
)
_CARRY_REACH = 24
# Words that part a colour from the noun after it: another thing begins with them.
_PARTS_ZH = re.compile("[和与及跟、，。；：在把拿提里上下中有是]")
_PARTS_EN = re.compile(
    r"[^\w\s'’-]|\b(?:a|an|the|his|her|its|their|my|your|and|or|with|in|on|of|to|for|at|by|from)\b", re.I
)
_MOST_BETWEEN = {"zh": 4, "en": 24}
# A garment's word that is a verb: "ties up his boat", "a storm that dresses the hills".
_NOUN_BEFORE = re.compile(
    r"(?:\b(?:a|an|the|his|her|its|their|my|your|our|this|that|no|two|in|with|of|wearing|wears|wore|worn)|-)\s*$",
    re.IGNORECASE,
)
_OBJECT_AFTER = re.compile(
    r"^\s+(?:up|down|off|it|him|them|me|us|himself|herself|themselves|an?|the|his|her|its|their|my|your|our|quickly|well)\b",
    re.IGNORECASE,
)
_SOMEBODY_AFTER = re.compile(r"^\s+(?:him|them|me|us)\b", re.IGNORECASE)
_VERB_BEFORE = re.compile(
    r"\b(?:to|will|can|could|would|must|should|did|does|do|he|she|they|we|i|you|who)\s+$", re.IGNORECASE
)
_HAIRED = re.compile(r"\b([a-z]+)-haired\b", re.IGNORECASE)
_HAIR_WORDS = {
    "short": re.compile(r"\b(?:short|cropped|close-cut)\b|[短]", re.IGNORECASE),
    "long": re.compile(r"\b(?:long|flowing|waist-length)\b|[长]", re.IGNORECASE),
    "curly": re.compile(r"\b(?:curly|wavy|frizzy)\b|[卷鬈]", re.IGNORECASE),
    "ponytail": re.compile(r"\b(?:braided|plaited)\b", re.IGNORECASE),
}


@lru_cache(maxsize=4)
def vocabulary(section: str) -> Vocabulary:
    """``colour``, ``garment`` or ``hair``."""
    if section == "garment":
        return Vocabulary(Entry(table["part"], (*table["zh"], *table["en"]), table) for table in data()["garment"])
    return Vocabulary(entry(table) for table in data()[section])


@lru_cache(maxsize=1)
def _bare_hair() -> Vocabulary:
    return Vocabulary([Entry("hair", ("头发", "白发", "黑发", "金发", "银发", "红发", "hair", "haired"))])


@dataclass
class Look:
    """``worn``: phrase by the part of the body; ``hair``: style phrase; ``hair_colour``: a colour's id."""

    worn: dict[str, str] = field(default_factory=dict)
    hair: str = ""
    hair_colour: str = ""

    def update(self, other: "Look") -> None:
        """What the other look says replaces what this one says of the same part."""
        if "dress" in other.worn:
            self.worn.pop("top", None)
            self.worn.pop("bottom", None)
        elif {"top", "bottom"} & other.worn.keys():
            self.worn.pop("dress", None)
        self.worn.update(other.worn)
        self.hair = other.hair or self.hair
        self.hair_colour = other.hair_colour or self.hair_colour


def look_in(text: str, language: Language) -> Look:
    """What a text says of somebody's looks, in the words of a language."""
    text = _HAIRED.sub(r"\1 haired", text)  # a red-haired girl
    look = Look()
    colours = vocabulary("colour").find(text)
    for hit in vocabulary("garment").find(text):
        colour = _colour_before(text, hit, colours)
        if hit.entry.id == "carried" and not _CARRYING.search(text[max(0, hit.start - _CARRY_REACH) : hit.start]):
            continue  # a thing somewhere in the sentence
        if _is_verb(text, hit, has_colour=bool(colour)):
            continue
        noun = _garment_noun(hit, language)
        if not colour and hit.entry.id in {"face", "carried", "hat"}:
            look.worn.setdefault(hit.entry.id, noun)
        else:
            look.worn[hit.entry.id] = _coloured(colour, noun, language) if colour else noun
    for hit in vocabulary("hair").find(text):
        look.hair = hit.word.lower() if hit.word.isascii() == (language == "en") else _hair_word(hit.entry, language)
        colour = _colour_before(text, hit, colours)
        look.hair_colour = colour or look.hair_colour
    for hit in _bare_hair().find(text):
        inside = [c for c in colours if hit.start <= c.start < hit.end]
        look.hair_colour = (inside[0].entry.id if inside else _colour_before(text, hit, colours)) or look.hair_colour
        look.hair = _cut_before(text, hit, language) or look.hair
    return look


def _colour_before(text: str, hit: Hit, colours: list[Hit]) -> str:
    """The colour a noun has: the last before it with nothing but other qualities between."""
    before = [colour for colour in colours if colour.end <= hit.start]
    return before[-1].entry.id if before and _qualifies(text[before[-1].end : hit.start]) else ""


def _qualifies(between: str) -> bool:
    """Whether words between a quality and a noun let the quality be the noun's."""
    is_english = between.isascii()
    if len(between) > _MOST_BETWEEN["en" if is_english else "zh"]:
        return False
    if (_PARTS_EN if is_english else _PARTS_ZH).search(between):
        return False
    return not vocabulary("garment").find(between) and not vocabulary("hair").find(between)


def _cut_before(text: str, hit: Hit, language: Language) -> str:
    """The hair style that qualifies a bare "hair": short white hair, 长长的黑发."""
    reach = text[max(0, hit.start - _MOST_BETWEEN["en"]) : hit.start]
    found = [
        (match.end(), style)
        for style, pattern in _HAIR_WORDS.items()
        for match in pattern.finditer(reach)
        if _qualifies(reach[match.end() :].replace(",", " "))
    ]
    if not found:
        return ""
    style = max(found)[1]
    return next(_hair_word(entry, language) for entry in vocabulary("hair").entries if entry.id == style)


def _is_verb(text: str, hit: Hit, *, has_colour: bool) -> bool:
    """Whether an English word for a garment is what somebody does."""
    before, after = text[: hit.start], text[hit.end :]
    if has_colour:
        return _SOMEBODY_AFTER.match(after) is not None  # blue suits him
    if not hit.word.isascii() or _NOUN_BEFORE.search(before[-_CARRY_REACH:]):
        return False
    return bool(_OBJECT_AFTER.match(after) or _VERB_BEFORE.search(before[-_CARRY_REACH:]))


def _garment_noun(hit: Hit, language: Language) -> str:
    if hit.word.isascii() == (language == "en"):
        return hit.word.lower()
    return str(hit.entry.fields[language][0])


def _hair_word(hair: Entry, language: Language) -> str:
    return str(hair.fields[language][0])


def colour_name(colour: str, language: Language) -> str:
    if language == "en":
        return colour
    return next(str(e.fields["name_zh"]) for e in vocabulary("colour").entries if e.id == colour)


def _coloured(colour: str, noun: str, language: Language) -> str:
    name = colour_name(colour, language)
    return f"{name}{noun}" if language == "zh" else f"{name} {noun}"


def complete(look: Look, *, gender: Gender, age: Age, key: str, taken: set[str], language: Language) -> None:
    """Fill in what is missing, always alike for the same ``key``. ``taken`` holds what others of the cast wear; what
    is given here joins it."""
    choices = data()["completion"]
    draw = _Draw(key)
    hair_colours = choices["elder_hair_colours"] if age == "elder" else choices[f"hair_colours_{language}"]
    clothes = {hit.entry.id for phrase in look.worn.values() for hit in vocabulary("colour").find(phrase)}
    look.hair_colour = look.hair_colour or draw.pick("hair colour", hair_colours, avoid=clothes)
    look.hair = look.hair or draw.pick("hair", choices[f"hair_{language}"][gender])
    if "dress" not in look.worn:
        if "top" not in look.worn:
            colour = draw.pick("top colour", choices["top_colours"], avoid=taken)
            look.worn["top"] = _coloured(colour, draw.pick("top", choices[f"top_{language}"]), language)
        if "bottom" not in look.worn:
            colour = draw.pick("bottom colour", choices["bottom_colours"])
            look.worn["bottom"] = _coloured(colour, draw.pick("bottom", choices[f"bottom_{language}"]), language)
    if not {"hat", "neck", "face", "carried"} & look.worn.keys():
        thing = draw.pick("accessory", choices[f"accessories_{language}"][age], avoid=taken)
        look.worn["accessory"] = thing
        taken.add(thing)
    if (age, gender) == ("elder", "male") and "face" not in look.worn:
        noun = draw.pick("face", choices[f"elder_face_{language}"])
        look.worn["face"] = _coloured(look.hair_colour, noun, language)
    for part in ("top", "dress"):
        taken.update(hit.entry.id for hit in vocabulary("colour").find(look.worn.get(part, "")))


def describe(look: Look, *, gender: Gender, age: Age, language: Language) -> str:
    """The whole look as one phrase a picture model understands."""
    who = in_language(language, *_AGE_WORDS[(age, gender)])
    hair = look.hair
    if look.hair_colour and hair not in {"光头", "秃头", "bald"}:
        if language == "zh":
            hair = f"{colour_name(look.hair_colour, language)}{hair}"
        else:
            article, _, bare = hair.partition(" ") if hair.startswith(("a ", "an ")) else ("", "", hair)
            hair = f"{article} {look.hair_colour} {bare}".strip()
    order = ["hat", "face", "top", "dress", "bottom", "neck", "carried", "accessory"]
    parts = [who, hair, *(_article(look.worn[part], part, language) for part in order if part in look.worn)]
    return in_language(language, "，", ", ").join(parts)


def aged(text: str, before: tuple[Age, Gender], after: tuple[Age, Gender], language: Language) -> str:
    """A described look with who it is of changed, where the description says so."""
    return text.replace(in_language(language, *_AGE_WORDS[before]), in_language(language, *_AGE_WORDS[after]))


def _article(phrase: str, part: str, language: Language) -> str:
    plural = phrase.endswith("s") and not phrase.endswith("ss")
    if language == "zh" or part == "accessory" or plural or phrase.startswith(("a ", "an ")):
        return phrase
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


class _Draw:
    """Choices that depend on nothing but the key and what is chosen."""

    def __init__(self, key: str) -> None:
        self._key = key

    def pick(self, what: str, options: list[str], avoid: frozenset[str] | set[str] = frozenset()) -> str:
        digest = hashlib.sha256(f"{self._key}\n{what}".encode()).digest()
        start = int.from_bytes(digest[:8], "big") % len(options)
        turned = options[start:] + options[:start]
        return next((option for option in turned if option not in avoid), turned[0])
