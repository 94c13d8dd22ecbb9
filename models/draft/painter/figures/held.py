"""What a figure carries in its hand."""

import math

from models.draft.painter.canvas import Canvas
from models.draft.painter.colour import Colour, darker, lighter, mix
from models.draft.painter.figures.body import hand_at
from models.draft.painter.figures.frame import Frame

HELD = (
    "umbrella",
    "lantern",
    "book",
    "cup",
    "flower",
    "balloon",
    "sword",
    "kite",
    "guitar",
    "phone",
    "camera",
    "net",
    "shell",
    "fish",
    "plant",
    "bag",
)

PORTABLE = frozenset(HELD) | {"cat", "dog", "rabbit"}
"""What can be in a hand: a room "with a fireplace" has it, nobody carries it."""


def draw_held(f: Frame, name: str, colour: Colour) -> None:
    """A thing in the right hand, in the canvas of the figure."""
    hand = hand_at(f)
    if name == "umbrella":
        # Right above the head, wherever the hand is: it may not hide the face.
        top = f.shoulder - 2 * f.head - 0.2
        u = max(hand[0] - 0.05, f.pose.lean + 0.95 * f.head)
        f.line([(hand[0], hand[1] + 0.06), (u, top)], 0.012, (70, 54, 48))
        f.smooth(
            [
                (u - 0.36, top + 0.13),
                (u - 0.2, top - 0.02),
                (u, top - 0.07),
                (u + 0.2, top - 0.02),
                (u + 0.36, top + 0.13),
                (u + 0.18, top + 0.1),
                (u, top + 0.13),
                (u - 0.18, top + 0.1),
            ],
            colour,
        )
        for side in (-0.18, 0.18):
            f.line([(u, top - 0.06), (u + side * 0.6, top), (u + side, top + 0.1)], 0.006, darker(colour, 0.35))
        f.smooth(
            [(u - 0.3, top + 0.08), (u - 0.18, top - 0.01), (u - 0.05, top - 0.04), (u - 0.14, top + 0.05)],
            lighter(colour, 0.4),
            0.5,
        )
        return
    _HOLD.get(name, _box)(f, hand, colour)


def _lantern(f: Frame, hand: tuple[float, float], colour: Colour) -> None:
    u, v = hand[0] + 0.015, hand[1] + 0.1
    f.line([hand, (u, v - 0.05)], 0.008, (60, 44, 36))
    f.ellipse(u, v, 0.055, 0.05, mix(colour, (255, 190, 90), 0.35))
    f.ellipse(u, v, 0.03, 0.045, (255, 214, 140), 0.7)
    for dv in (-0.052, 0.042):
        f.polygon(
            [(u - 0.022, v + dv), (u + 0.022, v + dv), (u + 0.022, v + dv + 0.01), (u - 0.022, v + dv + 0.01)],
            (226, 180, 74),
        )


def _book(f: Frame, hand: tuple[float, float], colour: Colour) -> None:
    u, v = hand
    f.polygon([(u - 0.06, v - 0.05), (u, v - 0.035), (u, v + 0.045), (u - 0.06, v + 0.03)], colour)
    f.polygon([(u + 0.06, v - 0.05), (u, v - 0.035), (u, v + 0.045), (u + 0.06, v + 0.03)], darker(colour, 0.15))
    f.polygon(
        [
            (u - 0.05, v - 0.055),
            (u, v - 0.04),
            (u + 0.05, v - 0.055),
            (u + 0.05, v - 0.04),
            (u, v - 0.025),
            (u - 0.05, v - 0.04),
        ],
        (246, 240, 226),
    )


def _cup(f: Frame, hand: tuple[float, float], colour: Colour) -> None:
    u, v = hand
    f.polygon(
        [(u - 0.025, v - 0.035), (u + 0.025, v - 0.035), (u + 0.02, v + 0.025), (u - 0.02, v + 0.025)], (244, 238, 228)
    )
    for index in range(3):
        f.ellipse(u + 0.008 * (-1) ** index, v - 0.06 - 0.025 * index, 0.009, 0.014, (255, 255, 255), 0.35)


