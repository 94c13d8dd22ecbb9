"""The lower half of who sits, seen from in front: a lap, shins, feet on the ground."""

from models.draft.painter.colour import darker, lighter
from models.draft.painter.figures.body import draw_shoe, legwear
from models.draft.painter.figures.frame import Frame

_KNEE, _FEET = 0.03, -0.02  # the knees below the hips, the feet above the ground
LAP = 0.09
"""How far the lap reaches below the hips."""


def draw_lap(f: Frame) -> None:
    """Thighs that point at us are one broad shape; drawn like standing legs they would be bones."""
    wear = legwear(f)
    skin, hip, wide = f.lit(f.look.skin), f.hip, f.look.build
    shin = wear.cloth if wear.covered else skin
    thick = 0.082 * wide
    for side in (-1, 1):
        knee, foot = (side * 0.1 * wide, hip + _KNEE), (side * 0.092 * wide, _FEET)
        tone = darker(shin, 0.2 if side < 0 else 0.1)
        f.limb([knee, foot], (thick * (1.0 if wear.covered else 0.7), thick * (0.85 if wear.covered else 0.5)), tone)
        draw_shoe(f, foot)
    whole = wear.gown or f.look.bottom == "skirt"
    lap = f.lit(f.look.top_colour) if wear.gown else wear.cloth
    fork = hip + LAP if whole else hip + 0.055
    right = [(0.1 * f.width, hip - 0.03), (0.135 * wide, hip), (0.162 * wide, hip + 0.045), (0.12 * wide, hip + LAP)]
    left = [(-u, v) for u, v in reversed(right)]
    f.smooth([*right, (0.045, hip + LAP * 0.9), (0.0, fork), (-0.045, hip + LAP * 0.9), *left], lap)
    for side in (-1, 1):
        f.ellipse(side * 0.105 * wide, hip + _KNEE, 0.044, 0.034, lighter(lap, 0.18), 0.45)
    if whole:
        f.line([(-0.12 * wide, hip + LAP), (0.0, hip + LAP * 1.1), (0.12 * wide, hip + LAP)], 0.008, darker(lap, 0.3))
    else:
        f.line([(0.0, hip - 0.005), (0.0, fork)], 0.009, darker(lap, 0.35))
