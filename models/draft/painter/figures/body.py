"""Body and clothes."""

from dataclasses import dataclass

from models.draft.painter.colour import Colour, darker, lighter, mix, rgb
from models.draft.painter.figures.frame import Frame
from models.draft.painter.figures.poses import Point

_BARE_ARMS = {"tshirt", "dress", "overalls"}
_LONG = {"coat": 0.5, "robe": 0.94, "dress": 0.66}


def draw_back_arm(f: Frame) -> None:
    _arm(f, 0 if f.pose.turn >= 0 else 1, behind=True)


def draw_front_arm(f: Frame) -> None:
    _arm(f, 1 if f.pose.turn >= 0 else 0, behind=False)


def hand_at(f: Frame, index: int = 1) -> Point:
    """The end of an arm, in the figure's coordinates."""
    (_, end) = f.pose.arms[index]
    return _joint(f, end)


def _joint(f: Frame, point: Point) -> Point:
    return point[0] * f.look.build * 0.92, point[1] * f.stretch + f.pose.drop


def _arm(f: Frame, index: int, *, behind: bool) -> None:
    look = f.look
    side = -1 if index == 0 else 1
    elbow, hand = (_joint(f, point) for point in f.pose.arms[index])
    shoulder = (side * 0.087 * f.width + f.pose.lean * 0.8, f.shoulder + 0.036)
    skin = f.lit(look.skin)
    sleeve = f.lit(look.top_colour if look.top != "overalls" else look.inner_colour)
    if behind:
        skin, sleeve = darker(skin, 0.14), darker(sleeve, 0.16)
    thick = 0.054 * look.build
    middle = ((elbow[0] + shoulder[0]) / 2, (elbow[1] + shoulder[1]) / 2)
    if look.top in _BARE_ARMS:
        f.limb([shoulder, elbow, hand], (thick * 0.82, thick * 0.6), skin)
        f.limb([shoulder, middle], (thick * 1.28, thick * 1.2), sleeve)
    else:
        wrist = (elbow[0] + (hand[0] - elbow[0]) * 0.9, elbow[1] + (hand[1] - elbow[1]) * 0.9)
        f.limb([elbow, hand], (thick * 0.6, thick * 0.6), skin)
        wide = {"robe": 2.4, "coat": 1.15, "sweater": 1.1, "spacesuit": 1.35, "armor": 1.1}.get(look.top, 0.95)
        f.limb([shoulder, elbow, wrist], (thick * 1.25, thick * wide), sleeve)
        f.limb([wrist, wrist], (thick * wide * 0.9, thick * wide * 0.9), darker(sleeve, 0.12))
    f.ellipse(hand[0], hand[1], thick * 0.46, thick * 0.46, skin)


@dataclass(frozen=True)
class Legwear:
    """What legs wear: ``covered`` to the feet, ``short`` to the knees; ``gown``: it hangs from the shoulders."""

    cloth: Colour
    covered: bool
    short: bool
    gown: bool


def legwear(f: Frame) -> Legwear:
    look = f.look
    full, gown = look.top in {"armor", "spacesuit"}, look.top in {"dress", "robe"}
    cloth = f.lit(look.top_colour if full or look.top == "overalls" else look.bottom_colour)
    if look.top == "suit":
        cloth = darker(f.lit(look.top_colour), 0.08)
    covered = (look.bottom == "pants" and not gown) or full or look.top in {"suit", "overalls"}
    short = look.bottom == "shorts" and look.top not in {"dress", "robe", "suit"} and not full
    return Legwear(cloth, covered, short, gown)


def draw_legs(f: Frame) -> None:
    look = f.look
    skin, wear = f.lit(look.skin), legwear(f)
    cloth = wear.cloth
    thick = 0.082 * look.build
    for index in (0, 1):
        side = -1 if index == 0 else 1
        hip = (side * 0.045 * f.width, f.hip)
        knee, foot = f.pose.legs[index]
        knee = (knee[0] * look.build, knee[1] * f.stretch + f.pose.drop * (0.55 if f.pose.drop > 0 else 1))
        foot = (foot[0] * look.build, foot[1] + (f.pose.drop if f.pose.drop < 0 else max(0.0, f.pose.drop)))
        tone, flesh = (darker(cloth, 0.14), darker(skin, 0.12)) if index == 0 else (cloth, skin)
        if wear.covered:
            f.limb([hip, knee, foot], (thick * 1.15, thick * 0.78), tone)
        else:
            f.limb([hip, knee, foot], (thick * 0.9, thick * 0.5), flesh)
            if wear.short:
                f.limb([hip, knee], (thick * 1.25, thick * 1.1), tone)
        draw_shoe(f, foot)


