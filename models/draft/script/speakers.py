"""Who says a quotation, from the words before and after it and from whose turn it is."""

import re
from dataclasses import dataclass

from models.draft.script import people_en, people_zh
from models.draft.script.moods import emotion_of
from models.draft.script.people import Gender, Mentions, Person, closest, pronoun_gender
from models.specs import Emotion, Language

_ZH_SAYS = re.compile(f"(?:{people_zh.SAY})(?:着|了|过)?[：:，,。！!]?$|(?:{people_zh.SAY})(?:着|了|过)?[：:，,。]")
_EN_SAYS = re.compile(rf"\b(?:{people_en.SAY})\b", re.IGNORECASE)
_CLAUSES = re.compile("[，,；;]")
_EN_INVERTED = re.compile(
    rf"^(?P<verb>{people_en.SAY})\s+(?P<who>(?:the |his |her )?[\w’']+(?: [A-Z][\w’']+)?)", re.IGNORECASE
)
_ZH_LEAD = re.compile(f"(?:，[^，。]{{0,8}}|[一地着]?)(?:{people_zh.SAY})(?:着|了)?[：:，,]?$")
_EN_LEAD = re.compile(rf"(?:,|,?\s+(?:and|then|as \w+))\s+(?:{people_en.SAY})\b[^,.:;]{{0,24}}[,:]$", re.IGNORECASE)
_ZH_BARE_CHARACTERS = 5
_EN_BARE_WORDS = 3


@dataclass(frozen=True)
class Attribution:
    """Who speaks, how, and whether the sentence says nothing besides."""

    speaker: str | None
    emotion: Emotion
    is_bare: bool


class Speakers:
    """Follows a text quotation by quotation; ask in text order."""

    def __init__(self, people: list[Person], mentions: Mentions, language: Language) -> None:
        self._by_name = {person.name: person for person in people}
        self._mentions = mentions
        self._language: Language = language
        self._turns: list[str] = []
        self._seen: list[str] = []

    def hear(self, sentence: str) -> None:
        """Note who a narrated sentence is about."""
        self._seen += self._mentions.names(sentence)

    def attribution(self, sentence: str, *, before: bool) -> Attribution | None:
        """What a sentence right before (or after) a quotation says of its speaker; None if it does not speak of
        saying at all."""
        text = sentence.strip()
        if self._language == "zh":
            says = _ZH_SAYS.search(text) is not None or (before and text.endswith(("：", ":")))
        else:
            clause = text if before else _CLAUSES.split(text)[0]
            says = _EN_SAYS.search(clause) is not None and (not before or text.endswith((",", ":", "，", "：")))
            says = says or (before and text.endswith((":", "：")))
        if not says:
            return None
        return Attribution(self._who(text, before=before), emotion_of(text), self._is_bare(text))

    def next_speaker(self, attributed: str | None, *, same_paragraph: bool, told: list[str]) -> str | None:
        """The speaker of the next quotation, which may have been named, and note the turn."""
        speaker = attributed or self._guess(same_paragraph=same_paragraph, told=told)
        if speaker:
            self._turns.append(speaker)
            self._seen.append(speaker)
        return speaker

    def _who(self, text: str, *, before: bool) -> str | None:
        clauses = [clause for clause in _CLAUSES.split(text.rstrip("：:，,。.")) if clause.strip()]
        says = _ZH_SAYS if self._language == "zh" else _EN_SAYS
        ordered = [clause for clause in clauses if says.search(clause)]
        ordered += list(reversed(clauses)) if before else clauses
        for clause in ordered:
            names = self._mentions.names(clause)
            if names:
                return names[0]
            gender = pronoun_gender(clause, self._language)
            if gender:
                return self._last_of(gender)
        return None

    def _last_of(self, gender: Gender) -> str | None:
        recent = list(dict.fromkeys([*reversed(self._seen), *self._by_name]))
        return closest(recent, self._by_name, gender)

    def _guess(self, *, same_paragraph: bool, told: list[str]) -> str | None:
        if same_paragraph and self._turns:
            return self._turns[-1]
        near = [name for sentence in reversed(told) for name in self._mentions.names(sentence)]
        if near:
            return near[0]
        if len(self._turns) >= 2 and self._turns[-1] != self._turns[-2]:
            return self._turns[-2]
        others = [name for name in self._by_name if not self._turns or name != self._turns[-1]]
        if len(self._by_name) <= 2 and others:
            return others[0]
        return self._turns[-1] if self._turns else None

    def _is_bare(self, text: str) -> bool:
        rest = self._mentions.mask(text)
        if self._language == "zh":
            rest = re.sub(f"{people_zh.SAY}", "", rest)
            return len(re.findall(r"\w", re.sub("[他她我]", "", rest))) <= _ZH_BARE_CHARACTERS
        rest = _EN_SAYS.sub("", rest)
        rest = re.sub(r"\b(?:he|she|i|they|the|his|her|to|him|back)\b", "", rest, flags=re.IGNORECASE)
        return len(re.findall(r"\w+", rest)) <= _EN_BARE_WORDS - 1


def upright(sentence: str, language: Language) -> str:
    """The attribution after a quotation as a sentence that can stand before it: "said Mira" is "Mira said"."""
    if language == "zh":
        return sentence
    match = _EN_INVERTED.match(sentence)
    if match is None:
        return sentence[:1].upper() + sentence[1:]
    who = match.group("who")
    turned = f"{who[:1].upper()}{who[1:]} {match.group('verb').lower()}{sentence[match.end() :]}"
    return turned.rstrip(",") + "." if turned.endswith(",") else turned


def without_lead(sentence: str, language: Language) -> str:
    """A sentence that leads to a quotation, without the words that do: 老周摇摇头，笑着说：is 老周摇摇头。"""
    text = sentence.rstrip()
    if not text.endswith(("：", ":", "，", ",")):
        return sentence
    pattern = _ZH_LEAD if language == "zh" else _EN_LEAD
    bare = text.rstrip("：:，, ")
    kept = pattern.sub("", text).rstrip("：:，, ")
    if language == "zh" and "，" not in bare and len(kept) <= _ZH_BARE_CHARACTERS:
        kept = bare  # who speaks and nothing besides
    return kept + ("。" if language == "zh" else ".")
