"""Who stands where, how large and in what pose, for each kind of shot."""

from dataclasses import dataclass, replace

from models.draft.painter.colour import darker, rgb
from models.draft.painter.figures.figure import draw_figure, height_of
from models.draft.painter.figures.held import HELD
from models.draft.painter.figures.looks import Look
from models.draft.painter.figures.poses import POSES, Pose, pose_of
from models.draft.painter.stage import Stage
from models.specs import ShotType


@dataclass(frozen=True)
class _Framing:
    """``height``: a figure's height in sizes of the stage; ``head``: the row of the heads' middle as a share of the
    height, None for figures whose feet are seen. ``ground_zoom`` and ``blur``: how the place behind is drawn in."""

    height: float
    head: float | None
    ground_zoom: float
    blur: float


FRAMINGS: dict[ShotType, _Framing] = {
    ShotType.ESTABLISHING: _Framing(0.4, None, 1.0, 0.0),
    ShotType.WIDE: _Framing(0.58, None, 1.04, 0.0),
    ShotType.MEDIUM: _Framing(1.32, 0.32, 1.22, 0.0022),
    ShotType.OVER_SHOULDER: _Framing(1.5, 0.36, 1.3, 0.004),
    ShotType.CLOSE_UP: _Framing(2.5, 0.43, 1.6, 0.008),
    ShotType.EXTREME_CLOSE_UP: _Framing(4.3, 0.47, 2.0, 0.014),
}

# The lowest row of feet: below it run the subtitles.
_FEET = {ShotType.ESTABLISHING: 0.8, ShotType.WIDE: 0.86}
_SUBTITLES = 0.8
# Of whoever sits in a medium shot: the row of the head, and how far below it the lap ends, as a share of the size.
_SEATED_HEAD, _HEAD_TO_LAP = 0.27, 0.55
# No figure that a shot is about is smaller than this share of the frame's height.
_LEAST = 0.28


# Things that stand about unless somebody is said to have them in the hand.
_LEFT_LYING = frozenset({"lantern", "fish", "flower", "balloon", "kite", "cup", "book", "plant", "bag", "guitar"})


@dataclass(frozen=True)
class Part:
    """One figure's part in a shot; ``x`` and ``y`` are its feet, in pixels."""

    look: Look
    pose: Pose
    x: float
    y: float
    size: float
    facing: int
    near: float
    held: str | None = None


def arrange(stage: Stage, shot: ShotType, looks: list[Look], *, lift: float = 0.0) -> list[Part]:
    """Parts from far to near. Several figures stand apart; where they hug they stand together. The last
    one is raised by ``lift`` of the height, onto what carries it."""
    if not looks:
        return []
    framing = FRAMINGS[shot]
    actions = stage.reading.actions
    pose = pose_of(actions)
    if shot == ShotType.OVER_SHOULDER:
        return _over_shoulder(stage, framing, looks, pose)
    count = len(looks)
    together = "hug" in actions and count == 2
    # As many as there are must fit side by side; in a tall picture a closer shot shows people larger instead.
    room = stage.width * 0.94 / (count * (0.26 if together else 0.3 if framing.head is not None else 0.42))
    # Feet that are seen stand on the same row in every ratio, so their height is a share of the frame's.
    size = framing.height * (stage.size if framing.head is not None else stage.height)
    row = framing.head
    if row is not None:
        size = max(size, (1.1 - row) * stage.height / 0.9)
    if shot == ShotType.MEDIUM and pose.seated:
        row = _SEATED_HEAD
        size = min(size, (_SUBTITLES - row) * stage.height / _HEAD_TO_LAP)
    size = min(size, room) if count > 1 or row is None else size
    step = min(stage.width * 0.86 / count, size * (0.24 if together else 0.5))
    centre = stage.width * (
        (stage.centre if row is None else 0.5) + (float(stage.shot_rng.uniform(-0.07, 0.07)) if count == 1 else 0.0)
    )
    parts = []
    for index, look in enumerate(looks):
        x = centre + (index - (count - 1) / 2) * step
        own = size * _own_scale(look, alone=count == 1, close=row is not None)
        if row is None:
            own = max(own, min(_LEAST * stage.height / height_of(look), room))
            y = stage.height * min(stage.floor, _FEET[shot]) + (0.012 if index % 2 else 0.0) * stage.size
            if lift and index == count - 1:
                own *= 0.9
                y -= lift * own
        else:
            y = stage.height * row + own * _head_height(look, pose)
            if y < stage.height * 1.02 and row != _SEATED_HEAD:
                # Whoever is too small to be cut off by the frame stands on the ground.
                y = stage.height * stage.floor
        facing = 1 if count == 1 and stage.shot_rng.random() < 0.5 else (1 if index < count / 2 else -1)
        parts.append(Part(look, _pose(pose, index, count, together), x, y, own, facing, _near(stage, framing, y)))
    return _hand_out(stage, parts)


def _own_scale(look: Look, *, alone: bool, close: bool) -> float:
    """Small people are brought nearer where only they are seen."""
    if not close or look.age != "child":
        return 1.0
    return 1.3 if alone else 1.12


def _head_height(look: Look, pose: Pose) -> float:
    """How far the middle of the head is above the feet, in the size given to the drawing."""
    return height_of(look) * (1 - 0.5 / look.heads - pose.drop)


def _pose(pose: Pose, index: int, count: int, together: bool) -> Pose:
    """All do what is told; in company everybody turns a little to the middle."""
    if together:
        return POSES["hug"]
    if count > 1 and pose.turn == 0 and not pose.back:
        return replace(pose, turn=0.25)
    return pose


def _near(stage: Stage, framing: _Framing, y: float) -> float:
    return 0.9 if framing.head is not None else min(0.92, stage.nearness(y) + 0.13)