def draw_shoe(f: Frame, foot: Point) -> None:
    toe = 0.028 + 0.03 * min(1.0, f.pose.turn)
    f.smooth(
        [
            (foot[0] - 0.03, foot[1] + 0.02),
            (foot[0] - 0.028, foot[1] - 0.022),
            (foot[0] + 0.02, foot[1] - 0.024),
            (foot[0] + toe + 0.012, foot[1] + 0.004),
            (foot[0] + toe, foot[1] + 0.02),
        ],
        f.lit(f.look.shoes_colour),
    )


def draw_torso(f: Frame) -> None:
    look, lean = f.look, f.pose.lean
    colour = f.lit(look.top_colour)
    w, top, hip = f.width, f.shoulder, f.hip
    shoulder, waist = 0.108 * w, (0.08 if look.gender == "female" else 0.093) * w
    middle = (top + hip) / 2
    body = colour if look.top != "overalls" else f.lit(look.inner_colour)
    f.smooth(
        [
            (-0.035 * w + lean, top - 0.008),
            (-shoulder + lean, top + 0.02),
            (-shoulder * 0.93 + lean, top + 0.08),
            (-waist, middle),
            (-0.1 * w, hip + 0.03),
            (0.0, hip + 0.045),
            (0.1 * w, hip + 0.03),
            (waist, middle),
            (shoulder * 0.93 + lean, top + 0.08),
            (shoulder + lean, top + 0.02),
            (0.035 * w + lean, top - 0.008),
        ],
        body,
    )
    f.polygon(
        [
            (waist * 0.45, middle - 0.12),
            (shoulder * 0.85 + lean, top + 0.1),
            (waist * 0.95, middle),
            (0.095 * w, hip + 0.03),
            (0.04, hip + 0.03),
        ],
        darker(body, 0.4),
        0.28,
    )
    bottom = f.lit(look.bottom_colour)
    skirted = look.bottom == "skirt" and look.top not in {"dress", "robe", "overalls", "armor", "spacesuit"}
    if f.pose.seated and (skirted or look.top == "dress"):
        pass  # it lies over the lap
    elif skirted:
        _skirt(f, hip - 0.015, 0.24, 0.185, bottom)
    elif look.top in _LONG:
        _long(f, colour)
    elif look.top not in {"overalls", "armor", "spacesuit"}:
        belt = darker(bottom, 0.3)
        f.smooth(
            [
                (-0.098 * w, hip),
                (0.0, hip + 0.012),
                (0.098 * w, hip),
                (0.1 * w, hip + 0.045),
                (0.0, hip + 0.062),
                (-0.1 * w, hip + 0.045),
            ],
            bottom,
        )
        f.line([(-0.096 * w, hip + 0.004), (0.0, hip + 0.015), (0.096 * w, hip + 0.004)], 0.012, belt)
    _DETAILS.get(look.top, _plain)(f, colour)


def _skirt(f: Frame, top: float, length: float, flare: float, colour: Colour) -> None:
    length *= f.stretch
    w = f.width
    f.smooth(
        [
            (-0.086 * w, top),
            (0.086 * w, top),
            (flare * 0.8 * w, top + length * 0.6),
            (flare * w, top + length),
            (0.0, top + length * 1.06),
            (-flare * w, top + length),
            (-flare * 0.8 * w, top + length * 0.6),
        ],
        colour,
    )
    for share in (-0.5, -0.1, 0.35):
        f.line(
            [(share * 0.12 * w, top + length * 0.15), (share * flare * 1.3 * w, top + length * 0.97)],
            0.006,
            darker(colour, 0.32),
            0.7,
        )
    f.line(
        [(-flare * w, top + length), (0.0, top + length * 1.05), (flare * w, top + length)],
        0.01,
        lighter(colour, 0.35),
        0.7,
    )


