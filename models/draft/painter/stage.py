"""What every painter of a place works with: the canvas, the light, the horizon, the dice of place and shot."""

from dataclasses import dataclass, field

import numpy as np

from models.draft.painter.canvas import Canvas
from models.draft.painter.colour import Colour
from models.draft.painter.light import Light
from models.draft.painter.reading import Reading


@dataclass
class Stage:
    """``place_rng`` builds what stays from shot to shot, ``shot_rng`` what may differ. ``size`` is the length in
    pixels that things are measured in, fit for any aspect ratio; ``horizon`` a row."""

    canvas: Canvas
    light: Light
    reading: Reading
    place_rng: np.random.Generator
    shot_rng: np.random.Generator
    horizon: float
    floor: float = 0.9
    """Where a full figure's feet stand, as a share of the height."""
    centre: float = 0.5
    """Where people whose feet are seen stand, as a share of the width."""
    sun: tuple[float, float] | None = None
    landmark: tuple[float, float, float, float] | None = None
    """The left, top, right and lower edge of a thing that no frame may cut."""
    indoor: bool = False
    accents: dict[str, Colour] = field(default_factory=dict)

    @property
    def width(self) -> int:
        return self.canvas.width

    @property
    def height(self) -> int:
        return self.canvas.height

    @property
    def size(self) -> float:
        return float(min(self.canvas.height, self.canvas.width * 0.92))

    def nearness(self, y: float) -> float:
        """How near a thing is whose foot stands at a row of the ground."""
        return 0.12 + 0.72 * min(1.2, max(0.0, (y - self.horizon) / max(1.0, self.height - self.horizon)))

    def scale(self, y: float) -> float:
        """How large a thing is there, 1 at the lower edge."""
        return max(0.04, (y - self.horizon) / max(1.0, self.height - self.horizon))
