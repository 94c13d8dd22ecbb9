"""Animals on four legs, each from a row of measures (beasts.toml): side view, looking where they go."""

import math
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from models.draft.painter.canvas import Canvas, curve
from models.draft.painter.colour import Colour, darker, lighter, rgb
from models.draft.painter.light import Light

_PATH = Path(__file__).with_name("beasts.toml")


@lru_cache(maxsize=1)
def measures() -> dict[str, dict[str, Any]]:
    return tomllib.loads(_PATH.read_text(encoding="utf-8"))


@dataclass
class Beast:
    """``x``, ``y``: the feet's middle; ``s``: the shoulder height in pixels; ``f``: 1 looks right, -1 left."""

    canvas: Canvas
    light: Light
    m: dict[str, Any]
    x: float
    y: float
    s: float
    f: int

    def at(self, u: float, v: float) -> tuple[float, float]:
        return self.x + self.f * u * self.s, self.y - v * self.s

    def lit(self, key: str) -> Colour:
        return self.light.on_skin(rgb(self.m[key]))

    def smooth(self, points: list[tuple[float, float]], colour: Colour, opacity: float = 1.0) -> None:
        self.canvas.smooth([self.at(u, v) for u, v in points], colour, opacity)

    def polygon(self, points: list[tuple[float, float]], colour: Colour, opacity: float = 1.0) -> None:
        self.canvas.polygon([self.at(u, v) for u, v in points], colour, opacity)

    def limb(self, points: list[tuple[float, float]], widths: tuple[float, float], colour: Colour) -> None:
        line = curve(np.array([self.at(u, v) for u, v in points]), 6, closed=False)
        self.canvas.line(line, np.maximum(1.0, np.linspace(widths[0], widths[1], len(line)) * self.s), colour)

    def ellipse(
        self, u: float, v: float, ru: float, rv: float, colour: Colour, opacity: float = 1.0, tilt: float = 0.0
    ) -> None:
        x, y = self.at(u, v)
        self.canvas.ellipse(x, y, ru * self.s, rv * self.s, colour, opacity, tilt * self.f)


def draw_beast(
    canvas: Canvas,
    name: str,
    light: Light,
    *,
    x: float,
    y: float,
    shoulder: float,
    near: float,
    facing: int,
    coat: str | None = None,
    dip: float = 0.0,
) -> None:
    """``coat``: a colour said of it; ``dip`` lowers the head: 0 looks ahead, 1 grazes."""
    m = measures()[name]
    if coat is not None:
        m = {**m, "fur": coat}
    b = Beast(canvas, light, m, x, y, shoulder, facing)
    fur, belly, dark = b.lit("fur"), b.lit("belly"), b.lit("dark")
    half, girth, leg = m["length"] / 2, m["girth"], m["leg"]
    canvas.ellipse(x, y, (half + 0.15) * shoulder, 0.07 * shoulder, (18, 16, 30), 0.3)
    low = 1 - girth
    with canvas.at(near):
        _tail(b, -half, 0.86, fur, dark)
        for u in (-half + 0.24, half - 0.1):
            _leg(b, u, low + 0.12, leg, darker(fur, 0.3))
        neck_u, neck_v = m["neck"]
        drop = dip * (neck_v + 0.75)
        hu, hv = half - 0.02 + neck_u + 0.14 * dip, 0.94 + neck_v - drop
        thick = max(0.2, girth * (0.62 if neck_v > 0.3 else 0.8))
        b.limb(
            [(half - 0.22, 0.82 - girth * 0.15), ((half - 0.1 + hu) / 2, (0.8 + hv) / 2), (hu, hv)],
            (thick * 1.1, m["head"][1] * 1.4),
            fur,
        )
        if m.get("mane"):
            b.limb(
                [
                    (half - 0.3, 1.0),
                    (half - 0.16 + neck_u * 0.4, 0.98 + neck_v * 0.62 - drop * 0.6),
                    (hu - 0.06, hv + 0.14),
                ],
                (0.1, 0.13),
                dark,
            )
        back = 0.98 if m.get("marks") != "humps" else 1.0
        b.smooth(
            [
                (-half, low + girth * 0.55),
                (-half + 0.1, back - 0.03),
                (-half * 0.3, back - 0.05),
                (half * 0.5, back),
                (half - 0.02, back - 0.14),
                (half, low + girth * 0.4),
                (half * 0.5, low),
                (-half * 0.4, low + 0.05),
                (-half + 0.1, low + 0.1),
            ],
            fur,
        )
        b.smooth(
            [
                (-half + 0.15, low + 0.11),
                (0.0, low + girth * 0.3),
                (half - 0.1, low + girth * 0.24),
                (half * 0.5, low + 0.01),
                (-half * 0.4, low + 0.06),
            ],
            belly,
        )
        _marks(b, half, low, girth, fur, dark)
        for u in (-half + 0.1, half - 0.24):
            _leg(b, u, low + 0.14, leg, fur)
        _head(b, hu, hv, fur, belly, dark)


