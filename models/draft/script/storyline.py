"""The storyline: title, summary, genre and tone."""

import re
from collections import Counter

from models.draft.lexicon import Entry, shared
from models.draft.script import chinese, moods
from models.draft.script.people import mentions_of
from models.draft.script.source import Beat, Source
from models.draft.script.speakers import without_lead
from models.draft.script.text import has_words, in_language, one_line, sentence_case, shorten
from models.specs import ScriptSpec, Storyline

_MAX_TITLE_ZH = 12
_KEY_WORD_CHARACTERS = 4000


def make_storyline(source: Source, spec: ScriptSpec) -> Storyline:
    """``content`` is the source's own text, so that an edit of it is an edit of the film."""
    language = source.language
    genre, tone = genre_of(source, spec.instruction), tone_of(source, spec.instruction)
    summary = _summary(source)
    wish = one_line(spec.instruction)
    if wish:
        summary += in_language(language, f"（调整方向：{wish}）", f" (Told this way: {wish})")
    return Storyline(
        title=title_of(source),
        content=source.text,
        summary=summary,
        genre=in_language(language, genre.text("name", "zh"), genre.id),
        tone=in_language(language, tone.text("name", "zh"), tone.id),
        language=language,
    )


def genre_of(source: Source, wish: str = "") -> Entry:
    """A wish decides; then the words of the source."""
    if moods.vocabulary("genre").find(wish):
        return moods.strongest("genre", wish, "family")
    return moods.strongest("genre", source.words, "family" if source.people else "nature")


def tone_of(source: Source, wish: str = "") -> Entry:
    if moods.vocabulary("tone").find(wish):
        return moods.strongest("tone", wish, "calm")
    return moods.strongest("tone", source.words, "calm")


def title_of(source: Source) -> str:
    """The author's title; else the main person and place; else the words said most; else how it begins."""
    if source.title:
        return shorten(source.title.strip("《》 "), source.language, zh_characters=30, en_words=14)
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


def _summary(source: Source) -> str:
    """How it begins and the beat that matters most after it."""
    from models.draft.script.shots import importance

    told = [beat for beat in source.beats if beat.told]
    if not told:
        lines = [f"{line.speaker}: {line.text}" for beat in source.beats for line in beat.lines]
        return shorten(" ".join(lines), source.language, zh_characters=80, en_words=40)

    def rank(beat: Beat) -> float:
        return importance(beat, source)

    chosen = [told[0]]
    if len(told) > 1:
        chosen.append(max(told[1:], key=rank))
    joint = in_language(source.language, "", " ")
    told_of = joint.join(without_lead(beat.told, source.language) for beat in chosen)
    return shorten(told_of, source.language, zh_characters=90, en_words=45)
