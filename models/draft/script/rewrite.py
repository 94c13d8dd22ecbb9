"""Writing one element of a film again as a user wishes, or otherwise where they do not say how: by rules alone.

What the words of a wish name is changed (a name, the length, looks, place, time of day, weather, tone, how a shot is
taken, what is spoken); what is left of it is added to the text, where the later words weigh more for every engine.
"""

from collections.abc import Callable
from dataclasses import replace

from models.draft.lexicon import shared
from models.draft.script import looks, moods, wishes
from models.draft.script.artstyle import make_art_style
from models.draft.script.camerawork import alternative, spoken_of
from models.draft.script.cast import traits_in, voice_of, wished_kind
from models.draft.script.settings import make_scene, read_setting
from models.draft.script.source import Source
from models.draft.script.storyline import make_storyline, tone_of
from models.draft.script.text import detect_language, has_words, in_language, shorten
from models.draft.script.timing import pace_of
from models.draft.script.titles import other_titles
from models.draft.script.wishes import Wish
from models.draft.script.wording import extended, retimed, shortened
from models.specs import (
    ArtStyle,
    CameraMovement,
    Character,
    DialogueLine,
    Emotion,
    Language,
    Scene,
    ScriptResult,
    ScriptSpec,
    Shot,
    ShotType,
    Storyline,
    Transition,
)

ReadSource = Callable[[ScriptSpec], Source]

_MIN_SHOT_S = 1.0
_NO_TRANSITIONS = frozenset(["black", "white", "slide", "溶解", "渐变", "滑动"])
"""Words that name a transition in a storyboard's column and other things in a sentence."""
_ANGLES = (("平视", "eye level"), ("略低的广角", "slightly low wide angle"), ("俯视", "seen from above"))


def rewrite(spec: ScriptSpec, read_source: ReadSource) -> ScriptResult:
    """The element of ``spec.rewrite`` alone, changed. Raises ValueError where there is none."""
    wish = wishes.read_wish(spec.instruction)
    match spec.rewrite:
        case Storyline() as storyline:
            return ScriptResult(storyline=_storyline(storyline, wish, spec, read_source))
        case ArtStyle() as style:
            return ScriptResult(art_style=_art_style(style, wish, spec, read_source(spec)))
        case Character() as character:
            return ScriptResult(characters=[_character(character, wish, spec)])
        case Scene() as scene:
            return ScriptResult(scenes=[_scene(scene, wish, spec)])
        case Shot() as shot:
            return ScriptResult(shots=[_shot(shot, wish, spec)])
    raise ValueError("there is nothing to rewrite")


def _language(spec: ScriptSpec, text: str) -> Language:
    return spec.language or detect_language(text)


def _added(text: str, more: str, language: Language) -> str:
    if not more or more in text:
        return text
    return f"{text.rstrip('。.，,')}{in_language(language, '，', ', ')}{more}" if text else more


def _storyline(now: Storyline, wish: Wish, spec: ScriptSpec, read_source: ReadSource) -> Storyline:
    content = now.content
    if spec.input_type == "text":  # a screenplay's or a storyboard's form is not ours to cut
        content = retimed(content, wish.rest, now.language)
        if wish.length < 0:
            content = shortened(content, now.language)
        elif wish.length > 0:
            content = extended(content, now.language, tone_of(read_source(spec), now.tone))
    told = spec.model_copy(update={"storyline": now.model_copy(update={"content": content}), "instruction": wish.rest})
    source = read_source(told)
    fresh = make_storyline(source, told)
    title = wish.name or now.title
    if not spec.instruction:
        others = [other for other in other_titles(source) if other != now.title] or [now.title]
        title = others[spec.take % len(others)]
    named_genre = moods.vocabulary("genre").find(wish.rest)
    named_tone = moods.vocabulary("tone").find(wish.rest)
    return now.model_copy(
        update={
            "title": title,
            "content": content,
            "summary": fresh.summary if wish.rest or content != now.content or not spec.instruction else now.summary,
            "genre": fresh.genre if named_genre else now.genre,
            "tone": fresh.tone if named_tone else now.tone,
        }
    )


def _art_style(now: ArtStyle, wish: Wish, spec: ScriptSpec, source: Source) -> ArtStyle:
    names_style = bool(moods.vocabulary("style").scores(wish.rest)) or not spec.instruction
    told = spec.model_copy(
        update={"instruction": wish.rest, "fixed_style": None if names_style else now, "take": spec.take}
    )
    style = make_art_style(source, told)
    if not spec.instruction and style.style_name == now.style_name:
        style = make_art_style(source, told.model_copy(update={"take": spec.take + 1}))
    description = style.description
    if wish.length < 0:
        description = shorten(description, source.language, zh_characters=20, en_words=8)
    elif wish.length > 0:
        description = _added(description, ", ".join(style.visual_keywords), source.language)
    return style.model_copy(update={"style_name": wish.name or style.style_name, "description": description})


