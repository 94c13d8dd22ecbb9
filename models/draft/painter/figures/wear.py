"""What people wear beside their clothes."""

import math

import numpy as np

from models.draft.painter.colour import Colour, darker, lighter, mix
from models.draft.painter.figures.frame import Frame, Head


def draw_behind(f: Frame) -> None:
    """Capes and backpacks, before the body."""
    worn = f.look.accessories
    w = f.width
    if "cape" in worn:
        colour = darker(f.lit(worn["cape"]), 0.12)
        f.smooth(
            [
                (-0.1 * w, f.shoulder),
                (0.1 * w, f.shoulder),
                (0.2 * w, f.hip + 0.1),
                (0.23 * w, -0.12 + f.pose.drop),
                (0.0, -0.09 + f.pose.drop),
                (-0.25 * w, -0.12 + f.pose.drop),
                (-0.21 * w, f.hip + 0.1),
            ],
            colour,
        )
    if "backpack" in worn and not f.pose.back:
        _backpack(f, f.lit(worn["backpack"]), -0.1 * f.pose.turn)


def draw_over_body(f: Frame) -> None:
    worn, w = f.look.accessories, f.width
    if "apron" in worn and not f.pose.back:
        colour = f.lit(worn["apron"])
        f.smooth(
            [
                (-0.055 * w, f.shoulder + 0.07),
                (0.055 * w, f.shoulder + 0.07),
                (0.09 * w, f.hip),
                (0.115 * w, f.hip + 0.2),
                (-0.115 * w, f.hip + 0.2),
                (-0.09 * w, f.hip),
            ],
            colour,
        )
        f.line([(-0.05 * w, f.shoulder + 0.08), (-0.03, f.shoulder)], 0.012, colour)
        f.line([(0.05 * w, f.shoulder + 0.08), (0.03, f.shoulder)], 0.012, colour)
    if "backpack" in worn:
        colour = f.lit(worn["backpack"])
        if f.pose.back:
            _backpack(f, colour, 0.0)
        else:
            for side in (-1, 1):
                f.line(
                    [(side * 0.075 * w + f.pose.lean, f.shoulder + 0.005), (side * 0.075 * w, f.shoulder + 0.13)],
                    0.022,
                    darker(colour, 0.15),
                )
    if "tie" in worn and f.look.top != "suit" and not f.pose.back:
        colour = f.lit(worn["tie"])
        f.polygon(
            [
                (-0.014, f.shoulder + 0.02),
                (0.014, f.shoulder + 0.02),
                (0.02, f.shoulder + 0.15),
                (0.0, f.shoulder + 0.18),
                (-0.02, f.shoulder + 0.15),
            ],
            colour,
        )
    if "cape" in worn:
        colour = f.lit(worn["cape"])
        f.line(
            [
                (-0.115 * w + f.pose.lean, f.shoulder + 0.025),
                (0.0, f.shoulder + 0.035),
                (0.115 * w + f.pose.lean, f.shoulder + 0.025),
            ],
            0.035,
            colour,
        )
    if "scarf" in worn:
        _scarf(f, f.lit(worn["scarf"]))


def _backpack(f: Frame, colour: Colour, u: float) -> None:
    f.smooth(
        [
            (u - 0.1, f.shoulder + 0.02),
            (u + 0.1, f.shoulder + 0.02),
            (u + 0.125, f.hip - 0.02),
            (u - 0.125, f.hip - 0.02),
        ],
        colour,
    )
    f.smooth(
        [
            (u - 0.07, f.shoulder + 0.14),
            (u + 0.07, f.shoulder + 0.14),
            (u + 0.08, f.hip - 0.05),
            (u - 0.08, f.hip - 0.05),
        ],
        darker(colour, 0.2),
    )


def _scarf(f: Frame, colour: Colour) -> None:
    lean, top = f.pose.lean, f.shoulder
    f.smooth(
        [
            (-0.068 + lean, top - 0.03),
            (0.0 + lean, top - 0.014),
            (0.068 + lean, top - 0.03),
            (0.078 + lean, top + 0.014),
            (0.0 + lean, top + 0.04),
            (-0.078 + lean, top + 0.014),
        ],
        colour,
    )
    f.polygon(
        [(0.018 + lean, top + 0.015), (0.062 + lean, top + 0.015), (0.07, top + 0.17), (0.03, top + 0.175)],
        darker(colour, 0.15),
    )
    for share in (0.13, 0.15):
        f.line([(0.03, top + share), (0.068, top + share)], 0.006, lighter(colour, 0.5))
    f.line(
        [(-0.06 + lean, top - 0.002), (0.0 + lean, top + 0.016), (0.06 + lean, top - 0.002)],
        0.006,
        darker(colour, 0.35),
        0.7,
    )