def _flower(f: Frame, hand: tuple[float, float], colour: Colour) -> None:
    u, v = hand
    for du, dv in ((0.0, -0.1), (-0.035, -0.08), (0.035, -0.085)):
        f.line([(u, v + 0.03), (u + du, v + dv)], 0.006, (84, 140, 76))
        for angle in range(0, 360, 72):
            a = math.radians(angle)
            f.ellipse(u + du + 0.014 * math.cos(a), v + dv + 0.014 * math.sin(a), 0.012, 0.012, colour)
        f.ellipse(u + du, v + dv, 0.009, 0.009, (250, 214, 96))


def _balloon(f: Frame, hand: tuple[float, float], colour: Colour) -> None:
    u, v = hand
    for du, tone in ((-0.07, colour), (0.06, (242, 190, 72)), (0.0, (96, 160, 214))):
        f.line([hand, (u + du, v - 0.36)], 0.004, (230, 230, 230))
        f.ellipse(u + du, v - 0.43 - 0.03 * (du == 0), 0.062, 0.075, tone)
        f.ellipse(u + du - 0.02, v - 0.46, 0.014, 0.022, (255, 255, 255), 0.6)


def _sword(f: Frame, hand: tuple[float, float], colour: Colour) -> None:
    u, v = hand
    f.polygon(
        [(u - 0.012, v - 0.03), (u + 0.012, v - 0.03), (u + 0.075, v - 0.42), (u + 0.055, v - 0.42)], (214, 222, 232)
    )
    f.line([(u - 0.045, v - 0.025), (u + 0.05, v - 0.035)], 0.016, (206, 164, 72))


def _guitar(f: Frame, hand: tuple[float, float], colour: Colour) -> None:
    f.line([(-0.05, f.hip - 0.06), (0.26, f.shoulder + 0.03)], 0.022, (92, 60, 40))
    f.ellipse(-0.04, f.hip - 0.05, 0.085, 0.075, (196, 128, 66))
    f.ellipse(0.03, f.hip - 0.1, 0.06, 0.055, (196, 128, 66))
    f.ellipse(0.0, f.hip - 0.075, 0.028, 0.028, (60, 40, 30))


def _net(f: Frame, hand: tuple[float, float], colour: Colour) -> None:
    u, v = hand
    f.line([(u - 0.02, v + 0.25), (u + 0.06, v - 0.3)], 0.014, (120, 86, 56))
    f.ellipse(u + 0.075, v - 0.37, 0.075, 0.085, (226, 226, 214), 1.0)
    f.ellipse(u + 0.075, v - 0.37, 0.06, 0.07, (150, 160, 160), 0.8)


def _fish(f: Frame, hand: tuple[float, float], colour: Colour) -> None:
    u, v = hand
    f.smooth([(u, v + 0.01), (u + 0.035, v + 0.07), (u, v + 0.15), (u - 0.035, v + 0.07)], (150, 178, 196))
    f.polygon([(u, v + 0.14), (u + 0.03, v + 0.19), (u - 0.03, v + 0.19)], (126, 156, 178))


def _shell(f: Frame, hand: tuple[float, float], colour: Colour) -> None:
    u, v = hand
    f.smooth(
        [
            (u, v + 0.02),
            (u - 0.045, v - 0.02),
            (u - 0.04, v - 0.055),
            (u, v - 0.07),
            (u + 0.04, v - 0.055),
            (u + 0.045, v - 0.02),
        ],
        (246, 214, 196),
    )
    for side in (-0.026, -0.009, 0.009, 0.026):
        f.line([(u, v + 0.012), (u + side * 1.3, v - 0.058)], 0.005, (206, 150, 138))


def _plant(f: Frame, hand: tuple[float, float], colour: Colour) -> None:
    """A seedling in its pot."""
    u, v = hand
    f.polygon(
        [(u - 0.04, v - 0.03), (u + 0.04, v - 0.03), (u + 0.028, v + 0.045), (u - 0.028, v + 0.045)], (178, 98, 62)
    )
    f.line([(u, v - 0.03), (u, v - 0.13)], 0.012, (84, 140, 76))
    for side in (-1, 1):
        for lift in (0.07, 0.12):
            f.smooth(
                [
                    (u, v - lift),
                    (u + side * 0.03, v - lift - 0.03),
                    (u + side * 0.065, v - lift - 0.02),
                    (u + side * 0.03, v - lift),
                ],
                (98, 168, 80),
            )


