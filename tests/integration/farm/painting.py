"""A painter that does as its prompt says, alone and together with others."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from models.catalog import Model
from models.interfaces import Note, PaintedImage, Report
from models.specs import ArtStyle, ImageSpec

Ending = Literal["ok", "fail", "fail_together", "memory_together", "device", "blank"]


def spec_of(log: Path, name: str, ending: Ending = "ok", **fields: Any) -> ImageSpec:
    """``log`` gets a line for each call, with the names of all that were painted in it."""
    prompt = json.dumps({"log": str(log), "name": name, "ending": ending})
    values: dict[str, Any] = {"width": 64, "height": 64, "style": ArtStyle(style_name="ink")} | fields
    return ImageSpec(prompt=prompt, **values)


def calls(log: Path) -> list[list[str]]:
    """The names of every call."""
    return [line.split() for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []


class StagePainter:
    """Takes four steps of 20 ms."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def load(self) -> None:
        return

    def unload(self) -> None:
        return

    def paint(self, spec: ImageSpec, images: Mapping[str, Any], report: Report) -> PaintedImage:
        return self.paint_batch([spec], images, report, [report.note])[0]

    def paint_batch(
        self, specs: Sequence[ImageSpec], images: Mapping[str, Any], report: Report, notes: Sequence[Note]
    ) -> list[PaintedImage]:
        scripts = [json.loads(spec.prompt) for spec in specs]
        with Path(scripts[0]["log"]).open("a", encoding="utf-8") as log:
            log.write(" ".join(script["name"] for script in scripts) + "\n")
        for spec, note in zip(specs, notes, strict=True):
            note(seed=spec.seed)
        for step in range(4):
            report(step / 4)
            time.sleep(0.02)
        endings = {script["ending"] for script in scripts}
        if "device" in endings:
            import torch

            raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")
        if "fail" in endings or ("fail_together" in endings and len(specs) > 1):
            raise RuntimeError("the brush broke")
        if "memory_together" in endings and len(specs) > 1:
            raise MemoryError("no room for so many")
        return [self._painted(spec, script["ending"]) for spec, script in zip(specs, scripts, strict=True)]

    def _painted(self, spec: ImageSpec, ending: str) -> PaintedImage:
        if ending == "blank":
            return PaintedImage(np.zeros((spec.height, spec.width, 3), np.uint8))
        noise = np.random.default_rng(spec.seed)
        return PaintedImage(noise.integers(0, 255, (spec.height, spec.width, 3), dtype=np.uint8))
