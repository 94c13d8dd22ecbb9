"""Poses: where the joints of a figure are, in its own heights, the feet's middle at (0, 0), up is negative.

A figure looks to the right by ``turn`` (0 to the viewer, 1 full profile); the drawing mirrors it for the left.
"""

from dataclasses import dataclass, replace

Point = tuple[float, float]


@dataclass(frozen=True)
class Pose:
    """``arms`` and ``legs``: for each, the middle joint and the end. Arms start at the shoulders, legs at the hips.
    ``lean`` moves the head against the hips; ``drop`` lowers the whole body (sitting, kneeling).
    ``seated``: on something, so that it has a lap."""

    arms: tuple[tuple[Point, Point], tuple[Point, Point]]
    legs: tuple[tuple[Point, Point], tuple[Point, Point]]
    turn: float = 0.0
    lean: float = 0.0
    drop: float = 0.0
    tilt: float = 0.0
    back: bool = False
    seated: bool = False


_ARM_LEFT: tuple[Point, Point] = ((-0.155, -0.6), (-0.16, -0.44))
_ARM_RIGHT: tuple[Point, Point] = ((0.155, -0.6), (0.16, -0.44))
_LEGS: tuple[tuple[Point, Point], tuple[Point, Point]] = (
    ((-0.055, -0.25), (-0.06, -0.02)),
    ((0.055, -0.25), (0.06, -0.02)),
)

STAND = Pose(arms=(_ARM_LEFT, _ARM_RIGHT), legs=_LEGS)

POSES: dict[str, Pose] = {
    "stand": STAND,
    "walk": Pose(
        arms=(((-0.15, -0.62), (-0.17, -0.49)), ((0.1, -0.61), (0.19, -0.51))),
        legs=(((-0.04, -0.25), (-0.15, -0.04)), ((0.08, -0.26), (0.12, -0.02))),
        turn=0.55,
        lean=0.015,
    ),
    "run": Pose(
        arms=(((-0.19, -0.66), (-0.24, -0.55)), ((0.13, -0.63), (0.22, -0.74))),
        legs=(((-0.09, -0.29), (-0.27, -0.24)), ((0.15, -0.3), (0.13, -0.07))),
        turn=0.7,
        lean=0.07,
    ),
    "sit": Pose(
        arms=(((-0.15, -0.6), (-0.09, -0.47)), ((0.15, -0.6), (0.1, -0.47))),
        legs=(((-0.09, -0.44), (-0.09, -0.24)), ((0.09, -0.44), (0.09, -0.24))),
        drop=0.22,
        seated=True,
    ),
    "wave": replace(STAND, arms=(_ARM_LEFT, ((0.22, -0.76), (0.25, -0.94)))),
    "hug": Pose(
        arms=(((-0.02, -0.66), (0.15, -0.63)), ((0.12, -0.69), (0.27, -0.7))), legs=_LEGS, turn=0.55, lean=0.03
    ),
    "look_up": replace(STAND, tilt=-0.35, turn=0.3),
    "hold": replace(STAND, arms=(_ARM_LEFT, ((0.17, -0.62), (0.2, -0.69)))),
    "point": replace(STAND, arms=(_ARM_LEFT, ((0.23, -0.73), (0.37, -0.75))), turn=0.35),
    "kneel": Pose(
        arms=(((-0.15, -0.6), (-0.08, -0.5)), ((0.15, -0.6), (0.12, -0.47))),
        legs=(((0.09, -0.44), (0.07, -0.24)), ((-0.08, -0.28), (-0.2, -0.25))),
        drop=0.22,
        turn=0.4,
    ),
    "dance": Pose(
        arms=(((-0.2, -0.8), (-0.13, -0.98)), ((0.22, -0.68), (0.35, -0.73))),
        legs=(((-0.045, -0.25), (-0.03, -0.02)), ((0.13, -0.32), (0.06, -0.2))),
        turn=0.2,
        lean=-0.02,
    ),
    "jump": Pose(
        arms=(((-0.2, -0.82), (-0.24, -0.99)), ((0.2, -0.82), (0.24, -0.99))),
        legs=(((-0.1, -0.32), (-0.12, -0.14)), ((0.11, -0.34), (0.06, -0.2))),
        drop=-0.1,
    ),
    "away": replace(STAND, back=True),
}


def pose_of(actions: tuple[str, ...], fallback: str = "stand") -> Pose:
    """The pose of the last action named that has one; looking up goes along with any."""
    named = [action for action in actions if action in POSES and action != "look_up"]
    pose = POSES[named[-1]] if named else POSES[fallback]
    return replace(pose, tilt=-0.35) if "look_up" in actions else pose