def _long(f: Frame, colour: Colour) -> None:
    kind, hip, w = f.look.top, f.hip, f.width
    if kind == "dress":
        _skirt(f, hip - 0.06, 0.34, 0.2, colour)
        f.line([(-0.084 * w, hip - 0.055), (0.0, hip - 0.045), (0.084 * w, hip - 0.055)], 0.018, darker(colour, 0.35))
        return
    length = (0.28 if kind == "coat" else 0.45) * f.stretch * (0.6 if f.pose.drop > 0 else 1.0)
    flare = 0.135 if kind == "coat" else 0.175
    f.smooth(
        [
            (-0.098 * w, hip - 0.06),
            (0.098 * w, hip - 0.06),
            (flare * 0.9 * w, hip + length * 0.6),
            (flare * w, hip + length),
            (0.0, hip + length * 1.02),
            (-flare * w, hip + length),
            (-flare * 0.9 * w, hip + length * 0.6),
        ],
        colour,
    )
    f.polygon(
        [(0.02, hip - 0.05), (0.09 * w, hip - 0.05), (flare * w, hip + length), (0.05, hip + length)],
        darker(colour, 0.4),
        0.25,
    )


def _collar(f: Frame, depth: float, colour: Colour, skin_shows: bool = True) -> None:
    lean, top = f.pose.lean, f.shoulder
    if f.pose.back:
        return
    if skin_shows:
        f.polygon([(-0.036 + lean, top - 0.014), (0.036 + lean, top - 0.014), (lean, top + depth)], f.lit(f.look.skin))
    f.line([(-0.04 + lean, top - 0.012), (lean, top + depth), (0.04 + lean, top - 0.012)], 0.014, colour)


def _plain(f: Frame, colour: Colour) -> None:
    _collar(f, 0.03, darker(colour, 0.25))


def _shirt(f: Frame, colour: Colour) -> None:
    _collar(f, 0.045, lighter(colour, 0.3))
    if not f.pose.back:
        f.line([(f.pose.lean, f.shoulder + 0.05), (0.0, f.hip)], 0.005, darker(colour, 0.4))
        for share in (0.3, 0.55, 0.8):
            f.ellipse(0.0, f.shoulder + (f.hip - f.shoulder) * share, 0.006, 0.006, darker(colour, 0.55))


def _sweater(f: Frame, colour: Colour) -> None:
    f.ellipse(f.pose.lean, f.shoulder + 0.006, 0.05, 0.02, darker(colour, 0.22))
    for share in (0.35, 0.5):
        v = f.shoulder + (f.hip - f.shoulder) * share
        f.line([(-0.088 * f.width, v), (0.0, v + 0.01), (0.088 * f.width, v)], 0.014, lighter(colour, 0.4), 0.75)
    f.line(
        [(-0.096 * f.width, f.hip + 0.015), (0.0, f.hip + 0.028), (0.096 * f.width, f.hip + 0.015)],
        0.022,
        darker(colour, 0.22),
    )


def _open_front(f: Frame, colour: Colour) -> None:
    if f.pose.back:
        return
    inner = f.lit(f.look.inner_colour)
    lean, top, hip = f.pose.lean, f.shoulder, f.hip
    f.polygon(
        [(-0.034 + lean, top - 0.012), (0.034 + lean, top - 0.012), (0.028, hip + 0.01), (-0.028, hip + 0.01)], inner
    )
    f.polygon([(-0.03 + lean, top - 0.014), (0.03 + lean, top - 0.014), (lean, top + 0.03)], f.lit(f.look.skin))
    for side in (-1, 1):
        f.polygon(
            [
                (side * 0.032 + lean, top - 0.018),
                (side * 0.075 + lean, top + 0.03),
                (side * 0.03, top + 0.13),
                (side * 0.018, top + 0.1),
            ],
            lighter(colour, 0.14),
        )
        f.line([(side * 0.03, top + 0.1), (side * 0.03, hip + 0.03)], 0.006, darker(colour, 0.4))


def _coat(f: Frame, colour: Colour) -> None:
    _open_front(f, colour)
    if f.pose.back:
        return
    length = 0.27 * f.stretch * (0.6 if f.pose.drop > 0 else 1.0)
    f.line([(0.0, f.hip + 0.02), (0.004, f.hip + length)], 0.007, darker(colour, 0.45))
    f.line(
        [(-0.096 * f.width, f.hip - 0.05), (0.0, f.hip - 0.04), (0.096 * f.width, f.hip - 0.05)],
        0.02,
        darker(colour, 0.35),
    )
    for share in (0.0, 0.05):
        f.ellipse(-0.035, f.hip + 0.02 + share * 1.6, 0.007, 0.007, darker(colour, 0.55))


