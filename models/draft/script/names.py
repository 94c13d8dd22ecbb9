"""One spelling for every name of a cast: ROBOT, the Robot and Robot (CONT'D) are one character."""

import re
import unicodedata
from collections.abc import Iterable

from models.draft.script.people import data, roles

_BRACKETS = re.compile(r"\s*[(（\[【][^()（）\[\]【】]*[)）\]】]\s*")
_EXTENSION = re.compile(r"[\s,，:：]+(?:v\.?\s?o|o\.?\s?s|o\.?\s?c|cont['’]?d|off|画外音|旁白|续)\.?$", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:the|an?)\s+(?=\S)", re.IGNORECASE)


def plain_name(written: str) -> str:
    """The name without article and cue extension; never empty where something is written."""
    name = re.sub(r"\s+", " ", _BRACKETS.sub(" ", written)).strip()
    previous = None
    while previous != name:
        previous, name = name, _EXTENSION.sub("", name).strip()
    return _ARTICLE.sub("", name) or written.strip()


def name_key(written: str) -> str:
    """Equal for two spellings of one name."""
    return re.sub(r"[\s.·•・'’-]+", " ", unicodedata.normalize("NFKC", plain_name(written))).strip().casefold()


def one_spelling(names: Iterable[str]) -> dict[str, str]:
    """For every written name the one the film uses: its first spelling, rather not in capitals. CAPTAIN IRIS is IRIS
    where there is an IRIS, and so is IRIS CHEN where there is no other."""
    written = list(dict.fromkeys(names))
    first: dict[str, str] = {}
    for name in written:
        key, plain = name_key(name), plain_name(name)
        if first.get(key, "A").isupper() and (key not in first or not plain.isupper()):
            first[key] = plain
    titles = data()["english_names"]
    all_titles = {*titles["titles"], *titles["male_titles"], *titles["female_titles"]} - {"old"}
    merged: dict[str, str] = {}
    for key in first:
        words = key.split()
        untitled = " ".join(words[1:]) if len(words) > 1 and words[0] in all_titles else ""
        if untitled in first:
            merged[key] = untitled
        elif len(words) == 1 and not roles().find(key):
            longer = [other for other in first if other.split()[0] == key and len(other.split()) == 2]
            if len(longer) == 1 and not longer[0].split()[1].isdigit() and len(longer[0].split()[1]) > 1:
                merged[longer[0]] = key
    return {name: first[_end(name_key(name), merged)] for name in written}


def _end(key: str, merged: dict[str, str]) -> str:
    seen = {key}
    while key in merged and merged[key] not in seen:
        key = merged[key]
        seen.add(key)
    return key
