"""Faces: eyes, brows, nose and mouth as the emotion has them."""

from models.draft.painter.colour import Colour, darker, lighter, mix
from models.draft.painter.figures.frame import Head


def draw_face(h: Head, skin: Colour) -> None:
    look, emotion = h.f.look, h.f.emotion
    shift, lift = 0.42 * h.turn, 0.34 * h.tilt
    child = look.age == "child"
    eye_y = (0.17 if child else 0.08) + lift
    gap = 0.37 * (1 - 0.35 * h.turn)
    eyes = [(-gap + shift, 1.0), (gap + shift, 1.0 - 0.25 * h.turn)]
    if h.turn > 0.85:
        eyes = [(0.34, 0.9)]
    blush = mix(skin, (232, 96, 92), 0.55)
    if emotion in {"happy", "angry", "excited"} or child or look.gender == "female":
        for u, _ in eyes:
            h.ellipse(u * 1.28, eye_y + 0.34, 0.19, 0.1, blush, 0.5 if emotion == "happy" else 0.3)
    for u, scale in eyes:
        draw_eye(h, u, eye_y, scale, child)
    brow = darker(h.f.lit(look.hair_colour), 0.25) if look.age != "elder" else h.f.lit((196, 192, 188))
    for side, (u, _) in zip((-1, 1) if len(eyes) == 2 else (1,), eyes, strict=True):
        _brow(h, u, eye_y - 0.3, side, brow)
    nose = darker(skin, 0.3)
    nu = shift * 1.45 + (0.34 if h.turn > 0.85 else 0.0)
    if h.turn > 0.85:
        h.smooth([(0.74, 0.02 + lift), (1.02, 0.34 + lift), (0.8, 0.42 + lift), (0.68, 0.2 + lift)], skin)
    elif h.fine:
        h.line([(nu - 0.02, eye_y + 0.14), (nu + 0.07, eye_y + 0.33), (nu - 0.05, eye_y + 0.36)], 0.045, nose, 0.8)
    else:
        h.ellipse(nu + 0.02, eye_y + 0.3, 0.07, 0.05, nose, 0.7)
    draw_mouth(h, shift * 1.25 + (0.22 if h.turn > 0.85 else 0.0), 0.56 + lift * 0.8, skin)
    if look.age == "elder" and h.fine:
        for u, _ in eyes:
            h.line(
                [(u - 0.16, eye_y + 0.22), (u, eye_y + 0.27), (u + 0.16, eye_y + 0.22)], 0.025, darker(skin, 0.3), 0.7
            )
        for side in (-1, 1):
            h.line([(side * 0.3 + shift, 0.42), (side * 0.38 + shift, 0.62)], 0.03, darker(skin, 0.3), 0.6)
        h.line([(-0.3 + shift, -0.32), (0.3 + shift, -0.32)], 0.025, darker(skin, 0.25), 0.5)


def draw_eye(h: Head, u: float, v: float, scale: float, child: bool) -> None:
    look, emotion = h.f.look, h.f.emotion
    ink = (38.0, 28.0, 34.0)
    w = (0.17 if child else 0.155) * scale
    tall = (0.2 if child else 0.165) * {"surprised": 1.3, "fearful": 1.2, "angry": 0.8, "sad": 0.85}.get(emotion, 1.0)
    if emotion == "calm":
        h.line([(u - w, v + 0.02), (u, v + 0.09), (u + w, v + 0.02)], 0.06, ink)
        return
    if not h.fine:
        h.ellipse(u, v, max(0.09, w * 0.62), tall * 0.72, ink)
        h.ellipse(u - 0.03, v - 0.05, 0.03, 0.035, (255, 255, 255))
        return
    h.ellipse(u, v, w, tall, (250, 248, 246))
    iris, look_to = h.f.lit(look.eyes), 0.05 * h.turn
    h.ellipse(u + look_to, v + 0.015 + 0.4 * h.tilt * tall, w * 0.68, min(tall * 0.86, w * 0.98), darker(iris, 0.25))
    h.ellipse(u + look_to, v + 0.05 + 0.4 * h.tilt * tall, w * 0.5, w * 0.6, lighter(iris, 0.25))
    h.ellipse(u + look_to, v + 0.015 + 0.4 * h.tilt * tall, w * 0.34, w * 0.42, ink)
    h.ellipse(u + look_to - 0.045, v - 0.055, w * 0.24, w * 0.26, (255, 255, 255))
    h.ellipse(u + look_to + 0.05, v + 0.07, w * 0.12, w * 0.13, (255, 255, 255), 0.8)
    lash = 0.06 if look.gender == "female" else 0.045
    h.line(
        [
            (u - w * 1.08, v - tall * 0.35),
            (u - w * 0.3, v - tall * 0.98),
            (u + w * 0.5, v - tall * 0.9),
            (u + w * 1.08, v - tall * 0.3),
        ],
        lash,
        ink,
    )
    if look.gender == "female":
        side = 1 if u > 0 else -1
        h.line([(u + side * w, v - tall * 0.4), (u + side * w * 1.35, v - tall * 0.75)], 0.04, ink)
    if emotion == "happy":
        h.line([(u - w, v + tall * 0.85), (u, v + tall * 0.68), (u + w, v + tall * 0.85)], 0.05, h.f.lit(look.skin))
    if emotion == "sad":
        h.smooth(
            [
                (u + w * 0.5, v + tall * 0.8),
                (u + w * 0.85, v + tall * 2.1),
                (u + w * 0.5, v + tall * 2.5),
                (u + w * 0.15, v + tall * 2.1),
            ],
            (150, 205, 240),
            0.9,
        )


