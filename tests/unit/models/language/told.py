"""A writer on the tiny model, and a report that remembers."""

from pathlib import Path
from typing import Any

from models.catalog import Model
from models.device import Device
from models.language.writer import LanguageModelWriter
from models.specs import ArtStyle, Character, Scene, ScriptResult, ScriptSpec, ScriptStep, Shot, Storyline
from tests.unit.models.reports import FakeReport

ZH = (
    "《海边的贝壳》\n\n傍晚，夕阳把海面染成金色。小女孩林晓雨穿着红裙子跑过沙滩。老渔夫坐在木船边补网。\n\n"
    "“小姑娘，你在找什么？”老渔夫抬起头，笑着问。\n\n“我在找会唱歌的贝壳。”林晓雨低声说。\n\n"
    "天色暗下来，第一颗星星升上夜空。"
)
EN = (
    "At dusk the sea turned gold. Mira ran across the empty beach in her red dress. "
    "An old fisherman mended his net.\n\n"
    '"What are you looking for?" asked the fisherman with a smile.\n\n"A shell that sings," Mira said quietly.\n\n'
    "Night fell, and the first star rose over the water."
)
STORYLINE = Storyline(
    title="The Shell", content=EN, summary="A girl seeks a shell.", genre="tale", tone="warm", language="en"
)
STYLE = ArtStyle(style_name="Ink", description="Ink on paper", prompt_template="{prompt}, ink", palette=["#102030"])
MIRA = Character(name="Mira", character_type="protagonist", appearance="red dress", gender="female", age="child")
FISHERMAN = Character(name="Fisherman", character_type="supporting", appearance="white beard", age="elder")
BEACH = Scene(name="Beach at dusk", scene_type="outdoor", description="A long empty beach")
PIER = Scene(name="Pier", scene_type="outdoor", description="A wooden pier")
SHOT = Shot(
    shot_number=3,
    shot_type="medium",
    scene="Pier",
    characters=["Mira"],
    description="Mira kneels on the pier",
    narration="She listened.",
    duration_s=4,
)


class Told(FakeReport):
    """Of a writer, which notes the prompt of every call."""

    @property
    def prompts(self) -> list[str]:
        return [noted["prompt"] for noted in self.noted]


def open_writer(folder: Path, **options: Any) -> LanguageModelWriter:
    settings = {"dtype": "float32", "max_new_tokens": 128, "context_tokens": 4096, **options}
    model = Model(
        id="tiny",
        display_name="tiny",
        tasks=("script",),
        adapter="models.language.writer:LanguageModelWriter",
        license="Apache-2.0",
        weights={"path": folder},
        options=settings,
    )
    writer = LanguageModelWriter(model, folder, Device("cpu"))
    writer.load()
    return writer


def spec(step: str, content: str = EN, input_type: str = "text", **fields: Any) -> ScriptSpec:
    return ScriptSpec.model_validate({"step": step, "content": content, "input_type": input_type, **fields})


def known(**fields: Any) -> dict[str, Any]:
    """What the steps before the storyboard made, of a film of two or three shots."""
    made = {"storyline": STORYLINE, "art_style": STYLE, "characters": [MIRA, FISHERMAN], "scenes": [BEACH, PIER]}
    return made | {"target_duration_s": 10} | fields


def break_down(writer: LanguageModelWriter, content: str, input_type: str = "text", **fields: Any) -> ScriptResult:
    """All five steps, each with what those before it made, in one result."""
    made: dict[str, Any] = {}
    for step in ScriptStep:
        result = writer.write(spec(step, content, input_type, **fields, **made), Told())
        made |= {name: value for name in ScriptResult.model_fields if (value := getattr(result, name))}
    return ScriptResult(**made)


def heard(shots: list[Shot]) -> str:
    return "".join(part for shot in shots for part in (shot.narration, *(line.text for line in shot.dialogue)))
