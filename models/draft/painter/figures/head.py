"""Neck and head."""

from models.draft.painter.colour import darker
from models.draft.painter.figures.creatures import draw_animal, draw_robot
from models.draft.painter.figures.face import draw_face
from models.draft.painter.figures.frame import Head


def draw_neck(h: Head) -> None:
    skin = darker(h.f.lit(h.f.look.skin), 0.16)
    h.polygon([(-0.27, 0.6), (0.25, 0.6), (0.29, 1.26), (-0.31, 1.26)], skin)


def draw_head(h: Head) -> None:
    look = h.f.look
    skin = h.f.lit(look.skin)
    if look.species == "robot":
        draw_robot(h, skin)
        return
    if look.species != "human":
        draw_animal(h, skin)
        return
    jaw = 0.0 if h.f.pose.back else 0.14 * h.turn
    if not h.f.pose.back:
        for side in (-1, 1):
            if side > 0 and h.turn > 0.45:
                continue
            # The far ear goes behind the head, the near one stays at its edge.
            h.ellipse(side * 0.82 - (0.5 if side > 0 else 0.06) * h.turn, 0.14, 0.15, 0.2, darker(skin, 0.1))
    wide = 0.84 if look.age == "child" else 0.8
    h.smooth(
        [
            (0, -0.98),
            (0.52, -0.84),
            (wide, -0.3),
            (wide - 0.04, 0.2),
            (0.56 + jaw, 0.66),
            (0.2 + jaw, 0.97),
            (-0.14 + jaw, 0.97),
            (-0.54 + jaw, 0.66),
            (-wide + 0.04, 0.2),
            (-wide, -0.3),
            (-0.52, -0.84),
        ],
        skin,
    )
    if h.f.pose.back:
        return
    h.smooth(
        [(-0.5, 0.62), (-0.2, 0.9), (0.2, 0.93), (0.6, 0.62), (0.76, 0.1), (0.5, 0.5), (0.2, 0.76), (-0.2, 0.76)],
        darker(skin, 0.22),
        0.3,
    )
    draw_face(h, skin)