def draw_on_head(h: Head) -> None:
    """Beards, glasses and hats, over hair and face."""
    worn, f = h.f.look.accessories, h.f
    if not f.pose.back:
        _on_face(h)
    for name in ("straw_hat", "hat", "cap", "beanie", "crown", "helmet"):
        if name in worn:
            _HATS[name](h, f.lit(worn[name]))
            break
    if f.look.top == "spacesuit" and "helmet" not in worn:
        h.ellipse(0.0, -0.02, 1.32, 1.3, (190, 225, 245), 0.22)
        h.line(
            [(1.3 * math.cos(a), -0.02 + 1.28 * math.sin(a)) for a in np.linspace(0, math.tau, 24)],
            0.07,
            (225, 232, 240),
        )
        h.line([(-0.9, -0.62), (-0.6, -0.95), (-0.2, -1.12)], 0.09, (255, 255, 255), 0.8)
    if "ribbon" in worn:
        colour = f.lit(worn["ribbon"])
        for side in (-1, 1):
            h.smooth([(-0.5, -0.9), (-0.5 + side * 0.36, -1.14), (-0.5 + side * 0.4, -0.76)], colour)
        h.ellipse(-0.5, -0.92, 0.1, 0.1, darker(colour, 0.25))
    if "flower" in worn:
        colour = f.lit(worn["flower"])
        for angle in range(0, 360, 72):
            a = math.radians(angle)
            h.ellipse(0.66 + 0.15 * math.cos(a), -0.68 + 0.15 * math.sin(a), 0.13, 0.13, colour)
        h.ellipse(0.66, -0.68, 0.09, 0.09, (248, 214, 92))


def _on_face(h: Head) -> None:
    worn, f = h.f.look.accessories, h.f
    shift = 0.42 * h.turn
    if "beard" in worn:
        _beard(h, f.lit(worn["beard"]))
    if "moustache" in worn or "beard" in worn:
        colour = f.lit(worn.get("moustache", worn.get("beard", f.look.hair_colour)))
        h.smooth(
            [
                (shift * 1.3, 0.42),
                (0.2 + shift, 0.4),
                (0.4 + shift, 0.54),
                (0.16 + shift, 0.54),
                (shift * 1.2, 0.5),
                (-0.16 + shift, 0.54),
                (-0.4 + shift, 0.54),
                (-0.2 + shift, 0.4),
            ],
            lighter(colour, 0.1),
        )
    if "freckles" in worn and h.fine:
        for side in (-1, 1):
            for du, dv in ((0, 0), (0.09, 0.05), (-0.08, 0.06)):
                h.ellipse(side * 0.45 + shift + du, 0.34 + dv, 0.026, 0.026, (150, 90, 60), 0.7)
    if "scar" in worn and h.fine:
        h.line([(0.3 + shift, 0.28), (0.5 + shift, 0.6)], 0.04, f.lit(worn["scar"]))
    if "glasses" in worn:
        colour = f.lit(worn["glasses"])
        gap = 0.37 * (1 - 0.35 * h.turn)
        y = (0.17 if f.look.age == "child" else 0.08) + 0.34 * h.tilt
        for side in (-1, 1):
            if side < 0 and h.turn > 0.85:
                continue
            u = side * gap + shift
            ring = [(u + 0.25 * math.cos(a), y + 0.24 * math.sin(a)) for a in np.linspace(0, math.tau, 20)]
            h.ellipse(u, y, 0.24, 0.23, (215, 235, 245), 0.2)
            h.line(ring, 0.05, colour)
        h.line([(-gap + 0.22 + shift, y), (gap - 0.22 + shift, y)], 0.05, colour)
        h.line([(-gap - 0.24 + shift, y - 0.02), (-0.84, y)], 0.045, colour)


def _beard(h: Head, colour: Colour) -> None:
    """Along the jaw and round the mouth, softly grown in: cheeks and lips stay free, or it would be a mask."""
    s = 0.42 * h.turn
    outer = [
        (-0.8, 0.12),
        (-0.8, 0.55),
        (-0.62, 0.92),
        (-0.3 + 0.5 * s, 1.24),
        (0.6 * s, 1.36),
        (0.3 + 0.6 * s, 1.24),
        (0.66, 0.92),
        (0.8, 0.55),
        (0.8, 0.12),
    ]
    skin = h.f.lit(h.f.look.skin)
    for rise, tone, opacity in ((0.09, mix(skin, colour, 0.5), 0.55), (0.0, colour, 1.0)):
        inner = [
            (0.7 + 0.5 * rise, 0.16),
            (0.62, 0.52 - rise),
            (0.44 + 0.6 * s, 0.66 - rise),
            (0.24 + s, 0.76 - rise),
            (1.1 * s, 0.7 - rise),
            (-0.24 + s, 0.76 - rise),
            (-0.44 + 0.6 * s, 0.66 - rise),
            (-0.62, 0.52 - rise),
            (-0.7 - 0.5 * rise, 0.16),
        ]
        h.smooth([*outer, *inner], tone, opacity)
    for u in (-0.42, -0.2, 0.04, 0.26, 0.46):
        h.line([(u + 0.6 * s, 0.86), (u * 0.8 + 0.55 * s, 1.14)], 0.025, darker(colour, 0.25), 0.5)


