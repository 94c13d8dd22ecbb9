"""A wish for one element changes that element, visibly and always alike."""

from typing import Any

import pytest

from models.draft.script.wishes import Wish, read_wish
from models.draft.script.writer import DraftScriptWriter
from models.specs import (
    ArtStyle,
    CameraMovement,
    Character,
    Emotion,
    Scene,
    ScriptSpec,
    ScriptStep,
    Shot,
    ShotType,
    Storyline,
    Transition,
)

TEXTS = {
    "zh": "黄昏，少年阿杰在森林里迷了路。他听见小狗在叫。“别怕，跟我来。”老猎人说。他们沿着小路走回村庄，天慢慢黑了。",
    "en": "At dusk young Tom lost his way in the forest. He heard a dog bark. “Follow me,” said the hunter. "
    "They walked back to the village. The sky slowly turned black.",
}
WRITER = DraftScriptWriter()


def written(language: str, step: ScriptStep, **more: Any) -> Any:
    spec = ScriptSpec(step=step, input_type="text", content=TEXTS[language], language=language, **more)  # type: ignore[arg-type]
    result = WRITER.write(spec, lambda _: None)
    parts = [result.storyline, result.art_style, *result.characters, *result.scenes, *result.shots]
    return next(part for part in parts if part is not None)


def rewritten(language: str, step: ScriptStep, wish: str, **more: Any) -> tuple[Any, Any]:
    """The element as the step made it, and as the wish has it."""
    before = written(language, step)
    after = written(language, step, rewrite=before, instruction=wish, **more)
    assert after == written(language, step, rewrite=before, instruction=wish, **more)
    return before, after


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("标题改成《森林之夜》，短一点", Wish(name="森林之夜", length=-1)),
        ("让她叫“小雨”", Wish(name="小雨")),
        ("改名为阿明，穿蓝色衬衫", Wish(name="阿明", rest="穿蓝色衬衫")),
        ("把旁白改成“从前有座山。”", Wish(narration="从前有座山。")),
        ("台词改为：“快跑！”，声音更大", Wish(spoken="快跑！", rest="声音更大")),
        ("写得更详细一点", Wish(length=1)),
        ("换成短发", Wish(rest="换成短发")),
        ("Rename him to Peter Pan and make it shorter", Wish(name="Peter Pan", length=-1)),
        ("the title should be “The Long Night”, with more detail", Wish(name="The Long Night", length=1)),
        ("longer hair", Wish(rest="longer hair")),
        ('narration: "Once."', Wish(narration="Once.")),
    ],
)
def test_what_a_wish_asks(text: str, wish: Wish) -> None:
    assert read_wish(text) == wish


@pytest.mark.parametrize(
    ("language", "wish", "title"), [("zh", "片名改成《归途》", "归途"), ("en", "retitle it to Homeward", "Homeward")]
)
def test_a_storyline_is_renamed_and_nothing_else(language: str, wish: str, title: str) -> None:
    before, after = rewritten(language, ScriptStep.STORYLINE, wish)
    assert after == before.model_copy(update={"title": title})


@pytest.mark.parametrize(
    ("language", "shorter", "longer"), [("zh", "简短一点", "详细一点"), ("en", "shorter", "more detail")]
)
def test_a_storyline_is_shortened_and_extended(language: str, shorter: str, longer: str) -> None:
    before, short = rewritten(language, ScriptStep.STORYLINE, shorter)
    assert 0.2 * len(before.content) < len(short.content) < 0.7 * len(before.content)
    assert short.content[:6] == before.content[:6]
    _, long = rewritten(language, ScriptStep.STORYLINE, longer)
    assert long.content.startswith(before.content)
    assert len(long.content) > len(before.content) + 10


@pytest.mark.parametrize(
    ("language", "wish", "gone", "there", "tone"),
    [("zh", "改成清晨，更欢快", "黄昏", "清晨", "欢快"), ("en", "at dawn and funnier", "dusk", "dawn", "joyful")],
)
def test_a_storyline_moves_to_another_hour_and_tone(language: str, wish: str, gone: str, there: str, tone: str) -> None:
    before, after = rewritten(language, ScriptStep.STORYLINE, wish)
    assert gone in before.content
    assert gone not in after.content
    assert there in after.content
    assert after.tone == tone != before.tone


