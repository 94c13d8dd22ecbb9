"""What somebody wears by what they are: a king his crown, a station master his cap, a robot its metal."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from models.draft import lexicon
from models.draft.lexicon import Entry, Hit, Vocabulary
from models.draft.script.looks import Look
from models.draft.script.people import Person
from models.draft.script.text import in_language
from models.specs import Language

_PATH = Path(__file__).with_name("outfits.toml")
# What stands between a name and what it is: "Tom, a young fisherman", "a fisherman named Tom", 站长老周, 厨师是老王.
_TO_NAME = r"^\s*(?:named\s|called\s|,|叫做?|名叫|是)?\s*"
_FROM_NAME = re.compile(
    r"^\s*(?:,\s*|，\s*|is\s+|was\s+|是|当)\s*(?:(?:an?|the|一[个位名])\s*)?(?:[\w-]+\s+){0,2}?$", re.IGNORECASE
)
_TONE_REACH = 16


@lru_cache(maxsize=1)
def _outfits() -> Vocabulary:
    return Vocabulary(lexicon.entry(table) for table in lexicon.load(_PATH)["outfit"])


def role_of(person: Person, about: list[str]) -> Entry | None:
    """What a person is: as their own name says, or a word right beside it."""
    for form in person.forms:
        hits = _outfits().find(form)
        if hits:
            return hits[-1].entry
    for text in about:
        for hit in _outfits().find(text):
            if any(_beside(text, hit, form) for form in person.forms):
                return hit.entry
    return None


def _beside(text: str, hit: Hit, form: str) -> bool:
    before, after = text[: hit.start], text[hit.end :]
    if re.match(_TO_NAME + re.escape(form), after, re.IGNORECASE):
        return True
    at = before.rfind(form)
    return at >= 0 and _FROM_NAME.match(before[at + len(form) :]) is not None


def outfit(role: Entry | None, language: Language) -> Look:
    """The usual clothes of a role."""
    if role is None or is_plain(role):
        return Look()
    return Look(worn=dict(role.fields[f"worn_{language}"]), hair=role.text("hair", language))


def is_plain(role: Entry | None) -> bool:
    """Whether hair and clothes are none that a person has."""
    return bool(role and role.fields.get("plain"))


def describe_plain(role: Entry, about: list[str], language: Language) -> str:
    """Its looks, in the tone that the text says of it: a rusty robot is brown."""
    fields: Any = role.fields
    colour = role.text("colour", language)
    for text in about:
        for hit in Vocabulary([role]).find(text):
            before = text[max(0, hit.start - _TONE_REACH) : hit.start].lower()
            for tone in fields["tones"]:
                if any(word in before for word in (*tone["zh"], *tone["en"])):
                    colour = tone[f"colour_{language}"]
    who = role.text("who", language)
    return in_language(language, f"{colour}{who}，{colour}金属外壳", f"a {colour} {who} with a {colour} metal body")
