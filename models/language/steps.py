"""From what the model writes to the parts of a script: one function for each step."""

from collections.abc import Callable, Sequence
from typing import Any

from models.draft.script.artstyle import make_art_style
from models.draft.script.cast import wished
from models.draft.script.source import Source
from models.draft.script.text import has_words, in_language, shorten, without_controls
from models.draft.script.titles import title_of
from models.draft.script.writer import read_source
from models.interfaces import Report
from models.language import schemas, storyboard
from models.language.generation import Conversation
from models.language.prompts import Prompts
from models.language.reading import read_material
from models.language.rewriting import rewrite
from models.language.session import Session
from models.language.wording import names_apart, plain
from models.options import WriterOptions
from models.specs import ArtStyle, Character, Scene, ScriptResult, ScriptSpec, ScriptStep, Storyline

_PER_CALL = 6
"""Characters or scenes of a given list that are written at once."""
_CONTENT = (300, 2400)
_CONTENT_PER_S = 6


def write(
    spec: ScriptSpec, conversation: Conversation, prompts: Prompts, options: WriterOptions, report: Report
) -> ScriptResult:
    """The part of the script that ``spec.step`` names, or the element that is to be rewritten."""
    report(0.0)
    session = Session(spec, read_material(spec), conversation, prompts, options, report)
    result = rewrite(session) if spec.rewrite is not None else _STEPS[spec.step](session)
    report(1.0)
    return result


def _storyline(session: Session) -> ScriptResult:
    language, source = session.language, session.material.source
    content = _content_length(session) if source is None else 0
    rule = (
        session.section("content_free", limit=schemas.letters(content, language))
        if content
        else session.section("content_kept")
    )
    session.expect(1)
    material = session.told(session.material.text, session.room("storyline", content_rule=rule))
    answer = session.ask(
        "storyline", schemas.storyline(language, content=content), content_rule=rule, material=material
    )
    told = without_controls(answer.get("content", "")).strip()
    if source is not None or not has_words(told):
        told = session.material.text
    title = plain(answer["title"])
    if source is not None and source.title:
        title = source.title
    return ScriptResult(
        storyline=Storyline(
            title=title or title_of(source or read_source(session.spec)),
            content=told,
            summary=plain(answer["summary"]) or shorten(told, language, zh_characters=90, en_words=45),
            genre=plain(answer["genre"]) or in_language(language, "剧情", "drama"),
            tone=plain(answer["tone"]) or in_language(language, "平静", "calm"),
            language=language,
        )
    )


def _content_length(session: Session) -> int:
    """Of a retold story, in Chinese characters: what the film has time to say, with what is only seen."""
    seconds = session.spec.target_duration_s
    least, most = _CONTENT
    return most if seconds is None else int(min(max(seconds * _CONTENT_PER_S, least), most))


def _art_style(session: Session) -> ScriptResult:
    """A fixed style as it is, with the user's wish."""
    spec = session.spec
    if spec.fixed_style is not None:
        return ScriptResult(art_style=make_art_style(session.material.source or read_source(spec), spec))
    session.expect(1)
    material = session.told(session.material.text, session.room("artstyle"))
    return ScriptResult(
        art_style=style_of(session.ask("artstyle", schemas.art_style(session.language), material=material), session)
    )


def style_of(answer: dict[str, Any], session: Session) -> ArtStyle:
    keywords = [plain(word) for word in answer["visual_keywords"]]
    look = plain(answer["visual_words"]).replace("{", "").replace("}", "")
    return ArtStyle(
        style_name=plain(answer["style_name"]) or in_language(session.language, "电影感", "Cinematic"),
        description=plain(answer["description"]),
        prompt_template=f"{{prompt}}, {look}" if look else "{prompt}",
        visual_keywords=list(dict.fromkeys(word for word in keywords if word)),
        palette=list(dict.fromkeys(answer["palette"])),
    )