def test_weather_that_the_text_does_not_say_opens_it_and_wind_stays_wind() -> None:
    text = "海风吹过，女孩在海边等船。"
    spec = ScriptSpec(step=ScriptStep.STORYLINE, input_type="text", content=text, language="zh")
    before = WRITER.write(spec, lambda _: None).storyline
    after = WRITER.write(spec.model_copy(update={"rewrite": before, "instruction": "下雪"}), lambda _: None).storyline
    assert after is not None
    assert after.content == "下雪。海风吹过，女孩在海边等船。"


@pytest.mark.parametrize(
    ("language", "wish", "style"), [("zh", "改成水墨风格", "水墨"), ("en", "make it pixel art", "Pixel")]
)
def test_a_style_becomes_the_one_that_is_named(language: str, wish: str, style: str) -> None:
    before, after = rewritten(language, ScriptStep.ARTSTYLE, wish)
    assert style.lower() in after.style_name.lower()
    assert after.palette != before.palette


def test_a_character_is_renamed_and_dressed() -> None:
    before, after = rewritten("zh", ScriptStep.CHARACTERS, "改名为阿明，穿红色外套")
    assert after.name == "阿明" != before.name
    assert "红色外套" in after.appearance
    _, older = rewritten("en", ScriptStep.CHARACTERS, "an old man")
    assert older.age == "elder"
    assert "in his seventies" in older.appearance


@pytest.mark.parametrize(
    ("language", "wish", "light"), [("zh", "夜晚，下雪", "夜色"), ("en", "at night in the snow", "night")]
)
def test_a_scene_moves_to_another_hour(language: str, wish: str, light: str) -> None:
    before, after = rewritten(language, ScriptStep.SCENES, wish)
    assert light in after.lighting
    assert light not in before.lighting
    assert after.name == before.name


def test_a_shot_is_taken_and_told_as_wished() -> None:
    before, after = rewritten("zh", ScriptStep.STORYBOARD, "特写，镜头推近，叠化，旁白改成“他迷路了。”")
    assert after.shot_type is ShotType.CLOSE_UP
    assert after.camera_movement is CameraMovement.PUSH_IN
    assert after.transition is Transition.CROSSFADE
    assert after.narration == "他迷路了。"
    _, quick = rewritten("en", ScriptStep.STORYBOARD, "faster")
    assert quick.duration_s < before.duration_s
    _, cat = rewritten("en", ScriptStep.STORYBOARD, "a black cat walks by")
    assert cat.transition is written("en", ScriptStep.STORYBOARD).transition
    assert cat.description.endswith("a black cat walks by")


def test_what_is_spoken_changes_and_is_felt_otherwise() -> None:
    shot = Shot(
        shot_number=1,
        shot_type=ShotType.MEDIUM,
        description="屋里",
        dialogue=[{"character": "阿杰", "text": "你好"}],  # type: ignore[list-item]
        characters=["阿杰"],
        duration_s=3,
    )
    after = written("zh", ScriptStep.STORYBOARD, rewrite=shot, instruction="台词改成“快跑！”，生气地喊")
    (line,) = after.dialogue
    assert (line.character, line.text, line.emotion) == ("阿杰", "快跑！", Emotion.ANGRY)


@pytest.mark.parametrize("step", list(ScriptStep))
@pytest.mark.parametrize("language", ["zh", "en"])
def test_without_a_wish_each_take_differs_from_the_element(language: str, step: ScriptStep) -> None:
    for take in (1, 2, 3):
        before, after = rewritten(language, step, "", take=take, seed=take)
        assert after != before, take
        assert type(after) is type(before)


@pytest.mark.parametrize("element", [Storyline, ArtStyle, Character, Scene, Shot])
def test_every_wish_leaves_a_trace(element: type) -> None:
    step = dict(zip([Storyline, ArtStyle, Character, Scene, Shot], ScriptStep, strict=True))[element]
    before, after = rewritten("zh", step, "多一些萤火虫")
    assert after != before
    assert "多一些萤火虫" in after.model_dump_json()


def test_another_take_of_the_style_step_is_another_style() -> None:
    styles = [written("zh", ScriptStep.ARTSTYLE, take=take).style_name for take in range(3)]
    assert len(set(styles)) == 3
