"""The script writer of the draft engine: one step of the breakdown at a time, by rules alone."""

from dataclasses import dataclass

from models.catalog import Model
from models.draft.script import chinese, prose, screenplay, storyboard
from models.draft.script.artstyle import make_art_style
from models.draft.script.camerawork import direct
from models.draft.script.cast import make_characters, roles_in_film
from models.draft.script.people import mentions_of
from models.draft.script.pronouns import follow_pronouns
from models.draft.script.rewrite import rewrite
from models.draft.script.sentences import split_sentences
from models.draft.script.settings import assign_settings, make_scenes
from models.draft.script.shots import Draft, action_of, caption, cutaway, draft_shots, film_mentions
from models.draft.script.source import Source
from models.draft.script.storyline import make_storyline, tone_of
from models.draft.script.table_json import is_json
from models.draft.script.text import clean, detect_language, has_words, in_language, one_line, require_words
from models.draft.script.timing import pace_of, plan_smart, plan_target
from models.interfaces import Report, UserInputError
from models.specs import DialogueLine, Language, ScriptResult, ScriptSpec, ScriptStep, Shot


class DraftScriptWriter:
    """Implements ``models.interfaces.ScriptWriter`` without weights. Equal specs give equal results everywhere."""

    def __init__(self, model: Model | None = None) -> None:
        self.model = model

    def load(self) -> None:
        """Nothing to load: the Chinese dictionary comes with the first Chinese text."""

    def unload(self) -> None:
        """Nothing to free."""

    def write(self, spec: ScriptSpec, report: Report) -> ScriptResult:
        """The part of the script that ``spec.step`` names. Raises UserInputError for a text nothing can be made of."""
        report(0.0)
        if spec.rewrite is not None:
            result = rewrite(spec, read_source)
        else:
            source = read_source(spec)
            report(0.5)
            result = _STEPS[spec.step](source, spec)
        report(1.0)
        return result


@dataclass(frozen=True)
class Texts:
    """What a spec's story is read from, without what nobody sees."""

    content: str
    documents: list[str]
    language: Language

    @property
    def joined(self) -> str:
        return "\n\n".join([self.content, *self.documents])


def read_texts(spec: ScriptSpec) -> Texts:
    """A storyline the user edited replaces a text or a screenplay. Raises UserInputError where nothing can be told."""
    content = clean(spec.content)
    documents = [text for text in map(clean, spec.documents) if has_words(text)]
    if spec.storyline is not None and spec.input_type != "storyboard" and has_words(spec.storyline.content):
        content, documents = clean(spec.storyline.content), []
    found = spec.language or (spec.storyline.language if spec.storyline else None)
    joined = "\n\n".join([content, *documents])
    if spec.input_type != "storyboard" or not is_json(content):
        require_words(joined)
    return Texts(content, documents, found or detect_language(joined))


def read_source(spec: ScriptSpec) -> Source:
    """The spec's content and documents as a source."""
    texts = read_texts(spec)
    if spec.input_type == "script":
        return screenplay.read(texts.joined, texts.language)
    if spec.input_type == "storyboard":
        return _read_storyboard(texts.content, texts.documents, texts.language)
    return _read_prose(texts.joined, texts.language, verbatim=spec.input_mode == "professional")


def _read_prose(text: str, language: Language, *, verbatim: bool) -> Source:
    source = prose.read(text, language, verbatim=verbatim)
    assign_settings(source, mentions_of(source.people, language))
    follow_pronouns(source)
    return source


def _read_storyboard(content: str, documents: list[str], language: Language) -> Source:
    """The shots of the storyboard; documents tell of its people."""
    if not has_words(content) and not is_json(content):
        raise UserInputError("the storyboard is empty", "分镜表是空的", language=language)
    background = [sentence for document in documents for sentence in split_sentences(document, chinese.words)]
    return storyboard.read(content, language, background)


def _storyline(source: Source, spec: ScriptSpec) -> ScriptResult:
    return ScriptResult(storyline=make_storyline(source, spec))


def _art_style(source: Source, spec: ScriptSpec) -> ScriptResult:
    return ScriptResult(art_style=make_art_style(source, spec))


def _characters(source: Source, spec: ScriptSpec) -> ScriptResult:
    return ScriptResult(characters=make_characters(source, spec))


def _scenes(source: Source, spec: ScriptSpec) -> ScriptResult:
    told_tone = spec.storyline.tone if spec.storyline else ""
    return ScriptResult(scenes=make_scenes(source, tone_of(source, told_tone).id, one_line(spec.instruction)))


def _storyboard(source: Source, spec: ScriptSpec) -> ScriptResult:
    wish = one_line(spec.instruction)
    drafts = draft_shots(source, spec)
    if spec.target_duration_s is None:
        plan_smart(drafts, pace_of(wish))
    else:

        def view(draft: Draft, number: int) -> Draft:
            return cutaway(draft, source.settings[draft.setting], number, source.language)

        keep_words = spec.input_mode == "professional" or spec.input_type == "storyboard"
        drafts = plan_target(drafts, spec.target_duration_s, keep_words=keep_words, cutaway=view)
    direct(drafts, wish, spec.aspect)
    mentions = film_mentions(source, roles_in_film(source, spec))
    shots = []
    for number, draft in enumerate(drafts, start=1):
        draft.action = action_of(draft, source.language)
        description = caption(draft, source.settings[draft.setting], source.language, mentions)
        if wish:
            description += in_language(source.language, "，", ", ") + wish
        shots.append(_shot(draft, number, description))
    return ScriptResult(shots=shots)


def _shot(draft: Draft, number: int, description: str) -> Shot:
    if draft.shot_type is None or draft.camera is None or draft.transition is None or draft.duration_s is None:
        raise RuntimeError(f"shot {number} was not planned")
    return Shot(
        shot_number=number,
        shot_type=draft.shot_type,
        scene=draft.scene,
        characters=draft.people,
        description=description,
        narration=draft.narration,
        dialogue=[
            DialogueLine(character=line.speaker, text=line.text, emotion=line.emotion)
            for line in draft.lines
            if line.speaker is not None
        ],
        action=draft.action,
        duration_s=draft.duration_s,
        camera_movement=draft.camera,
        transition=draft.transition,
    )


_STEPS = {
    ScriptStep.STORYLINE: _storyline,
    ScriptStep.ARTSTYLE: _art_style,
    ScriptStep.CHARACTERS: _characters,
    ScriptStep.SCENES: _scenes,
    ScriptStep.STORYBOARD: _storyboard,
}
