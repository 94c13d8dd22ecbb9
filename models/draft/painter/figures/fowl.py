"""Animals that are no quadrupeds in side view: birds, a panda that sits, a dragon, a turtle, a frog, a butterfly."""

import math
from collections.abc import Callable

import numpy as np

from models.draft.painter.canvas import Canvas, curve
from models.draft.painter.colour import Colour, darker, lighter, rgb
from models.draft.painter.light import Light

Point = tuple[float, float]


class Pen:
    """Shapes in an animal's own heights: right is where it looks, up is positive, the feet at (0, 0)."""

    def __init__(self, canvas: Canvas, light: Light, x: float, y: float, s: float, f: int) -> None:
        self.canvas, self.light, self.x, self.y, self.s, self.f = canvas, light, x, y, s, f

    def at(self, u: float, v: float) -> Point:
        return self.x + self.f * u * self.s, self.y - v * self.s

    def lit(self, code: str) -> Colour:
        return self.light.on_skin(rgb(code))

    def smooth(self, points: list[Point], colour: Colour) -> None:
        self.canvas.smooth([self.at(u, v) for u, v in points], colour)

    def polygon(self, points: list[Point], colour: Colour) -> None:
        self.canvas.polygon([self.at(u, v) for u, v in points], colour)

    def ellipse(self, u: float, v: float, ru: float, rv: float, colour: Colour, tilt: float = 0.0) -> None:
        x, y = self.at(u, v)
        self.canvas.ellipse(x, y, ru * self.s, rv * self.s, colour, 1.0, tilt * self.f)

    def limb(self, points: list[Point], widths: tuple[float, float], colour: Colour) -> None:
        line = curve(np.array([self.at(u, v) for u, v in points]), 6, closed=False)
        self.canvas.line(line, np.maximum(1.0, np.linspace(widths[0], widths[1], len(line)) * self.s), colour)

    def eye(self, u: float, v: float, r: float) -> None:
        self.ellipse(u, v, r, r * 1.1, (24, 20, 26))
        self.ellipse(u + r * 0.3, v + r * 0.35, r * 0.35, r * 0.35, (255, 255, 255))


def panda(p: Pen) -> None:
    """Sits and faces us, a bamboo stalk in its paws."""
    white, black = p.lit("#f6f3ec"), p.lit("#2b292d")
    for side in (-1, 1):
        p.ellipse(side * 0.3, 0.1, 0.2, 0.12, black, tilt=side * 16)
        p.ellipse(side * 0.36, 0.13, 0.1, 0.1, darker(white, 0.3))
    p.ellipse(0, 0.33, 0.35, 0.34, white)
    p.smooth([(-0.34, 0.4), (-0.3, 0.56), (0, 0.62), (0.3, 0.56), (0.34, 0.4), (0, 0.44)], black)
    for side in (-1, 1):
        p.ellipse(side * 0.25, 0.96, 0.1, 0.1, black)
    p.ellipse(0, 0.77, 0.32, 0.25, white)
    for side in (-1, 1):
        p.ellipse(side * 0.13, 0.78, 0.075, 0.095, black, tilt=side * 28)
        p.ellipse(side * 0.125, 0.79, 0.026, 0.03, (255, 255, 255))
        p.ellipse(side * 0.12, 0.788, 0.016, 0.02, (16, 14, 18))
    p.ellipse(0, 0.675, 0.05, 0.032, black)
    p.limb([(-0.06, 0.62), (0, 0.605), (0.06, 0.62)], (0.014, 0.014), black)
    cane = p.lit("#7fb04a")
    p.limb([(-0.12, 0.22), (0.2, 0.72)], (0.04, 0.03), cane)
    for u, v in ((0.2, 0.72), (0.13, 0.62)):
        for angle in (20, 60, 110):
            a = math.radians(angle)
            tip = (u + 0.16 * math.cos(a), v + 0.12 * math.sin(a))
            p.polygon(
                [(u, v), ((u + tip[0]) / 2, (v + tip[1]) / 2 + 0.02), tip, ((u + tip[0]) / 2, (v + tip[1]) / 2 - 0.02)],
                lighter(cane, 0.1),
            )
    for side in (-1, 1):
        p.limb([(side * 0.3, 0.5), (side * 0.27, 0.36), (side * 0.05, 0.36 + 0.04 * side)], (0.16, 0.13), black)