def _straw_hat(h: Head, colour: Colour) -> None:
    h.ellipse(0.05 * h.turn, -0.58, 1.55, 0.36, darker(colour, 0.18))
    h.ellipse(0.05 * h.turn, -0.63, 1.55, 0.34, colour)
    h.smooth(
        [(-0.78, -0.62), (-0.66, -1.12), (-0.2, -1.4), (0.3, -1.38), (0.68, -1.1), (0.78, -0.62), (0.0, -0.5)],
        lighter(colour, 0.12),
    )
    h.line([(-0.78, -0.7), (0.0, -0.58), (0.78, -0.7)], 0.15, mix(darker(colour, 0.5), (190, 60, 50), 0.55))
    if h.fine:
        for u in (-1.1, -0.6, 0.6, 1.1):
            h.line([(u * 0.7, -0.55), (u * 1.3, -0.62)], 0.02, darker(colour, 0.4), 0.6)


def _hat(h: Head, colour: Colour) -> None:
    h.ellipse(0.05 * h.turn, -0.62, 1.25, 0.25, colour)
    h.smooth(
        [
            (-0.72, -0.66),
            (-0.7, -1.3),
            (-0.3, -1.48),
            (0.05, -1.38),
            (0.4, -1.48),
            (0.72, -1.28),
            (0.74, -0.66),
            (0, -0.56),
        ],
        lighter(colour, 0.06),
    )
    h.line([(-0.74, -0.78), (0.0, -0.68), (0.74, -0.78)], 0.16, darker(colour, 0.5))


def _cap(h: Head, colour: Colour) -> None:
    h.smooth(
        [(-0.9, -0.42), (-0.8, -0.95), (-0.2, -1.26), (0.4, -1.22), (0.86, -0.86), (0.92, -0.42), (0.0, -0.5)], colour
    )
    if not h.f.pose.back:
        u = 0.3 + 0.5 * h.turn
        h.smooth(
            [(u - 0.85, -0.5), (u, -0.62), (u + 0.62, -0.5), (u + 0.8, -0.3), (u + 0.1, -0.28), (u - 0.75, -0.32)],
            darker(colour, 0.25),
        )
    h.ellipse(0.05, -1.24, 0.1, 0.07, darker(colour, 0.25))


def _beanie(h: Head, colour: Colour) -> None:
    h.smooth(
        [(-0.92, -0.4), (-0.86, -0.95), (-0.3, -1.34), (0.3, -1.34), (0.86, -0.95), (0.92, -0.4), (0.0, -0.46)], colour
    )
    h.line([(-0.9, -0.46), (0.0, -0.54), (0.9, -0.46)], 0.26, lighter(colour, 0.2))
    h.ellipse(0.0, -1.42, 0.24, 0.23, lighter(colour, 0.4))
    for u in (-0.5, -0.17, 0.17, 0.5):
        h.line([(u, -0.62), (u * 0.7, -1.2)], 0.03, darker(colour, 0.25), 0.6)


def _crown(h: Head, colour: Colour) -> None:
    h.polygon(
        [
            (-0.7, -0.72),
            (-0.78, -1.4),
            (-0.4, -1.05),
            (0.0, -1.5),
            (0.4, -1.05),
            (0.78, -1.4),
            (0.7, -0.72),
            (0.0, -0.64),
        ],
        colour,
    )
    for u, v in ((-0.45, -0.84), (0.0, -0.82), (0.45, -0.84)):
        h.ellipse(u, v, 0.08, 0.08, (206, 52, 72))
    for u, v in ((-0.78, -1.42), (0.0, -1.52), (0.78, -1.42)):
        h.ellipse(u, v, 0.07, 0.07, lighter(colour, 0.5))


def _helmet(h: Head, colour: Colour) -> None:
    h.smooth(
        [
            (-0.98, 0.2),
            (-1.0, -0.6),
            (-0.4, -1.22),
            (0.4, -1.22),
            (1.0, -0.6),
            (0.98, 0.2),
            (0.72, 0.1),
            (0.7, -0.36),
            (-0.7, -0.36),
            (-0.72, 0.1),
        ],
        colour,
    )
    h.line([(0.0, -1.2), (0.0, -0.4)], 0.12, lighter(colour, 0.4))
    h.line([(-0.7, -0.38), (0.0, -0.42), (0.7, -0.38)], 0.08, darker(colour, 0.35))


_HATS = {"straw_hat": _straw_hat, "hat": _hat, "cap": _cap, "beanie": _beanie, "crown": _crown, "helmet": _helmet}
