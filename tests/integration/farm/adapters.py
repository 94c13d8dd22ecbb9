"""A speaker that does as its text says, so that a test can see how often, where and how far a task ran."""

import os
import time
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel

from models.catalog import Model
from models.interfaces import Report, Sound, Speech, UserInputError
from models.specs import Language, SpeechSpec, Word


class Script(BaseModel):
    """``log`` gets a line ``name pid`` for each execution. It takes ``steps``, and then more until the file ``until``
    exists; ``hang`` sleeps without a step, ``die`` ends the
    process, ``memory`` and ``wrapped`` are for want of it, ``device`` is a CUDA error. What ends ``_once`` ends well
    when it is executed again."""

    log: str
    name: str
    steps: int = 1
    step_s: float = 0.0
    until: str | None = None
    ending: Literal[
        "ok", "user", "fail", "memory", "memory_once", "wrapped", "device", "device_once", "hang", "die", "big", "nul"
    ] = "ok"

    def spec(self) -> SpeechSpec:
        return SpeechSpec(text=self.model_dump_json(), language="en", voice="stage")


class StageSpeaker:
    def __init__(self, model: Model) -> None:
        self.model = model

    def load(self) -> None:
        return

    def unload(self) -> None:
        return

    def speak(self, spec: SpeechSpec, report: Report) -> Speech:
        script = Script.model_validate_json(spec.text)
        with Path(script.log).open("a", encoding="utf-8") as log:
            log.write(f"{script.name} {os.getpid()}\n")
        begun = Path(script.log).read_text(encoding="utf-8").splitlines()
        again = sum(line.startswith(f"{script.name} ") for line in begun) > 1
        for step in range(script.steps):
            report(step / script.steps)
            time.sleep(script.step_s)
        while script.until is not None and not Path(script.until).exists():
            report(1.0)
            time.sleep(0.05)
        match script.ending.removesuffix("_once") if not (again and script.ending.endswith("_once")) else "ok":
            case "user":
                raise UserInputError("nobody can say this", field="text")
            case "fail":
                raise RuntimeError("the stage is on fire")
            case "memory":
                raise MemoryError("no room on the stage")
            case "wrapped":
                with report.phase("load"):  # as a real one does: it takes seconds
                    import torch

                try:
                    raise torch.OutOfMemoryError("CUDA out of memory")
                except RuntimeError as error:
                    raise ValueError("the folder cannot be loaded") from error
            case "device":
                with report.phase("load"):
                    import torch

                raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")
            case "hang":
                time.sleep(3600)
            case "die":
                os._exit(1)
        seconds = np.arange(8000, dtype=np.float32) / 16000
        tone = 0.3 * np.sin(2 * np.pi * 220 * seconds, dtype=np.float32)
        text = {"big": "x" * 200_000, "nul": "a\x00b"}.get(script.ending, script.name)
        return Speech(Sound(tone[np.newaxis, :], 16000), [Word(text=text, start_s=0.0, end_s=0.5)])

    def align(self, sound: Sound, text: str, language: Language) -> list[Word]:
        return [Word(text="aligned", start_s=0.0, end_s=0.25)]