def _suit(f: Frame, colour: Colour) -> None:
    _open_front(f, colour)
    if not f.pose.back:
        tie = f.lit(f.look.accessories.get("tie", (138.0, 47.0, 58.0)))
        f.polygon(
            [
                (-0.011, f.shoulder + 0.03),
                (0.011, f.shoulder + 0.03),
                (0.016, f.shoulder + 0.15),
                (0.0, f.shoulder + 0.17),
                (-0.016, f.shoulder + 0.15),
            ],
            tie,
        )


def _robe(f: Frame, colour: Colour) -> None:
    trim = f.lit(f.look.inner_colour)
    lean, top, w = f.pose.lean, f.shoulder, f.width
    if not f.pose.back:
        f.polygon([(-0.034 + lean, top - 0.014), (0.034 + lean, top - 0.014), (lean, top + 0.05)], f.lit(f.look.skin))
        f.line([(-0.045 + lean, top - 0.012), (0.02, top + 0.09), (0.075 * w, f.hip - 0.06)], 0.02, trim)
        f.line([(0.045 + lean, top - 0.012), (-0.005, top + 0.06), (-0.06 * w, f.hip - 0.06)], 0.02, trim)
        f.line([(0.03, f.hip - 0.02), (0.045, f.hip + 0.3 * f.stretch)], 0.012, trim)
    sash = darker(mix(colour, trim, 0.15), 0.42)
    f.smooth(
        [
            (-0.092 * w, f.hip - 0.075),
            (0.092 * w, f.hip - 0.075),
            (0.096 * w, f.hip - 0.025),
            (-0.096 * w, f.hip - 0.025),
        ],
        sash,
    )


def _armor(f: Frame, colour: Colour) -> None:
    shine = lighter(colour, 0.45)
    for side in (-1, 1):
        f.ellipse(side * 0.112 * f.width + f.pose.lean, f.shoulder + 0.03, 0.042, 0.034, shine)
    f.line([(0.0, f.shoulder + 0.02), (0.0, f.hip)], 0.006, darker(colour, 0.4))
    for share in (0.45, 0.65, 0.85):
        v = f.shoulder + (f.hip - f.shoulder) * share
        f.line([(-0.085 * f.width, v), (0.0, v + 0.015), (0.085 * f.width, v)], 0.006, darker(colour, 0.4))
    f.line([(-0.05, f.shoulder + 0.05), (-0.055, f.hip - 0.04)], 0.012, shine, 0.8)


def _spacesuit(f: Frame, colour: Colour) -> None:
    f.ellipse(f.pose.lean, f.shoulder - 0.004, 0.07, 0.026, darker(colour, 0.3))
    f.polygon(
        [(-0.05, f.shoulder + 0.09), (0.05, f.shoulder + 0.09), (0.05, f.shoulder + 0.17), (-0.05, f.shoulder + 0.17)],
        darker(colour, 0.45),
    )
    for index, code in enumerate(("#ff6b5a", "#7cff8e", "#4fd6ff")):
        f.ellipse(-0.028 + 0.028 * index, f.shoulder + 0.13, 0.009, 0.009, rgb(code))


def _overalls(f: Frame, colour: Colour) -> None:
    w, top, hip = f.width, f.shoulder, f.hip
    f.smooth(
        [
            (-0.1 * w, hip - 0.03),
            (-0.062 * w, hip - 0.05),
            (-0.06 * w, top + 0.1),
            (0.06 * w, top + 0.1),
            (0.062 * w, hip - 0.05),
            (0.1 * w, hip - 0.03),
            (0.1 * w, hip + 0.05),
            (0.0, hip + 0.07),
            (-0.1 * w, hip + 0.05),
        ],
        colour,
    )
    for side in (-1, 1):
        f.line([(side * 0.055 * w, top + 0.11), (side * 0.07 * w + f.pose.lean, top + 0.005)], 0.02, colour)
        f.ellipse(side * 0.053 * w, top + 0.115, 0.009, 0.009, (232, 200, 100))
    f.polygon(
        [(-0.035, top + 0.15), (0.035, top + 0.15), (0.035, top + 0.2), (-0.035, top + 0.2)], darker(colour, 0.25)
    )


_DETAILS = {
    "shirt": _shirt,
    "tshirt": _plain,
    "dress": _plain,
    "sweater": _sweater,
    "jacket": _open_front,
    "coat": _coat,
    "suit": _suit,
    "robe": _robe,
    "armor": _armor,
    "spacesuit": _spacesuit,
    "overalls": _overalls,
}