def duck(p: Pen) -> None:
    white, bill = p.lit("#f4f0e4"), p.lit("#f0a03c")
    for u in (-0.06, 0.1):
        p.limb([(u, 0.26), (u, 0.03)], (0.05, 0.05), bill)
        p.ellipse(u + 0.06, 0.02, 0.1, 0.03, bill)
    p.limb([(0.28, 0.4), (0.4, 0.62), (0.36, 0.84)], (0.24, 0.2), white)
    p.smooth([(-0.62, 0.62), (-0.46, 0.34), (-0.1, 0.2), (0.3, 0.26), (0.46, 0.46), (0.2, 0.6), (-0.3, 0.56)], white)
    p.smooth([(-0.46, 0.54), (-0.2, 0.3), (0.14, 0.34), (0.16, 0.5), (-0.1, 0.52)], darker(white, 0.18))
    p.ellipse(0.38, 0.87, 0.15, 0.13, white)
    p.smooth([(0.48, 0.9), (0.72, 0.84), (0.7, 0.79), (0.48, 0.8)], bill)
    p.eye(0.42, 0.91, 0.03)


def chicken(p: Pen) -> None:
    body, red, bill = p.lit("#b5652f"), p.lit("#d8342c"), p.lit("#f0b03c")
    for u in (-0.04, 0.12):
        p.limb([(u, 0.3), (u, 0.03)], (0.04, 0.04), bill)
        p.limb([(u - 0.05, 0.02), (u + 0.12, 0.02)], (0.035, 0.03), bill)
    for index, angle in enumerate((110, 130, 150)):
        a = math.radians(angle)
        p.limb(
            [
                (-0.3, 0.5),
                (-0.3 + 0.3 * math.cos(a), 0.5 + 0.34 * math.sin(a)),
                (-0.4 + 0.42 * math.cos(a), 0.46 + 0.3 * math.sin(a)),
            ],
            (0.12, 0.05),
            p.lit(("#2f4a44", "#3d2a24", "#2f4a44")[index]),
        )
    p.smooth([(-0.42, 0.6), (-0.3, 0.28), (0.08, 0.2), (0.34, 0.4), (0.42, 0.86), (0.26, 0.92), (0.12, 0.66)], body)
    p.smooth([(-0.3, 0.56), (-0.1, 0.32), (0.14, 0.4), (0.06, 0.54)], darker(body, 0.25))
    p.ellipse(0.33, 0.9, 0.12, 0.11, body)
    for u in (0.26, 0.34, 0.41):
        p.ellipse(u, 1.01, 0.05, 0.06, red)
    p.ellipse(0.42, 0.77, 0.04, 0.07, red)
    p.polygon([(0.42, 0.94), (0.58, 0.88), (0.42, 0.84)], bill)
    p.eye(0.37, 0.92, 0.026)


def penguin(p: Pen) -> None:
    black, white, bill = p.lit("#2a2d38"), p.lit("#f6f4ee"), p.lit("#f0a03c")
    for u in (-0.12, 0.14):
        p.ellipse(u, 0.03, 0.13, 0.04, bill)
    p.smooth([(-0.3, 0.1), (-0.34, 0.5), (-0.2, 0.9), (0, 1.0), (0.2, 0.9), (0.34, 0.5), (0.3, 0.1), (0, 0.03)], black)
    p.smooth([(-0.16, 0.12), (-0.2, 0.45), (-0.04, 0.68), (0.2, 0.66), (0.27, 0.4), (0.22, 0.12), (0, 0.07)], white)
    p.ellipse(0.1, 0.82, 0.13, 0.11, white)
    p.smooth([(-0.3, 0.64), (-0.5, 0.3), (-0.42, 0.24), (-0.26, 0.46)], darker(black, 0.2))
    p.polygon([(0.2, 0.84), (0.36, 0.79), (0.18, 0.76)], bill)
    p.eye(0.12, 0.85, 0.03)