def in_the_background(stage: Stage, planned: list[Part], company: list[Look]) -> list[Part]:
    """Others stand a little behind and to the sides, where the characters leave room."""
    feet = planned[0].y if planned[0].y <= stage.height else stage.height * 0.9
    size = min(0.8 * max(part.size for part in planned), 0.62 * stage.height)
    shares = sorted((0.16, 0.84, 0.31, 0.69), key=lambda share: -_clear(share * stage.width, planned))
    parts = []
    for share, look in zip(shares, company, strict=False):
        x = share * stage.width
        y = min(feet, stage.height * 0.84) - 0.03 * stage.height
        parts.append(
            Part(look, pose_of(()), x, y, size, 1 if x < planned[0].x else -1, _near(stage, FRAMINGS[ShotType.WIDE], y))
        )
    return parts


def _clear(x: float, planned: list[Part]) -> float:
    """How far a column is from everybody, in whole sizes so that the nearer edge of the frame decides no tie."""
    return round(min(abs(x - part.x) / part.size for part in planned), 1)


def _hand_out(stage: Stage, parts: list[Part]) -> list[Part]:
    """Give what can be held to the first who has a hand free: what the text puts in a hand, and what nobody leaves
    lying about."""
    things = [
        prop
        for prop in stage.reading.props
        if prop in HELD
        and not (prop == "umbrella" and stage.reading.weather == "clear" and stage.reading.place == "beach")
    ]
    carried = stage.reading.carried
    things = [prop for prop in things if prop in carried or prop not in _LEFT_LYING]
    things = [*(name for name in ("cat", "dog", "rabbit") if name in carried), *things]
    return [_holding(part, things.pop(0)) if things and _hand_free(part, len(parts)) else part for part in parts]


def _hand_free(part: Part, company: int) -> bool:
    return company > 1 or part.pose not in (POSES["wave"], POSES["hug"], POSES["point"], POSES["dance"], POSES["jump"])


def _holding(part: Part, thing: str) -> Part:
    if thing in {"cat", "dog", "rabbit"}:
        arms = (((-0.15, -0.62), (0.02, -0.56)), ((0.15, -0.6), (0.06, -0.54)))
        return replace(part, held=thing, pose=replace(part.pose, arms=arms))
    return replace(part, held=thing, pose=replace(part.pose, arms=(part.pose.arms[0], POSES["hold"].arms[1])))


def _over_shoulder(stage: Stage, framing: _Framing, looks: list[Look], pose: Pose) -> list[Part]:
    """The first is seen past the shoulder of the second, who is dark and large at the edge."""
    size = framing.height * stage.size
    side = 1 if stage.shot_rng.random() < 0.5 else -1
    first = looks[0]
    seen = Part(
        first,
        replace(pose, turn=max(0.25, pose.turn)),
        stage.width * (0.5 - 0.12 * side),
        stage.height * framing.head + size * _head_height(first, pose) if framing.head else stage.height,
        size,
        side,
        0.72,
    )
    other = looks[1] if len(looks) > 1 else first
    large = 2.3 * stage.size
    back = Part(
        other,
        POSES["away"],
        stage.width * 0.5 + side * (stage.width * 0.5 - 0.06 * large),
        stage.height * 0.5 + large * _head_height(other, POSES["away"]),
        large,
        1,
        1.0,
    )
    return [seen, back] if len(looks) > 1 else [seen]


def crowd_of(parts: list[Part]) -> list[tuple[float, float]]:
    return [(part.x - 0.22 * part.size, part.x + 0.22 * part.size) for part in parts]


def draw_cast(stage: Stage, parts: list[Part]) -> None:
    sun = stage.sun
    light = stage.light.inside() if stage.indoor else stage.light
    for part in parts:
        lit_from = 0.6 if sun is None else max(-1.0, min(1.0, (sun[0] - part.x) / (0.4 * stage.width)))
        if part.pose.seated:
            _seat(stage, part)
        draw_figure(
            stage.canvas,
            part.look,
            part.pose,
            light,
            x=part.x,
            y=part.y,
            size=part.size,
            near=part.near,
            emotion=stage.reading.emotion,
            facing=part.facing,
            held=part.held or _own_umbrella(stage, part.look),
            lit_from=lit_from,
        )


def _own_umbrella(stage: Stage, look: Look) -> str | None:
    """An umbrella that belongs to somebody is open where something falls on it, else it is carried folded."""
    if "umbrella" not in look.accessories:
        return None
    wet = not stage.indoor and stage.reading.weather in {"rain", "storm", "snow"}
    return "umbrella" if wet else "folded_umbrella"


def _seat(stage: Stage, part: Part) -> None:
    """Something to sit on: a stool inside, a stone outside."""
    canvas, s = stage.canvas, part.size * height_of(part.look)
    x, y = part.x, part.y
    with canvas.at(part.near - 0.02):
        if stage.indoor:
            wood = stage.light.on_skin(rgb("#8a5c3a"))
            for dx in (-0.12, 0.12):
                canvas.line([(x + dx * s, y), (x + dx * 0.8 * s, y - 0.24 * s)], 0.03 * s, darker(wood, 0.4))
            canvas.rect(x - 0.17 * s, y - 0.27 * s, 0.34 * s, 0.05 * s, wood, 1.0, 0.02 * s)
        else:
            stone = stage.light.on(rgb("#7d7a78"))
            canvas.smooth(
                [
                    (x - 0.26 * s, y + 0.01 * s),
                    (x - 0.23 * s, y - 0.2 * s),
                    (x, y - 0.28 * s),
                    (x + 0.22 * s, y - 0.22 * s),
                    (x + 0.27 * s, y + 0.01 * s),
                ],
                stone,
            )
