"""The storyline: summary, genre and tone."""

from models.draft.lexicon import Entry
from models.draft.script import moods
from models.draft.script.source import Beat, Source
from models.draft.script.speakers import without_lead
from models.draft.script.text import in_language, one_line, shorten
from models.draft.script.titles import title_of
from models.specs import ScriptSpec, Storyline


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