def owl(p: Pen) -> None:
    brown, pale = p.lit("#8a6440"), p.lit("#e8d3ac")
    p.smooth(
        [
            (-0.32, 0.1),
            (-0.38, 0.5),
            (-0.34, 0.98),
            (-0.16, 0.9),
            (0.16, 0.9),
            (0.34, 0.98),
            (0.38, 0.5),
            (0.32, 0.1),
            (0, 0.02),
        ],
        brown,
    )
    p.ellipse(0, 0.34, 0.22, 0.27, pale)
    for row in range(3):
        for u in (-0.1, 0.0, 0.1):
            p.ellipse(u + 0.04 * (row % 2), 0.24 + 0.1 * row, 0.03, 0.02, brown)
    for side in (-1, 1):
        p.ellipse(side * 0.15, 0.72, 0.15, 0.15, pale)
        p.ellipse(side * 0.15, 0.72, 0.1, 0.1, p.lit("#f5c840"))
        p.eye(side * 0.15, 0.72, 0.055)
        p.smooth([(side * 0.34, 0.6), (side * 0.44, 0.3), (side * 0.3, 0.14)], darker(brown, 0.3))
        p.ellipse(side * 0.1, 0.02, 0.07, 0.03, p.lit("#e0a03c"))
    p.polygon([(-0.05, 0.68), (0.05, 0.68), (0, 0.57)], p.lit("#e0a03c"))


def bird(p: Pen) -> None:
    """A small bird on the ground."""
    blue, pale, bill = p.lit("#4f7fb0"), p.lit("#f0dcc0"), p.lit("#e8a03c")
    for u in (-0.05, 0.1):
        p.limb([(u, 0.26), (u, 0.02)], (0.035, 0.03), darker(bill, 0.3))
    p.polygon([(-0.3, 0.5), (-0.8, 0.36), (-0.78, 0.5), (-0.3, 0.62)], darker(blue, 0.25))
    p.smooth([(-0.42, 0.56), (-0.2, 0.28), (0.16, 0.24), (0.4, 0.5), (0.34, 0.82), (0.1, 0.78), (-0.16, 0.68)], blue)
    p.smooth([(-0.02, 0.28), (0.24, 0.32), (0.38, 0.56), (0.2, 0.58), (0.06, 0.44)], pale)
    p.ellipse(0.26, 0.82, 0.19, 0.18, blue)
    p.smooth([(-0.4, 0.6), (-0.34, 0.4), (0.02, 0.4), (0.08, 0.6)], darker(blue, 0.3))
    p.polygon([(0.42, 0.88), (0.62, 0.8), (0.42, 0.76)], bill)
    p.eye(0.32, 0.86, 0.035)


def dragon(p: Pen) -> None:
    """A green dragon with spread wings and a long tail."""
    scale, belly, wing = p.lit("#3f8f5a"), p.lit("#e8d890"), p.lit("#c9653c")
    p.smooth(
        [
            (-0.05, 0.6),
            (-0.5, 1.2),
            (-0.95, 1.1),
            (-0.72, 0.92),
            (-0.78, 0.72),
            (-0.5, 0.72),
            (-0.4, 0.52),
            (-0.2, 0.56),
        ],
        wing,
    )
    for tip in ((-0.95, 1.1), (-0.78, 0.72), (-0.4, 0.52)):
        p.limb([(-0.08, 0.6), (-0.5, 1.18), tip], (0.035, 0.02), darker(wing, 0.4))
    p.limb([(-0.25, 0.42), (-0.7, 0.24), (-1.05, 0.14), (-1.3, 0.3)], (0.3, 0.05), scale)
    p.polygon([(-1.3, 0.22), (-1.46, 0.42), (-1.22, 0.4)], wing)
    for u in (-0.24, 0.2):
        p.limb([(u, 0.36), (u + 0.05, 0.18), (u, 0.04)], (0.18, 0.12), darker(scale, 0.25))
    p.ellipse(-0.02, 0.44, 0.42, 0.26, scale)
    p.ellipse(0.06, 0.34, 0.3, 0.15, belly)
    p.limb([(0.24, 0.5), (0.5, 0.74), (0.52, 0.98)], (0.3, 0.19), scale)
    p.limb([(0.36, 0.48), (0.58, 0.72), (0.6, 0.9)], (0.1, 0.07), belly)
    for u in (-0.1, 0.34):
        p.limb([(u, 0.34), (u + 0.06, 0.18), (u + 0.02, 0.04)], (0.19, 0.12), scale)
        p.ellipse(u + 0.06, 0.03, 0.1, 0.04, scale)
    p.limb([(0.54, 1.02), (0.8, 0.96)], (0.22, 0.14), scale)
    p.ellipse(0.56, 1.04, 0.16, 0.13, scale)
    for du in (-0.02, 0.08):
        p.limb([(0.5 + du, 1.14), (0.4 + du, 1.3)], (0.055, 0.02), belly)
    for u, v in ((-0.9, 0.24), (-0.6, 0.38), (-0.3, 0.64), (0.3, 0.76), (0.4, 0.94)):
        p.polygon([(u - 0.06, v - 0.02), (u - 0.03, v + 0.11), (u + 0.06, v)], wing)
    p.eye(0.62, 1.07, 0.034)
    p.ellipse(0.86, 0.98, 0.016, 0.016, (30, 40, 34))
    p.limb([(0.62, 0.92), (0.86, 0.9)], (0.018, 0.014), darker(scale, 0.5))


