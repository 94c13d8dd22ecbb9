"""Heads that are not human: animals that act as people, and robots."""

import math

from models.draft.painter.colour import Colour, darker, lighter, mix
from models.draft.painter.figures.face import draw_eye, draw_mouth
from models.draft.painter.figures.frame import Head


def draw_animal(h: Head, fur: Colour) -> None:
    species = h.f.look.species
    pale = lighter(fur, 0.6)
    inner = mix(pale, (235, 140, 140), 0.55)
    dark = darker(fur, 0.25)
    if species in {"cat", "fox", "wolf"}:
        for side in (-1, 1):
            h.polygon([(side * 0.22, -0.78), (side * 0.9, -0.35), (side * 0.82, -1.4)], fur)
            h.polygon([(side * 0.4, -0.8), (side * 0.76, -0.55), (side * 0.74, -1.15)], inner)
    elif species == "rabbit":
        for side in (-1, 1):
            h.ellipse(side * 0.36, -1.45, 0.2, 0.72, fur, tilt=side * 9)
            h.ellipse(side * 0.36, -1.42, 0.1, 0.54, inner, tilt=side * 9)
    elif species in {"bear", "panda", "tiger", "lion", "mouse", "pig"}:
        if species == "lion":
            for index in range(14):
                a = index / 14 * math.tau
                h.ellipse(1.05 * math.cos(a), 1.0 * math.sin(a), 0.42, 0.42, mix(dark, (120, 66, 30), 0.6))
        if species == "panda":
            dark = inner = (44.0, 42.0, 46.0)
        large = 1.7 if species == "mouse" else 1.0
        for side in (-1, 1):
            if species == "pig":
                h.polygon([(side * 0.3, -0.82), (side * 0.85, -0.5), (side * 0.95, -1.15)], dark)
                continue
            h.ellipse(side * 0.68, -0.78, 0.32 * large, 0.32 * large, dark)
            h.ellipse(side * 0.68, -0.76, 0.18 * large, 0.18 * large, inner)
    h.smooth(
        [
            (0, -0.95),
            (0.66, -0.78),
            (0.98, -0.1),
            (0.86, 0.5),
            (0.4, 0.92),
            (-0.4, 0.92),
            (-0.86, 0.5),
            (-0.98, -0.1),
            (-0.66, -0.78),
        ],
        fur,
    )
    if species == "dog":
        for side in (-1, 1):
            h.smooth(
                [(side * 0.5, -0.82), (side * 0.95, -0.72), (side * 1.2, 0.1), (side * 1.0, 0.5), (side * 0.76, 0.1)],
                dark,
            )
    if h.f.pose.back:
        return
    shift = 0.36 * h.turn
    if species == "panda":
        for side in (-1, 1):
            h.ellipse(side * 0.42 + shift * 0.8, -0.02, 0.27, 0.34, dark, tilt=side * 24)
    if species == "tiger":
        for side in (-1, 1):
            for v in (-0.5, -0.1, 0.3):
                h.polygon([(side * 0.97, v - 0.1), (side * 0.97, v + 0.1), (side * 0.6, v)], (46, 34, 30))
        for u in (-0.18, 0.0, 0.18):
            h.line([(u, -0.9), (u * 0.8, -0.62)], 0.08, (46, 34, 30))
    h.ellipse(shift, 0.46, 0.5 if species != "fox" else 0.42, 0.38, pale)
    for side in (-1, 1):
        draw_eye(h, side * 0.4 + shift * 0.8, -0.06, 1.05, True)
        if species in {"cat", "rabbit", "fox"} and h.fine:
            for dy in (0.0, 0.13):
                h.line(
                    [(side * 0.3 + shift, 0.42 + dy), (side * 1.05 + shift, 0.36 + dy * 2)],
                    0.02,
                    darker(fur, 0.55),
                    0.7,
                )
    if species == "pig":
        h.ellipse(shift, 0.36, 0.3, 0.22, darker(fur, 0.12))
        for side in (-1, 1):
            h.ellipse(shift + side * 0.11, 0.36, 0.05, 0.09, darker(fur, 0.5))
        draw_mouth(h, shift, 0.68, fur)
        return
    h.smooth([(shift - 0.14, 0.24), (shift + 0.14, 0.24), (shift, 0.4)], (58, 40, 44))
    draw_mouth(h, shift, 0.58, fur)


def draw_robot(h: Head, metal: Colour) -> None:
    dark = darker(metal, 0.5)
    h.line([(0, -0.9), (0.0, -1.35)], 0.08, dark)
    h.ellipse(0.0, -1.4, 0.14, 0.14, (255, 120, 80))
    for side in (-1, 1):
        h.ellipse(side * 0.98, 0.0, 0.16, 0.3, dark)
    x, y = h.at(0, 0)
    h.canvas.rect(x - 0.95 * h.r, y - 0.9 * h.r, 1.9 * h.r, 1.78 * h.r, metal, 1.0, 0.4 * h.r)
    h.canvas.rect(x - 0.8 * h.r, y - 0.78 * h.r, 0.5 * h.r, 0.3 * h.r, lighter(metal, 0.5), 0.6, 0.14 * h.r)
    if h.f.pose.back:
        return
    shift = 0.3 * h.turn * h.f.facing * h.r
    h.canvas.rect(x - 0.72 * h.r + shift, y - 0.38 * h.r, 1.44 * h.r, 0.74 * h.r, (26, 32, 44), 1.0, 0.3 * h.r)
    glow = {"angry": (255, 96, 80), "sad": (110, 150, 255), "happy": (120, 255, 180)}.get(h.f.emotion, (110, 225, 255))
    u = 0.3 * h.turn
    for side in (-1, 1):
        if h.f.emotion == "happy":
            h.line(
                [(side * 0.34 + u - 0.16, 0.08), (side * 0.34 + u, -0.12), (side * 0.34 + u + 0.16, 0.08)], 0.1, glow
            )
        else:
            h.ellipse(side * 0.34 + u, 0.0, 0.15, 0.07 if h.f.emotion in {"calm", "angry"} else 0.19, glow)
    h.line([(-0.22 + u, 0.6), (0.0 + u, 0.66 if h.f.emotion != "sad" else 0.54), (0.22 + u, 0.6)], 0.06, dark)