def _bag(f: Frame, hand: tuple[float, float], colour: Colour) -> None:
    u, v = hand[0], hand[1] + 0.12
    f.line([(u - 0.03, v - 0.06), (u, v - 0.11), (u + 0.03, v - 0.06)], 0.014, (92, 60, 40))
    f.polygon(
        [(u - 0.085, v - 0.06), (u + 0.085, v - 0.06), (u + 0.085, v + 0.07), (u - 0.085, v + 0.07)], (146, 96, 60)
    )
    f.line([(u - 0.085, v), (u + 0.085, v)], 0.012, (92, 60, 40))


def _pet(f: Frame, coat: Colour, ears: str) -> None:
    """A small animal held against the chest."""
    v = f.shoulder + 0.17
    f.ellipse(0.0, v, 0.13, 0.07, coat, tilt=-12)
    f.limb([(-0.1, v + 0.03), (-0.17, v + 0.08), (-0.15, v + 0.16)], (0.035, 0.025), darker(coat, 0.2))
    u, w = 0.1, v - 0.07
    for side in (-1, 1):
        if ears == "drop":
            f.ellipse(u + side * 0.06, w + 0.01, 0.022, 0.045, darker(coat, 0.3))
        elif ears == "long":
            f.ellipse(u + side * 0.026, w - 0.1, 0.018, 0.06, coat, tilt=side * 8)
        else:
            f.polygon([(u + side * 0.012, w - 0.04), (u + side * 0.062, w - 0.015), (u + side * 0.052, w - 0.1)], coat)
    f.ellipse(u, w, 0.065, 0.055, coat)
    f.ellipse(u, w + 0.022, 0.03, 0.022, lighter(coat, 0.6))
    for side in (-1, 1):
        f.ellipse(u + side * 0.026, w - 0.008, 0.009, 0.011, (26, 22, 28))
    f.ellipse(u, w + 0.012, 0.009, 0.006, (70, 40, 44))


def _cat(f: Frame, hand: tuple[float, float], colour: Colour) -> None:
    _pet(f, colour, "point")


def _dog(f: Frame, hand: tuple[float, float], colour: Colour) -> None:
    _pet(f, colour, "drop")


def _rabbit(f: Frame, hand: tuple[float, float], colour: Colour) -> None:
    _pet(f, colour, "long")


def _box(f: Frame, hand: tuple[float, float], colour: Colour) -> None:
    u, v = hand
    f.polygon(
        [(u - 0.022, v - 0.05), (u + 0.022, v - 0.05), (u + 0.022, v + 0.025), (u - 0.022, v + 0.025)], (44, 48, 58)
    )
    f.polygon(
        [(u - 0.017, v - 0.043), (u + 0.017, v - 0.043), (u + 0.017, v + 0.012), (u - 0.017, v + 0.012)],
        (150, 200, 230),
    )


def _folded_umbrella(f: Frame, hand: tuple[float, float], colour: Colour) -> None:
    u, v = hand
    f.line([(u - 0.02, v - 0.06), (u, v - 0.075), (u, v + 0.36)], 0.011, (70, 54, 48))
    f.smooth(
        [
            (u - 0.012, v + 0.03),
            (u + 0.012, v + 0.03),
            (u + 0.036, v + 0.1),
            (u + 0.01, v + 0.33),
            (u - 0.01, v + 0.33),
            (u - 0.036, v + 0.1),
        ],
        colour,
    )
    f.line([(u + 0.012, v + 0.07), (u + 0.004, v + 0.31)], 0.006, darker(colour, 0.35))


_HOLD = {
    "folded_umbrella": _folded_umbrella,
    "lantern": _lantern,
    "book": _book,
    "cup": _cup,
    "flower": _flower,
    "balloon": _balloon,
    "sword": _sword,
    "guitar": _guitar,
    "net": _net,
    "fish": _fish,
    "shell": _shell,
    "plant": _plant,
    "bag": _bag,
    "cat": _cat,
    "dog": _dog,
    "rabbit": _rabbit,
}


def glow_of_held(f: Frame, name: str, over: Canvas) -> None:
    """The light a carried lantern throws, into the finished picture."""
    if name == "lantern":
        x, y = f.at(*hand_at(f))
        over.glow(x, y + 0.1 * f.size, 0.34 * f.size, (255, 160, 70), 0.75 * max(0.3, f.light.lamps))
