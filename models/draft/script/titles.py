"""What a story is called: by its author, by whom and where it is about, or as it begins."""

import re
from collections import Counter

from models.draft.lexicon import shared
from models.draft.script import chinese, moods
from models.draft.script.people import mentions_of
from models.draft.script.source import Source
from models.draft.script.text import has_words, one_line, sentence_case, shorten

_MAX_TITLE_ZH = 12
_KEY_WORD_CHARACTERS = 4000
_LATIN = re.compile("[A-Za-zÀ-ɏ]")
_HAN = re.compile("[\u3400-\u9fff]")
_COMMON_SHARE = 12
_FEW_WORDS = 5
_CLAUSE_END = re.compile(r"[.!?…。！？،؛,;:—\n]")
_MOST_TITLE_WORDS = 6
_LEADS_ON = 4


def title_of(source: Source) -> str:
    """The author's title; else the main person and place; else the words said most; else how it begins."""
    if source.title:
        return shorten(source.title.strip("《》 "), source.language, zh_characters=30, en_words=14)
    if not _is_ours(source):
        return _first_words(source.text)
    place = next((setting for setting in source.settings if setting.place or setting.label), None)
    who = source.people[0].name if source.people else ""
    where = ""
    if place:
        entry = next((e for e in shared("place").entries if e.id == place.place), None)
        where = place.label or (entry.text("name", source.language) if entry else "")
    if source.language == "zh":
        if who and where:
            return f"{who}与{where}" if who != "我" else f"我的{where}"
        return (where and f"{where}之歌") or who or _key_words(source)
    if who and where:
        return f"{who} and the {where.title()}" if who != "Narrator" else f"My {where.title()}"
    return (f"Song of the {where.title()}" if where else who) or _key_words(source)


def other_titles(source: Source) -> list[str]:
    """What else the story could be called, without its author's title."""
    begin = shorten(source.text, source.language, zh_characters=_MAX_TITLE_ZH, en_words=6).rstrip("…，。 ")
    who = [person.name for person in source.people[:1]]
    return list(dict.fromkeys([title_of(source), _key_words(source), begin, *who]))


def _is_ours(source: Source) -> bool:
    """Whether the text is Chinese or English, whose words can be told apart."""
    text = source.text[:_KEY_WORD_CHARACTERS]
    latin, han = len(_LATIN.findall(text)), len(_HAN.findall(text))
    others = sum(letter.isalpha() for letter in text) - latin - han
    if 4 * others > latin + han:
        return False
    if source.language == "zh":
        return True
    words = re.findall(r"[^\W\d_]+", text.lower())
    common_en = frozenset(moods.data()["common_en"])
    common = sum(word in common_en for word in words)
    return len(words) < _FEW_WORDS or common * _COMMON_SHARE >= len(words)


def _first_words(text: str) -> str:
    """How the text begins: its first clause, or as much of it as a title holds."""
    clause = next((part for part in map(one_line, _CLAUSE_END.split(text)) if has_words(part)), one_line(text))
    clause = clause.strip("«»\"'“”‘’()[] ")
    if " " not in clause:
        return clause[: 2 * _MAX_TITLE_ZH]
    words = clause.split(" ")
    kept = words[:_MOST_TITLE_WORDS]
    # What a short word leads to is cut off: "La petite fille court sur la".
    while len(kept) < len(words) and len(kept) > 1 and len(kept[-1]) < _LEADS_ON:
        kept.pop()
    return sentence_case(" ".join(kept)[:60].rstrip())


def _key_words(source: Source) -> str:
    masked = mentions_of(source.people, source.language).mask(source.text[:_KEY_WORD_CHARACTERS])
    if source.language == "zh":
        counts = Counter(w for w, tag in chinese.tagged(masked) if tag.startswith("n") and len(w) > 1 and has_words(w))
        best = sorted(counts, key=lambda word: (-counts[word], masked.find(word)))[:2]
        if best:
            return "与".join(best)
    else:
        stop = frozenset(moods.data()["stop_words_en"])
        words = [word for word in re.findall(r"[^\W\d_]{4,}", masked) if word.lower() not in stop]
        counts = Counter(word.lower() for word in words)
        best = sorted(counts, key=lambda word: (-counts[word], masked.lower().find(word)))[:2]
        if best:
            return " and ".join(sentence_case(word) for word in best)
    return shorten(source.text, source.language, zh_characters=_MAX_TITLE_ZH, en_words=6)
