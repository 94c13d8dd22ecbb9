"""The animals of a picture: its subject where nobody else is, company where somebody is."""

import re
from dataclasses import dataclass

from models.draft.painter.figures.beasts import draw_beast, measures
from models.draft.painter.figures.fowl import DRAWN, Pen
from models.draft.painter.reading import Reading
from models.draft.painter.stage import Stage
from models.specs import ShotType

# The share of the frame's height that a middling animal fills as the subject of a shot, and the row of its feet.
_ALONE: dict[ShotType, tuple[float, float]] = {
    ShotType.ESTABLISHING: (0.36, 0.8),
    ShotType.WIDE: (0.44, 0.83),
    ShotType.MEDIUM: (0.58, 0.88),
    ShotType.OVER_SHOULDER: (0.58, 0.88),
    ShotType.CLOSE_UP: (0.8, 0.98),
    ShotType.EXTREME_CLOSE_UP: (1.05, 1.16),
}
_ALOFT = re.compile(
    r"\b(?:fly|flies|flying|birds|gulls|seagulls|flock|soar\w*|circl\w+|overhead)\b|飞|群|盘旋|天空|海鸥|鸟鸣",
    re.IGNORECASE,
)
_GRAZES = re.compile(r"\b(?:graz\w*|eat\w*|drink\w*)\b|吃草|喝水|低头", re.IGNORECASE)
_RIDDEN = re.compile(r"\b(?:rid(?:e|es|ing)|on horseback|on the back of)\b|骑(?!士|兵)", re.IGNORECASE)
_MOUNTS = frozenset(
    {"horse", "camel", "elephant", "cow", "deer", "bear", "polar_bear", "tiger", "lion", "dragon", "giraffe"}
)


@dataclass(frozen=True)
class Animal:
    """``size``: of a beast the shoulder height, of others the whole, in pixels; ``x`` and ``y`` its feet."""

    kind: str
    x: float
    y: float
    size: float
    facing: int
    near: float
    coat: str | None = None
    dip: float = 0.0


def overhead(reading: Reading, prompt: str) -> bool:
    """Whether the birds of a prompt are in the air."""
    return any(kind == "bird" for kind, _ in reading.animals) and bool(_ALOFT.search(prompt))


def rides(thing: str, props: tuple[str, ...], prompt: str) -> bool:
    return thing in props and bool(_RIDDEN.search(prompt))


def ridden(reading: Reading, prompt: str) -> str | None:
    """What somebody rides."""
    if not _RIDDEN.search(prompt):
        return None
    return next((kind for kind, _ in reading.animals if kind in _MOUNTS), None)


def measured(kind: str) -> tuple[float, float, float]:
    """Of a kind: the height of its size against a grown person's, its whole height and its width, in that size."""
    if kind in DRAWN:
        height, width, _ = DRAWN[kind]
        return height, 1.0, width
    m = measures()[kind]
    return (
        float(m["height"]),
        0.94 + m["neck"][1] + m["head"][1],
        m["length"] + m["neck"][0] + m["head"][0] + m["head"][2],
    )


def alone(stage: Stage, shot: ShotType, prompt: str) -> list[Animal]:
    """Animals as the subject, as large as the shot brings them; small kinds stay smaller than large ones."""
    kinds = [(kind, coat) for kind, coat in stage.reading.animals if kind != "bird" or not _ALOFT.search(prompt)][:3]
    share, row = _ALONE[shot]
    found = []
    for index, (kind, coat) in enumerate(kinds):
        height, whole, width = measured(kind)
        target = share * min(1.25, max(0.78, (height * whole / 0.6) ** 0.28)) * stage.height
        size = min(target / whole, stage.width * 0.66 / width / len(kinds) ** 0.7)
        x = stage.width * (0.5 + (index - (len(kinds) - 1) / 2) * 0.36) - 0.1 * size * width * (
            1 if index % 2 == 0 else -1
        )
        found.append(
            Animal(kind, x, stage.height * row, size, 1 if index % 2 == 0 else -1, 0.9, coat, _dip(kind, prompt))
        )
    return found


def beside(stage: Stage, people: list[tuple[float, float, float]], prompt: str, *, close: bool) -> list[Animal]:
    """Animals with people, whose feet and size are given, true to size but never too small to be told."""
    held, mount = stage.reading.carried, ridden(stage.reading, prompt)
    kinds = [
        (kind, coat)
        for kind, coat in stage.reading.animals
        if kind not in held and kind != mount and (kind != "bird" or not _ALOFT.search(prompt))
    ][:2]
    x0, x1 = min(x for x, _, _ in people), max(x for x, _, _ in people)
    foot, person = people[0][1], max(size for _, _, size in people)
    found = []
    for index, (kind, coat) in enumerate(kinds):
        height, whole, width = measured(kind)
        size = max(height * person, stage.height * 0.14 / whole)
        size = min(size, stage.width * 0.44 / width, stage.height * 0.62 / whole)
        side = 1 if index % 2 == 0 else -1
        x = (x1 if side > 0 else x0) + side * (0.18 * person + 0.72 * width * size)
        edge = 0.48 * width * size
        x = min(stage.width - edge, max(edge, x))
        y = stage.height * 0.97 if close else foot + 0.01 * stage.height
        found.append(Animal(kind, x, y, size, -side, 0.88 if close else 0.84, coat, _dip(kind, prompt)))
    return found


def under(stage: Stage, x: float, y: float, person: float, prompt: str) -> Animal:
    """The mount of somebody whose feet hang at (x, y)."""
    kind = ridden(stage.reading, prompt) or "horse"
    coat = dict(stage.reading.animals)[kind]
    height, whole, _ = measured(kind)
    size = min(max(height, 0.8) * person, stage.height * 0.6 / whole)
    return Animal(kind, x, y + 0.42 * size, size, 1, 0.85, coat)


def _dip(kind: str, prompt: str) -> float:
    return 0.75 if kind in {"cow", "sheep", "horse", "deer"} and _GRAZES.search(prompt) else 0.0


def draw_animals(stage: Stage, animals: list[Animal]) -> None:
    light = stage.light.inside() if stage.indoor else stage.light
    for one in sorted(animals, key=lambda animal: animal.y):
        if one.kind in DRAWN:
            stage.canvas.ellipse(one.x, one.y, 0.4 * one.size, 0.05 * one.size, (18, 16, 30), 0.3)
            with stage.canvas.at(one.near):
                DRAWN[one.kind][2](Pen(stage.canvas, light, one.x, one.y, one.size, one.facing))
            continue
        draw_beast(
            stage.canvas,
            one.kind,
            light,
            x=one.x,
            y=one.y,
            shoulder=one.size,
            near=one.near,
            facing=one.facing,
            coat=one.coat,
            dip=one.dip,
        )