def _leg(b: Beast, u: float, top: float, thick: float, colour: Colour) -> None:
    b.limb([(u, top), (u + 0.02, top * 0.5), (u, thick * 0.3)], (thick * 1.25, thick * 0.85), colour)
    b.ellipse(u + thick * 0.2, thick * 0.25, thick * 0.6, thick * 0.28, darker(colour, 0.35))


def _tail(b: Beast, u: float, v: float, fur: Colour, dark: Colour) -> None:
    kind = b.m["tail"]
    if kind in {"stub", "puff"}:
        r = 0.07 if kind == "stub" else 0.15
        b.ellipse(u - 0.02, v - 0.05, r, r, lighter(fur, 0.4) if kind == "puff" else fur)
    elif kind == "tuft":
        b.limb([(u + 0.05, v), (u - 0.12, v - 0.2), (u - 0.14, v - 0.5)], (0.06, 0.03), fur)
        b.ellipse(u - 0.14, v - 0.55, 0.05, 0.1, dark)
    elif kind == "flow":
        b.limb([(u + 0.05, v), (u - 0.18, v - 0.05), (u - 0.24, v - 0.35), (u - 0.16, v - 0.62)], (0.1, 0.12), dark)
    elif kind == "brush":
        b.smooth(
            [
                (u + 0.08, v - 0.02),
                (u - 0.2, v - 0.02),
                (u - 0.52, v - 0.26),
                (u - 0.62, v - 0.46),
                (u - 0.34, v - 0.34),
                (u, v - 0.18),
            ],
            fur,
        )
        tip = b.lit("tip") if "tip" in b.m else dark
        b.smooth([(u - 0.44, v - 0.24), (u - 0.64, v - 0.48), (u - 0.44, v - 0.4)], tip)
    elif kind == "plume":
        b.smooth(
            [
                (u + 0.1, v - 0.3),
                (u - 0.25, v - 0.1),
                (u - 0.45, v + 0.5),
                (u - 0.1, v + 0.85),
                (u + 0.05, v + 0.55),
                (u - 0.1, v + 0.3),
            ],
            fur,
        )
    elif kind == "curl":
        ring = [(u - 0.06 + 0.07 * math.cos(a), v - 0.1 + 0.07 * math.sin(a)) for a in np.linspace(0, 5.2, 8)]
        b.limb(ring, (0.05, 0.03), fur)
    else:
        high = {"up": 0.4, "long": 0.12, "thin": -0.3}.get(kind, 0.0)
        width = 0.04 if kind == "thin" else 0.11
        b.limb(
            [(u + 0.08, v - 0.05), (u - 0.22, v + high * 0.3), (u - 0.4, v + high), (u - 0.46, v + high + 0.12)],
            (width, width * 0.7),
            dark if kind == "thin" else fur,
        )
        if b.m.get("marks") == "stripes":
            for share in (0.22, 0.34):
                b.limb(
                    [(u - share - 0.03, v + high * 0.8 - 0.05), (u - share + 0.03, v + high * 0.8 + 0.06)],
                    (0.04, 0.04),
                    dark,
                )


