"""Runs the five steps of a breakdown one after another, as the product does."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.draft.script import DraftScriptWriter
from models.specs import (
    ArtStyle,
    Character,
    Scene,
    ScriptResult,
    ScriptSpec,
    ScriptStep,
    Shot,
    Storyline,
)

SAMPLES = Path(__file__).parents[3] / "samples"


@dataclass
class Script:
    storyline: Storyline
    art_style: ArtStyle
    characters: list[Character]
    scenes: list[Scene]
    shots: list[Shot]

    def character(self, name: str) -> Character:
        return next(character for character in self.characters if character.name == name)

    @property
    def duration_s(self) -> float:
        return sum(shot.duration_s for shot in self.shots)

    @property
    def heard(self) -> str:
        """Everything spoken in the film, in order."""
        return " ".join(part for shot in self.shots for part in (shot.narration, *(d.text for d in shot.dialogue)))


def write(step: ScriptStep, content: str, input_type: str = "text", **fields: Any) -> ScriptResult:
    spec = ScriptSpec.model_validate({"step": step, "content": content, "input_type": input_type, **fields})
    return DraftScriptWriter().write(spec, lambda fraction: None)


def break_down(content: str, input_type: str = "text", **fields: Any) -> Script:
    storyline = write(ScriptStep.STORYLINE, content, input_type, **fields).storyline
    assert storyline is not None
    known: dict[str, Any] = {**fields, "storyline": storyline}
    art_style = write(ScriptStep.ARTSTYLE, content, input_type, **known).art_style
    assert art_style is not None
    known["art_style"] = art_style
    known["characters"] = write(ScriptStep.CHARACTERS, content, input_type, **known).characters
    known["scenes"] = write(ScriptStep.SCENES, content, input_type, **known).scenes
    shots = write(ScriptStep.STORYBOARD, content, input_type, **known).shots
    return Script(storyline, art_style, known["characters"], known["scenes"], shots)


def sample(name: str) -> str:
    (path,) = SAMPLES.rglob(name)
    return path.read_text(encoding="utf-8")
