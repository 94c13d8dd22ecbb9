"""The art style: a technique, a palette and a prompt that suit the story."""

from models.draft.lexicon import Entry
from models.draft.script import looks, moods
from models.draft.script.source import Source
from models.draft.script.storyline import genre_of, tone_of
from models.draft.script.text import in_language, one_line
from models.specs import ArtStyle, ScriptSpec

_TINTS = {
    "red": "#c8352b", "orange": "#e8833a", "yellow": "#f2c94c", "green": "#4f9d69", "teal": "#2a9d8f",
    "blue": "#2f6fb3", "purple": "#7b4fa3", "pink": "#e78fb3", "brown": "#7a5138", "black": "#1a1a1d",
    "white": "#f7f5f0", "grey": "#8a8f96", "golden": "#d9a441", "silver": "#bfc5cc",
}  # fmt: skip
_NAMED_WORTH = 100
_GENRE_WORTH = 3
_TONE_WORTH = 2
_VIEW_WORTH = 3


def make_art_style(source: Source, spec: ScriptSpec) -> ArtStyle:
    """A fixed style as it is, else the style whose own words, genre and tone fit best. A wish names a style, colours,
    or is taken into the prompt."""
    wish = one_line(spec.instruction)
    if spec.fixed_style is not None:
        return _with_wish(spec.fixed_style, wish, source)
    named = moods.vocabulary("style").scores(wish) or moods.vocabulary("style").scores(source.style)
    wish = in_language(source.language, "，", ", ").join(part for part in (source.style, wish) if part)
    # Another take of the step is another style that suits the story, the best after those before it.
    suiting = [moods.by_id("style", next(iter(named)))] if named else _suiting(source, spec)
    chosen = suiting[spec.take % len(suiting)]
    fields = chosen.fields
    genre, tone = genre_of(source), tone_of(source)
    language = source.language
    style = ArtStyle(
        style_name=chosen.text("name", language),
        description=in_language(
            language,
            f"{chosen.text('look', 'zh')}，{tone.text('name', 'zh')}的{genre.text('name', 'zh')}气质。",
            f"{chosen.text('look', 'en')}, for a {tone.id} {genre.id} mood.",
        ),
        prompt_template=fields["template"],
        visual_keywords=[chosen.id, *_second_words(chosen)],
        palette=list(fields["palette"]),
    )
    return _with_wish(style, wish, source)


def _suiting(source: Source, spec: ScriptSpec) -> list[Entry]:
    """All styles, the one that suits best first."""
    named = moods.vocabulary("style").scores(source.words)
    genre = genre_of(source, spec.storyline.genre if spec.storyline else "").id
    tone = tone_of(source, spec.storyline.tone if spec.storyline else "").id
    if spec.storyline:
        genre, tone = _edited(spec.storyline.genre, "genre", genre), _edited(spec.storyline.tone, "tone", tone)

    views = {f"{setting.place} {setting.time}" for setting in source.settings[:1]} | {source.settings[0].place}

    def worth(entry: Entry) -> int:
        seen = any(view in entry.fields.get("views", ()) for view in views)
        fits = _VIEW_WORTH * seen
        fits += _GENRE_WORTH * (genre in entry.fields["genres"]) + _TONE_WORTH * (tone in entry.fields["tones"])
        # A text that names a technique once in passing is not asking for it.
        return fits + (_NAMED_WORTH if named.get(entry.id, 0) >= 2 else named.get(entry.id, 0))

    return sorted(moods.vocabulary("style").entries, key=worth, reverse=True)


def _edited(words: str, section: str, default: str) -> str:
    """The entry a genre or tone of the storyline names, as generated or as the user wrote it."""
    for entry in moods.vocabulary(section).entries:
        if words.strip().lower() in {entry.id, entry.text("name", "zh")}:
            return entry.id
    return default


def _second_words(style: Entry) -> list[str]:
    return [word for word in str(style.fields["template"]).split(", ")[1:4] if word != style.id]


def _with_wish(style: ArtStyle, wish: str, source: Source) -> ArtStyle:
    if not wish:
        return style
    palette = list(style.palette)
    colours = list(dict.fromkeys(hit.entry.id for hit in looks.vocabulary("colour").find(wish)))
    for index, colour in enumerate(colours[:3]):
        if index + 1 < len(palette):
            palette[index + 1] = _TINTS[colour]
        else:
            palette.append(_TINTS[colour])
    joint = in_language(source.language, "；", "; ") if style.description else ""
    return style.model_copy(
        update={
            "palette": palette,
            "description": f"{style.description.rstrip('。.')}{joint}{wish}",
            "prompt_template": f"{style.prompt_template or '{prompt}'}, {wish}",
        }
    )