def _characters(session: Session) -> ScriptResult:
    """The model finds them in a text; a screenplay and a storyboard name them. A fixed protagonist goes first."""
    spec, language = session.spec, session.language
    fixed = spec.fixed_protagonist
    source = _stated(session)
    if source is None:
        rule = session.section("names_free", most=schemas.MAX_CHARACTERS)
        schema = schemas.record(characters=schemas.several(schemas.character(language), schemas.MAX_CHARACTERS))
        session.expect(1)
        material = session.told(session.material.text, session.room("characters", names_rule=rule))
        answers = session.ask("characters", schema, names_rule=rule, material=material)["characters"]
    else:
        names = [person.name for person in source.people]
        others = [name for name in names[1:] if name != fixed.name] if fixed else names
        answers = _listed(session, "characters", others, lambda n: schemas.character(language, schemas.fixed(n)))
    cast = [character_of(answer) for answer in answers]
    names_apart(cast, in_language(language, "角色", "Character"), taken={fixed.name} if fixed else set())
    if fixed is not None:
        cast.insert(0, wished(fixed, spec.instruction, language) if spec.instruction else fixed)
    for index, character in enumerate(cast):
        kind = "protagonist" if index == 0 else character.character_type
        character.character_type = "supporting" if index and kind == "protagonist" else kind
    return ScriptResult(characters=cast)


def character_of(answer: dict[str, Any]) -> Character:
    traits = [plain(trait) for trait in answer["personality"]]
    written = {field: plain(answer[field]) for field in ("name", "description", "appearance", "voice_style")}
    written["description"] = written["description"] or written["name"]
    return Character.model_validate({**answer, **written, "personality": [trait for trait in traits if trait]})


def _scenes(session: Session) -> ScriptResult:
    """The model finds them in a text; the headings of a screenplay and the column of a storyboard name them."""
    language, source = session.language, _stated(session)
    if source is None:
        rule = session.section("names_free", most=schemas.MAX_SCENES)
        schema = schemas.record(scenes=schemas.several(schemas.scene(language), schemas.MAX_SCENES, 1))
        session.expect(1)
        material = session.told(session.material.text, session.room("scenes", names_rule=rule))
        answers = session.ask("scenes", schema, names_rule=rule, material=material)["scenes"]
    else:
        kinds = {
            name: None if setting.interior is None else "indoor" if setting.interior else "outdoor"
            for name, setting in zip(source.scene_names, source.settings, strict=True)
        }
        answers = _listed(
            session,
            "scenes",
            source.scene_names,
            lambda name: schemas.scene(language, schemas.fixed(name), kinds[name]),
        )
    scenes = [scene_of(answer) for answer in answers]
    names_apart(scenes, in_language(language, "场景", "Scene"))
    return ScriptResult(scenes=scenes)


def scene_of(answer: dict[str, Any]) -> Scene:
    written = {
        field: plain(answer[field]) for field in ("name", "description", "atmosphere", "lighting", "camera_angle")
    }
    written["description"] = written["description"] or written["name"]
    return Scene.model_validate({**answer, **written})


def _stated(session: Session) -> Source | None:
    """The source where it says itself who is in it and where it happens."""
    return None if session.spec.input_type == "text" else session.material.source


def _listed(
    session: Session, step: str, names: Sequence[str], schema: Callable[[str], schemas.Schema]
) -> list[dict[str, Any]]:
    """The model's words on each of the names, in their order."""
    groups = [names[start : start + _PER_CALL] for start in range(0, len(names), _PER_CALL)]
    if not groups:
        return []
    session.expect(len(groups))
    rules = [session.section("names_fixed", list=", ".join(group)) for group in groups]
    material = session.told(session.material.text, min(session.room(step, names_rule=rule) for rule in rules))
    answers: list[dict[str, Any]] = []
    for group, rule in zip(groups, rules, strict=True):
        asked = schemas.record(**{step: schemas.exactly([schema(name) for name in group])})
        found = session.ask(step, asked, names_rule=rule, material=material)[step]
        answers += [{**answer, "name": name} for answer, name in zip(found, group, strict=True)]
    return answers


_STEPS: dict[ScriptStep, Callable[[Session], ScriptResult]] = {
    ScriptStep.STORYLINE: _storyline,
    ScriptStep.ARTSTYLE: _art_style,
    ScriptStep.CHARACTERS: _characters,
    ScriptStep.SCENES: _scenes,
    ScriptStep.STORYBOARD: storyboard.write,
}
