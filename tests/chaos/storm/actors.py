"""Models that make next to nothing in a moment, and write down every execution before and after it.

The log is opened for appending and each line is one write, so that processes that are killed leave whole lines.
"""

import hashlib
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import orjson
from structlog.contextvars import get_contextvars

from models.catalog import Model
from models.interfaces import PaintedImage, Report, Sound, Speech, UserInputError
from models.specs import (
    ArtStyle,
    Character,
    ImageSpec,
    Language,
    Scene,
    ScriptResult,
    ScriptSpec,
    ScriptStep,
    Shot,
    ShotType,
    SpeechSpec,
    Storyline,
    Word,
)

UNSPEAKABLE = "unspeakable"
STEP_S = 0.08


def story(number: int, shots: int, *, unspeakable: bool = False) -> str:
    """What the writer makes a film of ``shots`` shots of, the last of which cannot be spoken if so wished."""
    return f"Film {number} has {shots} shots{', the last one ' + UNSPEAKABLE if unspeakable else ''}."


class Actor:
    some_take_long = True

    def __init__(self, model: Model) -> None:
        self._log = str(model.options["log"])

    def load(self) -> None:
        return

    def unload(self) -> None:
        return

    @contextmanager
    def executing(self, report: Report) -> Iterator[None]:
        """Some steps, as many as the task's id says, between two lines of the log. One picture or line in ten is still
        at it when a standby has taken over from a scheduler that was killed; for scripts the whole film waits."""
        ids = get_contextvars()
        execution = {"task": ids["task_id"], "epoch": ids["epoch"], "worker": ids["worker"], "pid": os.getpid()}
        self._write({**execution, "what": "begun"})
        number = _number(execution["task"])
        steps = 50 + number % 20 if self.some_take_long and number % 10 == 0 else 2 + number % 9
        for step in range(steps):
            report(step / steps)
            time.sleep(STEP_S)
        yield
        self._write({**execution, "what": "ended"})

    def _write(self, line: dict[str, Any]) -> None:
        file = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, orjson.dumps({**line, "at": time.monotonic()}) + b"\n")
        finally:
            os.close(file)


class Writer(Actor):
    some_take_long = False

    def write(self, spec: ScriptSpec, report: Report) -> ScriptResult:
        with self.executing(report):
            return self._part(spec)

    def _part(self, spec: ScriptSpec) -> ScriptResult:
        found = re.search(r"Film (\d+) has (\d+) shots", spec.content)
        if found is None:
            raise UserInputError("this is no film")
        number, count = found.groups()
        title = f"Film {number}"
        match spec.step:
            case ScriptStep.STORYLINE:
                line = Storyline(
                    title=title, content=spec.content, summary=title, genre="drama", tone="calm", language="en"
                )
                return ScriptResult(storyline=line)
            case ScriptStep.ARTSTYLE:
                return ScriptResult(art_style=ArtStyle(style_name="plain"))
            case ScriptStep.CHARACTERS:
                return ScriptResult(characters=[Character(name="Ann", character_type="protagonist")])
            case ScriptStep.SCENES:
                return ScriptResult(scenes=[Scene(name="Beach", scene_type="outdoor")])
            case ScriptStep.STORYBOARD:
                shots = [_shot(title, shot, last=shot == int(count)) for shot in range(1, int(count) + 1)]
                if UNSPEAKABLE in spec.content:
                    shots[-1] = shots[-1].model_copy(update={"narration": f"{title} is {UNSPEAKABLE}."})
                return ScriptResult(shots=shots)


def _shot(title: str, number: int, *, last: bool) -> Shot:
    return Shot(
        shot_number=number,
        shot_type=ShotType.WIDE if last else ShotType.MEDIUM,
        scene="Beach",
        characters=["Ann"],
        description=f"shot {number} of {title}",
        narration=f"This is shot {number} of {title}.",
        duration_s=2.0,
    )


class Painter(Actor):
    def paint(self, spec: ImageSpec, images: "Mapping[str, Any]", report: Report) -> PaintedImage:
        with self.executing(report):
            random = np.random.default_rng(_number(spec.model_dump_json()))
            blocks = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            high, wide = -(-spec.height // 8), -(-spec.width // 8)
            pixels = np.repeat(np.repeat(blocks, high, axis=0), wide, axis=1)
            return PaintedImage(np.ascontiguousarray(pixels[: spec.height, : spec.width]))

    def repaint(self, spec: ImageSpec, source: Any, images: "Mapping[str, Any]", report: Report) -> PaintedImage:
        return self.paint(spec, images, report)


class Speaker(Actor):
    def speak(self, spec: SpeechSpec, report: Report) -> Speech:
        with self.executing(report):
            if UNSPEAKABLE in spec.text:
                raise UserInputError("nobody can say this", field="text")
            seconds = np.arange(8000, dtype=np.float32) / 16000
            pitch = 200 + _number(spec.text) % 400
            tone = 0.3 * np.sin(2 * np.pi * pitch * seconds, dtype=np.float32)
            return Speech(Sound(tone[np.newaxis, :], 16000), [Word(text=spec.text, start_s=0.0, end_s=0.5)])

    def align(self, sound: Sound, text: str, language: Language) -> list[Word]:
        return [Word(text=text, start_s=0.0, end_s=0.5)]


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6])