def _marks(b: Beast, half: float, low: float, girth: float, fur: Colour, dark: Colour) -> None:
    kind = b.m.get("marks")
    if kind == "stripes":
        for u in np.linspace(-half + 0.16, half - 0.14, 7):
            b.polygon(
                [(u - 0.035, 0.95), (u + 0.045, 0.95), (u + 0.02, low + girth * 0.5), (u - 0.02, low + girth * 0.34)],
                dark,
            )
    elif kind == "patches":
        for u, v, ru, rv in ((-0.34, 0.76, 0.2, 0.15), (0.08, 0.84, 0.16, 0.11), (0.4, 0.66, 0.13, 0.14)):
            b.ellipse(u * half * 1.6, v, ru, rv, dark)
    elif kind == "spots":
        for u, v in ((-0.6, 0.88), (-0.35, 0.8), (-0.1, 0.88), (0.15, 0.8), (0.4, 0.87), (-0.5, 0.72), (0.0, 0.72)):
            b.ellipse(u * half, v, 0.03, 0.025, lighter(fur, 0.75))
    elif kind == "tiles":
        for u in np.linspace(-0.8, 0.8, 6):
            for row, v in enumerate((0.9, 0.78)):
                b.ellipse(u * half + 0.06 * row, v, 0.055, 0.05, dark)
        nu, nv = b.m["neck"]
        for share in np.linspace(0.15, 0.9, 7):
            b.ellipse(half - 0.1 + nu * share, 0.86 + nv * share, 0.05, 0.045, dark)
    elif kind == "humps":
        for u in (-0.22, 0.18):
            b.smooth([(u - 0.2, 0.92), (u - 0.06, 1.2), (u + 0.06, 1.2), (u + 0.2, 0.92), (u, 0.86)], darker(fur, 0.1))
    elif kind == "wool":
        for index in range(13):
            a = index / 13 * math.tau
            b.ellipse(
                (half - 0.08) * math.cos(a),
                low + girth * 0.58 + girth * 0.42 * math.sin(a),
                0.17,
                0.15,
                lighter(fur, 0.2) if index % 2 else fur,
            )
        b.ellipse(0, low + girth * 0.58, half * 0.8, girth * 0.4, fur)


def _head(b: Beast, u: float, v: float, fur: Colour, belly: Colour, dark: Colour) -> None:
    m = b.m
    long, high, snout = m["head"]
    if m.get("ruff"):
        for index in range(12):
            a = index / 12 * math.tau
            b.ellipse(u + 0.26 * math.cos(a), v + 0.26 * math.sin(a), 0.13, 0.13, dark)
    skull = dark if m.get("marks") == "wool" else fur
    _ears(b, u, v, skull, dark, behind=True)
    _horns(b, u, v, high)
    if snout:
        pale = skull if m["ears"] in {"side"} or m.get("mane") or m.get("marks") in {"humps", "tiles"} else belly
        low = v - high * 0.3
        b.limb(
            [(u + long * 0.4, v - high * 0.12), (u + long * 0.75 + snout * 0.8, low - snout * 0.25)],
            (high * 1.3, high * 0.95),
            skull,
        )
        b.limb(
            [(u + long * 0.7, low), (u + long * 0.75 + snout * 0.85, low - snout * 0.28)],
            (high * 0.7, high * 0.8),
            pale,
        )
        b.ellipse(
            u + long * 0.75 + snout * 0.85 + high * 0.34, low - snout * 0.16, high * 0.16, high * 0.14, (36, 28, 30)
        )
        b.limb(
            [(u + long * 0.9, low - high * 0.36), (u + long * 0.75 + snout, low - snout * 0.28 - high * 0.26)],
            (high * 0.07, high * 0.05),
            darker(pale, 0.5),
        )
    b.ellipse(u, v, long, high, skull)
    if not snout and not m.get("trunk"):
        b.ellipse(u + long * 0.75, v - high * 0.3, long * 0.3, high * 0.3, belly)
    if m.get("trunk"):
        b.limb(
            [
                (u + long * 0.6, v - 0.05),
                (u + long * 1.2, v - 0.3),
                (u + long * 1.15, v - 0.68),
                (u + long * 1.45, v - 0.8),
            ],
            (0.24, 0.1),
            fur,
        )
        b.limb(
            [(u + long * 0.7, v - 0.22), (u + long * 1.2, v - 0.4), (u + long * 1.5, v - 0.34)],
            (0.08, 0.03),
            (246, 240, 226),
        )
    if m.get("marks") == "stripes":
        for du in (-0.4, -0.1, 0.2):
            b.limb([(u + du * long, v + high * 0.95), (u + du * long + 0.03, v + high * 0.5)], (0.04, 0.02), dark)
    _ears(b, u, v, skull, dark, behind=False)
    eye = max(0.032, high * 0.15)
    b.ellipse(u + long * 0.42, v + high * 0.2, eye, eye * 1.15, (26, 22, 28))
    b.ellipse(u + long * 0.42 + eye * 0.3, v + high * 0.2 + eye * 0.4, eye * 0.35, eye * 0.35, (255, 255, 255))
    if "collar" in m:
        b.limb([(u - long * 0.75, v - high * 0.75), (u - long * 0.1, v - high * 1.1)], (0.07, 0.07), b.lit("collar"))