def turtle(p: Pen) -> None:
    green, shell = p.lit("#7fa85a"), p.lit("#7a5c34")
    for u in (-0.5, 0.4):
        p.ellipse(u, 0.12, 0.22, 0.14, darker(green, 0.15))
    p.limb([(0.5, 0.3), (0.9, 0.5)], (0.24, 0.2), green)
    p.ellipse(0.95, 0.55, 0.2, 0.17, green)
    p.smooth([(-0.8, 0.2), (-0.56, 0.78), (0, 1.0), (0.5, 0.76), (0.72, 0.2), (0, 0.12)], shell)
    for u, v in ((-0.3, 0.6), (0.05, 0.72), (0.36, 0.54), (-0.5, 0.38), (0.0, 0.4)):
        p.ellipse(u, v, 0.15, 0.12, lighter(shell, 0.3))
    p.eye(1.02, 0.6, 0.04)


def frog(p: Pen) -> None:
    green = p.lit("#6fae45")
    for side in (-1, 1):
        p.smooth([(side * 0.3, 0.1), (side * 0.75, 0.1), (side * 0.8, 0.4), (side * 0.45, 0.56)], darker(green, 0.15))
    p.ellipse(0, 0.36, 0.52, 0.36, green)
    p.ellipse(0, 0.26, 0.36, 0.22, p.lit("#e6e8b4"))
    p.ellipse(0, 0.68, 0.42, 0.24, green)
    for side in (-1, 1):
        p.ellipse(side * 0.25, 0.9, 0.15, 0.15, green)
        p.ellipse(side * 0.25, 0.92, 0.1, 0.1, (248, 246, 236))
        p.eye(side * 0.25, 0.92, 0.055)
        p.limb([(side * 0.3, 0.3), (side * 0.28, 0.06)], (0.13, 0.11), green)
    p.limb([(-0.26, 0.62), (0, 0.55), (0.26, 0.62)], (0.03, 0.03), darker(green, 0.5))


def butterfly(p: Pen) -> None:
    """Hovers a little above its place."""
    for side in (-1, 1):
        p.ellipse(side * 0.36, 1.3, 0.36, 0.3, p.lit("#f08a3c"), tilt=-side * 28)
        p.ellipse(side * 0.28, 0.88, 0.26, 0.22, p.lit("#f2c14e"), tilt=side * 24)
        p.ellipse(side * 0.42, 1.36, 0.1, 0.1, (250, 248, 240))
        p.limb([(0, 1.4), (side * 0.2, 1.75)], (0.03, 0.02), (40, 32, 36))
    p.ellipse(0, 1.1, 0.06, 0.36, (48, 38, 42))


DRAWN: dict[str, tuple[float, float, Callable[[Pen], None]]] = {
    # Height against a grown person's, width in its own heights.
    "panda": (0.62, 0.9, panda),
    "duck": (0.3, 1.4, duck),
    "chicken": (0.27, 1.0, chicken),
    "penguin": (0.42, 0.9, penguin),
    "owl": (0.24, 0.8, owl),
    "bird": (0.13, 1.4, bird),
    "dragon": (1.5, 2.6, dragon),
    "turtle": (0.16, 2.0, turtle),
    "frog": (0.12, 1.6, frog),
    "butterfly": (0.1, 1.5, butterfly),
}
