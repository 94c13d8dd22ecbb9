"""A figure's own coordinates (its heights, from the middle between its feet, up is negative) and those of its head
(half-heights of the head, from its centre); right is where it looks."""

from dataclasses import dataclass

import numpy as np

from models.draft.painter.canvas import Canvas, curve
from models.draft.painter.colour import Colour
from models.draft.painter.figures.looks import Look
from models.draft.painter.figures.poses import Pose
from models.draft.painter.light import Light


@dataclass
class Frame:
    """``x``, ``y``: the feet in pixels; ``size``: the standing height in pixels; ``facing`` 1 right, -1 left."""

    canvas: Canvas
    look: Look
    pose: Pose
    light: Light
    emotion: str
    x: float
    y: float
    size: float
    facing: int = 1

    @property
    def head(self) -> float:
        """Half the height of the head."""
        return 0.5 / self.look.heads

    @property
    def shoulder(self) -> float:
        return -(1 - 2 * self.head - 0.012) + self.pose.drop

    @property
    def hip(self) -> float:
        return self.shoulder * 0.57 + self.pose.drop * 0.43

    @property
    def stretch(self) -> float:
        """The poses are noted for shoulders at 0.8 of the height."""
        return (1 - 2 * self.head - 0.012) / 0.8

    @property
    def width(self) -> float:
        return self.look.build * (0.94 if self.look.age == "child" else 1.0) * (1 - 0.3 * min(1.0, self.pose.turn))

    def at(self, u: float, v: float) -> tuple[float, float]:
        return (self.x + self.facing * u * self.size, self.y + v * self.size)

    def head_at(self) -> tuple[float, float]:
        """The head's centre in pixels."""
        return self.at(self.pose.lean, self.shoulder - self.head * 1.02 - 0.012)

    def many(self, points: "list[tuple[float, float]]") -> np.ndarray:
        return np.array([self.at(u, v) for u, v in points])

    def smooth(self, points: "list[tuple[float, float]]", colour: Colour, opacity: float = 1.0) -> None:
        self.canvas.smooth(self.many(points), colour, opacity)

    def polygon(self, points: "list[tuple[float, float]]", colour: Colour, opacity: float = 1.0) -> None:
        self.canvas.polygon(self.many(points), colour, opacity)

    def line(self, points: "list[tuple[float, float]]", width: float, colour: Colour, opacity: float = 1.0) -> None:
        self.canvas.line(curve(self.many(points), 5, closed=False), max(0.8, width * self.size), colour, opacity)

    def limb(self, points: "list[tuple[float, float]]", widths: "tuple[float, float]", colour: Colour) -> None:
        """A tapering curve through joints."""
        line = curve(self.many(points), 6, closed=False)
        self.canvas.line(line, np.linspace(widths[0], widths[1], len(line)) * self.size, colour)

    def ellipse(
        self, u: float, v: float, ru: float, rv: float, colour: Colour, opacity: float = 1.0, tilt: float = 0.0
    ) -> None:
        x, y = self.at(u, v)
        self.canvas.ellipse(x, y, ru * self.size, rv * self.size, colour, opacity, tilt * self.facing)

    def lit(self, colour: Colour) -> Colour:
        return self.light.on_skin(colour)


@dataclass
class Head:
    """``r`` in pixels; ``turn`` 0 to the viewer, 1 profile; ``fine`` when the face is large enough for detail."""

    f: Frame
    canvas: Canvas
    x: float
    y: float
    r: float
    turn: float
    tilt: float

    @property
    def fine(self) -> bool:
        return self.r > 15

    def at(self, u: float, v: float) -> tuple[float, float]:
        return (self.x + self.f.facing * u * self.r, self.y + v * self.r)

    def many(self, points: "list[tuple[float, float]]") -> np.ndarray:
        return np.array([self.at(u, v) for u, v in points])

    def smooth(self, points: "list[tuple[float, float]]", colour: Colour, opacity: float = 1.0) -> None:
        self.canvas.smooth(self.many(points), colour, opacity)

    def polygon(self, points: "list[tuple[float, float]]", colour: Colour, opacity: float = 1.0) -> None:
        self.canvas.polygon(self.many(points), colour, opacity)

    def ellipse(
        self, u: float, v: float, ru: float, rv: float, colour: Colour, opacity: float = 1.0, tilt: float = 0.0
    ) -> None:
        x, y = self.at(u, v)
        self.canvas.ellipse(x, y, ru * self.r, rv * self.r, colour, opacity, tilt * self.f.facing)

    def line(self, points: "list[tuple[float, float]]", width: float, colour: Colour, opacity: float = 1.0) -> None:
        self.canvas.line(curve(self.many(points), 6, closed=False), max(0.8, width * self.r), colour, opacity)


def head_of(f: Frame) -> Head:
    x, y = f.head_at()
    return Head(f, f.canvas, x, y, f.head * f.size, min(1.0, f.pose.turn), f.pose.tilt)