def _brow(h: Head, u: float, v: float, side: int, colour: Colour) -> None:
    """``side``: -1 the left one, 1 the right one; the inner end is towards the nose."""
    emotion = h.f.emotion
    inner, outer = {
        "angry": (0.13, -0.05),
        "sad": (-0.13, 0.05),
        "fearful": (-0.13, 0.03),
        "surprised": (-0.1, -0.1),
        "excited": (-0.07, -0.05),
        "happy": (-0.04, 0.01),
    }.get(emotion, (0.0, 0.0))
    a, b = (u - side * 0.17, v + inner), (u + side * 0.19, v + outer)
    h.line(
        [a, ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2 - 0.05), b], 0.075 if h.f.look.gender != "female" else 0.055, colour
    )


def draw_mouth(h: Head, u: float, v: float, skin: Colour) -> None:
    emotion = h.f.emotion
    lip = mix(darker(skin, 0.4), (186, 52, 62), 0.55 if h.f.look.gender == "female" else 0.3)
    inside = (122.0, 38.0, 44.0)
    w = 0.25 * (1 - 0.3 * h.turn)
    if emotion in {"happy", "excited"}:
        h.smooth(
            [
                (u - w, v - 0.05),
                (u, v - 0.01),
                (u + w, v - 0.05),
                (u + w * 0.6, v + 0.14),
                (u, v + 0.2),
                (u - w * 0.6, v + 0.14),
            ],
            inside,
        )
        h.smooth([(u - w * 0.8, v - 0.03), (u, v + 0.005), (u + w * 0.8, v - 0.03), (u, v + 0.06)], (250, 248, 244))
        h.ellipse(u, v + 0.145, w * 0.42, 0.045, (222, 98, 98))
    elif emotion in {"surprised", "fearful"}:
        h.ellipse(u, v + 0.06, 0.1, 0.15 if emotion == "surprised" else 0.09, inside)
    elif emotion == "sad":
        h.line([(u - w * 0.7, v + 0.09), (u, v), (u + w * 0.7, v + 0.09)], 0.055, lip)
    elif emotion == "angry":
        h.smooth(
            [
                (u - w * 0.8, v + 0.08),
                (u, v - 0.03),
                (u + w * 0.8, v + 0.08),
                (u + w * 0.5, v + 0.14),
                (u - w * 0.5, v + 0.14),
            ],
            inside,
        )
        h.line([(u - w * 0.6, v + 0.065), (u + w * 0.6, v + 0.065)], 0.035, (248, 246, 240))
    else:
        h.line([(u - w * 0.7, v), (u, v + 0.055), (u + w * 0.7, v)], 0.055, lip)
    if h.f.look.gender == "female" and h.fine and emotion in {"neutral", "calm"}:
        h.line([(u - w * 0.3, v + 0.1), (u + w * 0.3, v + 0.1)], 0.05, lip, 0.45)