def _ears(b: Beast, u: float, v: float, fur: Colour, dark: Colour, *, behind: bool) -> None:
    kind, (long, high, _) = b.m["ears"], b.m["head"]
    side = 0.28 if behind else -0.4
    tone = darker(fur, 0.3) if behind else fur
    cu, cv = u + side * long, v + high * 0.75
    if kind == "round":
        b.ellipse(cu, cv + high * 0.1, high * 0.34, high * 0.34, tone)
        b.ellipse(cu, cv + high * 0.08, high * 0.18, high * 0.18, darker(tone, 0.35))
    elif kind == "dish":
        b.ellipse(cu, cv + high * 0.25, high * 0.6, high * 0.6, tone)
        b.ellipse(cu, cv + high * 0.25, high * 0.4, high * 0.4, dark)
    elif kind == "point":
        b.polygon(
            [
                (cu - high * 0.36, cv - high * 0.15),
                (cu + high * 0.36, cv - high * 0.1),
                (cu - high * 0.02, cv + high * 0.95),
            ],
            tone,
        )
        if not behind:
            b.polygon([(cu - high * 0.16, cv), (cu + high * 0.2, cv), (cu, cv + high * 0.65)], darker(tone, 0.4))
    elif kind == "hare":
        b.ellipse(cu - 0.06, cv + high * 1.0, high * 0.26, high * 1.1, tone, tilt=-14 if behind else -24)
        b.ellipse(
            cu - 0.06, cv + high * 1.0, high * 0.12, high * 0.85, (236, 178, 176), 1.0, tilt=-14 if behind else -24
        )
    elif kind == "leaf":
        b.ellipse(cu - high * 0.2, cv + high * 0.35, high * 0.24, high * 0.6, tone, tilt=-35)
    elif kind == "side" and not behind:
        b.ellipse(cu - high * 0.5, cv - high * 0.1, high * 0.55, high * 0.24, darker(fur, 0.15), tilt=14)
    elif kind == "drop" and not behind:
        b.smooth(
            [
                (cu - 0.12 * long, cv),
                (cu + 0.35 * long, cv + high * 0.05),
                (cu + 0.3 * long, v - high * 0.4),
                (cu, v - high * 0.75),
                (cu - 0.25 * long, v - high * 0.2),
            ],
            dark,
        )
    elif kind == "flap" and not behind:
        b.smooth(
            [
                (cu, v + high * 0.85),
                (cu - 0.3, v + high * 0.8),
                (cu - 0.46, v),
                (cu - 0.26, v - high * 1.25),
                (cu + 0.06, v - high * 0.5),
            ],
            darker(fur, 0.14),
        )


def _horns(b: Beast, u: float, v: float, high: float) -> None:
    kind = b.m.get("horns")
    bone = b.light.on_skin((222.0, 206.0, 170.0))
    if kind == "short":
        for side in (-0.3, 0.3):
            b.limb([(u + side * high, v + high * 0.8), (u + side * high * 1.4, v + high * 1.5)], (0.06, 0.03), bone)
    elif kind == "antlers":
        for side in (-1, 1):
            base = (u + side * 0.03, v + high * 0.8)
            b.limb([base, (u + side * 0.16, v + 0.3), (u + side * 0.12, v + 0.52)], (0.05, 0.03), bone)
            for share, reach in ((0.24, 0.14), (0.38, 0.12)):
                b.limb(
                    [(u + side * 0.12, v + share), (u + side * (0.14 + reach), v + share + 0.12)], (0.04, 0.025), bone
                )