def _character(now: Character, wish: Wish, spec: ScriptSpec) -> Character:
    language = _language(spec, now.appearance or now.description)
    gender, age = wished_kind(wish.rest, now.gender, now.age)
    look = looks.look_in(now.appearance, language)
    if not spec.instruction:
        look = looks.Look()
        looks.complete(look, gender=gender, age=age, key=f"{spec.seed}\n{now.name}", taken=set(), language=language)
        appearance = looks.describe(look, gender=gender, age=age, language=language)
    elif looks.describe(look, gender=now.gender, age=now.age, language=language) == now.appearance:
        look.update(looks.look_in(wish.rest, language))
        appearance = looks.describe(look, gender=gender, age=age, language=language)
        appearance = _added(appearance, wish.rest, language)
    else:  # words of somebody else's: the later ones count
        aged = looks.aged(now.appearance, (now.age, now.gender), (age, gender), language)
        only_traits = traits_in(wish.rest, language) and looks.look_in(wish.rest, language) == looks.Look()
        appearance = aged if only_traits else _added(aged, wish.rest, language)
    description = now.description
    if wish.length < 0:
        description = shortened(description, language)
    elif wish.length > 0:
        description = _added(description, appearance, language)
    personality = [*traits_in(wish.rest, language), *now.personality]
    changed = (gender, age) != (now.gender, now.age)
    return now.model_copy(
        update={
            "name": wish.name or now.name,
            "description": description,
            "appearance": appearance,
            "personality": list(dict.fromkeys(personality))[:5],
            "gender": gender,
            "age": age,
            "voice_style": voice_of(gender, age, language) if changed else now.voice_style,
        }
    )


def _scene(now: Scene, wish: Wish, spec: ScriptSpec) -> Scene:
    language = _language(spec, now.description or now.name)
    setting = read_setting(f"{now.description}\n{now.lighting}", label="")
    named = read_setting(now.name)
    setting = replace(setting, place=setting.place or named.place, time=setting.time or named.time)
    wished = read_setting(wish.rest)
    tone = next(iter(moods.vocabulary("tone").scores(wish.rest)), None)
    scene = now
    if wished.place or wished.time or wished.weather:
        fresh = make_scene(setting, now.name, wish.rest, tone or "calm", language)
        scene = now.model_copy(
            update={
                "description": fresh.description,
                "lighting": fresh.lighting if wished.time else now.lighting,
                "scene_type": fresh.scene_type if wished.place else now.scene_type,
                "camera_angle": fresh.camera_angle if wished.place else now.camera_angle,
            }
        )
    description = _added(scene.description, wish.rest, language)
    if wish.length < 0:
        description = shortened(description, language)
    elif wish.length > 0:
        description = _added(_added(description, scene.lighting, language), scene.atmosphere, language)
    update = {"name": wish.name or now.name, "description": description}
    if tone:
        update["atmosphere"] = moods.by_id("tone", tone).text("atmosphere", language)
    if not spec.instruction:
        times = [entry for entry in shared("time").entries if entry.text("light", language) != now.lighting]
        light = times[spec.take % len(times)]
        angles = [angle for angle in (in_language(language, *pair) for pair in _ANGLES) if angle != now.camera_angle]
        update["camera_angle"] = angles[spec.take % len(angles)]
        update["lighting"] = light.text("light", language)
    return scene.model_copy(update=update)


def _shot(now: Shot, wish: Wish, spec: ScriptSpec) -> Shot:
    language = _language(spec, now.narration or now.description)
    shot_type, camera = spoken_of("shot_type").first(wish.rest), spoken_of("camera").first(wish.rest)
    cuts = [hit for hit in spoken_of("transition").find(wish.rest) if hit.word.lower() not in _NO_TRANSITIONS]
    narration, duration_s = wish.narration or now.narration, now.duration_s * pace_of(wish.rest)
    if wish.length < 0:
        narration = narration if wish.narration else shortened(narration, language)
        duration_s *= 0.7
    elif wish.length > 0:
        duration_s *= 1.4
    emotion = moods.emotion_of(wish.rest)
    dialogue = list(now.dialogue)
    if wish.spoken and (dialogue or now.characters):
        first = dialogue[0] if dialogue else DialogueLine(character=now.characters[0], text=wish.spoken)
        dialogue = [first.model_copy(update={"text": wish.spoken}), *dialogue[1:]]
    if emotion is not Emotion.NEUTRAL:
        dialogue = [line.model_copy(update={"emotion": emotion}) for line in dialogue]
    update = {
        "description": _added(now.description, wish.rest, language),
        "narration": narration if has_words(narration) else "",
        "dialogue": dialogue,
        "duration_s": max(_MIN_SHOT_S, round(duration_s, 2)),
        "shot_type": ShotType(shot_type.id) if shot_type else now.shot_type,
        "camera_movement": CameraMovement(camera.id) if camera else now.camera_movement,
        "transition": Transition(cuts[-1].entry.id) if cuts else now.transition,
    }
    if not spec.instruction:
        update["shot_type"], update["camera_movement"] = alternative(now.shot_type, now.camera_movement, spec.take)
    return now.model_copy(update=update)
