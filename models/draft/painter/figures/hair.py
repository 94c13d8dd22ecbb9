"""Hair, behind the body and over the head."""

from models.draft.painter.colour import darker, lighter
from models.draft.painter.figures.frame import Head


def draw_back_hair(h: Head) -> None:
    """What hangs behind the body."""
    look = h.f.look
    if look.species != "human":
        return
    colour = darker(h.f.lit(look.hair_colour), 0.22)
    style = look.hair
    back = -0.3 * h.turn
    if style == "long":
        h.smooth(
            [
                (-0.8 + back, -0.5),
                (0.0, -1.05),
                (0.82 + back, -0.5),
                (0.95 + back, 0.7),
                (0.9 + back, 1.9),
                (0.3 + back, 2.2),
                (-0.3 + back, 2.2),
                (-0.95 + back, 1.9),
                (-0.98 + back, 0.7),
            ],
            colour,
        )
    elif style in {"bob", "curly"}:
        low = 0.95 if style == "bob" else 1.05 if look.gender == "female" else 0.35
        h.smooth(
            [
                (-0.9 + back, -0.4),
                (0.0, -1.05),
                (0.9 + back, -0.4),
                (1.0 + back, 0.5),
                (0.78 + back, low),
                (-0.78 + back, low),
                (-1.0 + back, 0.5),
            ],
            colour,
        )
    elif style == "ponytail":
        u = -0.75 if h.turn > 0.2 else -0.62
        h.smooth(
            [
                (u, -0.75),
                (u - 0.35, -0.4),
                (u - 0.5, 0.5),
                (u - 0.2, 1.5),
                (u + 0.05, 1.2),
                (u + 0.15, 0.4),
                (u + 0.3, -0.4),
            ],
            colour,
        )
    elif style == "twin_tails":
        for side in (-1, 1):
            u = side * 0.86 + back
            h.smooth(
                [
                    (u - side * 0.1, -0.35),
                    (u + side * 0.35, -0.2),
                    (u + side * 0.42, 0.6),
                    (u + side * 0.15, 1.55),
                    (u - side * 0.05, 1.3),
                    (u - side * 0.06, 0.4),
                ],
                colour,
            )
    elif style == "bun":
        h.ellipse(-0.45 * h.turn, -1.1, 0.36, 0.34, colour)


def draw_front_hair(h: Head) -> None:
    look = h.f.look
    if look.species != "human" or look.hair == "bald":
        return
    colour = h.f.lit(look.hair_colour)
    shine = lighter(colour, 0.28)
    style = look.hair
    if h.f.pose.back:
        low = {"short": 0.5, "spiky": 0.5, "bald": 0.0}.get(style, 0.75)
        h.smooth(
            [
                (0, -1.1),
                (0.62, -0.95),
                (0.92, -0.3),
                (0.86, 0.3),
                (0.5, low),
                (-0.5, low),
                (-0.86, 0.3),
                (-0.92, -0.3),
                (-0.62, -0.95),
            ],
            colour,
        )
        if style == "long":
            h.smooth([(-0.86, 0.0), (0.86, 0.0), (0.92, 1.8), (0.3, 2.15), (-0.3, 2.15), (-0.92, 1.8)], colour)
        if style == "ponytail":
            h.smooth([(-0.2, -0.2), (0.2, -0.2), (0.28, 0.8), (0.0, 1.7), (-0.28, 0.8)], darker(colour, 0.2))
        for u in (-0.4, -0.1, 0.25):
            h.line([(u * 0.5, -1.0), (u, -0.3), (u * 1.1, low - 0.1)], 0.04, shine, 0.5)
        return
    back = 0.26 * h.turn
    if style == "spiky":
        tufts = [
            (-0.9, -0.05),
            (-1.12, -0.45),
            (-0.86, -0.6),
            (-0.98, -1.02),
            (-0.55, -0.98),
            (-0.35, -1.38),
            (-0.05, -1.1),
            (0.3, -1.4),
            (0.48, -1.04),
            (0.95, -1.1),
            (0.84, -0.62),
            (1.06, -0.42),
            (0.86, -0.05),
            (0.66, -0.4),
            (0.4, -0.3),
            (0.2, -0.5),
            (-0.06, -0.28),
            (-0.3, -0.52),
            (-0.56, -0.3),
        ]
        h.polygon(tufts, colour)
        h.polygon([(-0.6, -0.75), (-0.2, -1.0), (0.2, -1.02), (-0.1, -0.78)], shine, 0.6)
        return
    fringe = {"short": -0.42, "bob": -0.16, "curly": -0.3}.get(style, -0.26)
    side_low = {"short": -0.02, "bob": 0.72, "long": 0.85, "curly": 0.45, "twin_tails": 0.15}.get(style, 0.1)
    h.smooth(
        [
            (0, -1.14),
            (0.6, -1.0),
            (0.93, -0.5),
            (0.95 - 0.1 * h.turn, 0.0),
            (0.84, min(0.5, side_low)),
            (0.72, -0.12),
            (0.58, fringe - 0.05),
            (0.2 + back, fringe - 0.14),
            (-0.1 + back, fringe - 0.02),
            (-0.42 + back * 0.5, fringe + 0.02),
            (-0.68, -0.06),
            (-0.82, min(0.5, side_low)),
            (-0.98 - 0.06 * h.turn, 0.0),
            (-0.95, -0.5),
            (-0.6, -1.0),
        ],
        colour,
    )
    if h.turn > 0.4:
        h.smooth([(-0.9, -0.6), (-0.3, -0.5), (-0.38, 0.1), (-0.5, 0.55), (-0.86, 0.6), (-1.04, 0.0)], colour)
    if style in {"long", "bob"}:
        for side in (-1, 1):
            low = 1.3 if style == "long" else 0.92
            h.smooth(
                [
                    (side * 0.66, -0.5),
                    (side * 0.92, -0.3),
                    (side * 0.99, 0.4),
                    (side * 0.86, low),
                    (side * 0.68, low * 0.7),
                    (side * 0.72, 0.1),
                ],
                colour,
            )
    if style == "curly":
        for u, v, r in (
            (-0.85, -0.3, 0.3),
            (-0.95, 0.2, 0.28),
            (-0.85, 0.65, 0.26),
            (-0.6, -0.75, 0.32),
            (-0.15, -0.98, 0.34),
            (0.35, -0.95, 0.33),
            (0.72, -0.6, 0.3),
            (0.92, -0.1, 0.28),
            (0.9, 0.4, 0.26),
        ):
            if look.gender != "female" and v > 0:
                continue  # cut short over the ears
            h.ellipse(u, v, r, r, colour)
            h.ellipse(u - 0.07, v - 0.09, r * 0.45, r * 0.4, shine, 0.4)
    h.smooth([(-0.62, -0.7), (-0.2, -0.95), (0.35, -0.92), (0.62, -0.68), (0.3, -0.76), (-0.2, -0.78)], shine, 0.55)
    if style == "twin_tails":
        for side in (-1, 1):
            h.ellipse(side * 0.88, -0.3, 0.13, 0.13, h.f.lit((216, 65, 80)))
