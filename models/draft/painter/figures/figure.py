"""One whole figure: drawn on a sheet of its own, lit from the side of the light, laid into the picture."""

import math

import cv2
import numpy as np

from models.draft.painter.canvas import Canvas
from models.draft.painter.colour import Colour, rgb
from models.draft.painter.figures import body, hair, head, lap, wear
from models.draft.painter.figures import held as hands
from models.draft.painter.figures.frame import Frame, head_of
from models.draft.painter.figures.looks import Look
from models.draft.painter.figures.poses import Pose
from models.draft.painter.light import Light


def draw_figure(
    canvas: Canvas,
    look: Look,
    pose: Pose,
    light: Light,
    *,
    x: float,
    y: float,
    size: float,
    near: float,
    emotion: str = "neutral",
    facing: int = 1,
    held: str | None = None,
    lit_from: float = 0.0,
    shadow: bool = True,
) -> None:
    """``x``, ``y``: the feet; ``size``: the height in pixels; ``lit_from``: the light's column, seen from the
    figure, -1 left to 1 right of the picture."""
    size *= height_of(look)
    frame = Frame(canvas, look, pose, light, emotion, x, y, size, facing)
    if shadow:
        _ground_shadow(canvas, frame, lit_from)
    held = held or next((name for name in ("umbrella", "lantern") if name in look.accessories), None)
    margin = 1.32 if held in {"umbrella", "balloon", "kite"} else 1.14
    left, right = max(0, math.floor(x - 0.52 * size)), min(canvas.width, math.ceil(x + 0.52 * size))
    top, bottom = max(0, math.floor(y - margin * size)), min(canvas.height, math.ceil(y + 0.06 * size))
    if right - left < 2 or bottom - top < 2:
        return
    # An even corner keeps the half-size depth map in register with the picture.
    left, top = left // 2 * 2, top // 2 * 2
    sheet = Canvas(right - left, bottom - top, transparent=True)
    frame.canvas, frame.x, frame.y = sheet, x - left, y - top
    _draw(frame, held)
    _light_up(sheet, light, size, lit_from)
    with canvas.at(near):
        canvas.lay(sheet, left, top)
    frame.canvas, frame.x, frame.y = canvas, x, y
    if not pose.back:
        canvas.faces.append((*frame.head_at(), frame.head * size))
    if held:
        hands.glow_of_held(frame, held, canvas)


def height_of(look: Look) -> float:
    """Against an adult of full height."""
    if look.species != "human":
        return 0.8
    return {"child": 0.68, "young": 0.95, "adult": 1.0, "elder": 0.95}[look.age]


def _draw(f: Frame, held: str | None) -> None:
    h = head_of(f)
    wear.draw_behind(f)
    if not f.pose.back:
        hair.draw_back_hair(h)
    body.draw_back_arm(f)
    kneels_in_trousers = f.look.top not in {"dress", "robe"} and f.pose.drop > 0
    if not f.pose.seated and not kneels_in_trousers:
        body.draw_legs(f)
    head.draw_neck(h)
    body.draw_torso(f)
    if f.pose.seated:
        lap.draw_lap(f)
    elif kneels_in_trousers:
        body.draw_legs(f)
    wear.draw_over_body(f)
    head.draw_head(h)
    hair.draw_front_hair(h)
    wear.draw_on_head(h)
    if held:
        hands.draw_held(f, held, f.lit(_held_colour(f.look, held)))
    body.draw_front_arm(f)


def _held_colour(look: Look, held: str) -> Colour:
    held = held.removeprefix("folded_")
    named = look.accessories.get(held)
    return named or rgb(
        {
            "flower": "#f06a8a",
            "book": "#a8443c",
            "lantern": "#e8462f",
            "cat": "#e09a52",
            "dog": "#c48a52",
            "rabbit": "#efe9e2",
        }.get(held, "#d8413c")
    )


def _ground_shadow(canvas: Canvas, f: Frame, lit_from: float) -> None:
    low = f.light.sun_height < 0.2 and not f.light.moon
    reach = 0.32 if low else 0.16
    u = -lit_from * f.facing * (0.2 if low else 0.05)
    x, y = f.at(0, 0.012)
    canvas.ellipse(x + u * f.size, y, reach * f.size, 0.034 * f.size, (18, 16, 36), 0.3)
    canvas.ellipse(x, y, 0.12 * f.size, 0.022 * f.size, (18, 16, 36), 0.35)


def _light_up(sheet: Canvas, light: Light, size: float, lit_from: float) -> None:
    """A lit rim on the side of the light and a soft shade on the other."""
    if sheet.alpha is None:
        return
    step = max(1.0, size * 0.012) * (1 if lit_from >= 0 else -1)
    shape = (sheet.width, sheet.height)

    def moved(by: float) -> "np.ndarray":
        matrix = np.array([[1.0, 0.0, by], [0.0, 1.0, abs(by) * 0.6]])
        # A figure that the frame cuts off goes on beyond it: the cut is no edge that light could catch.
        return cv2.warpAffine(sheet.alpha, matrix, shape, borderMode=cv2.BORDER_REPLICATE)

    rim = cv2.subtract(sheet.alpha, moved(-step))
    rim = cv2.blur(rim, (3, 3)) if size < 600 else cv2.blur(rim, (9, 9))
    shade = cv2.subtract(sheet.alpha, moved(step * 2.6))
    shade = cv2.blur(shade, (3, 3)) if size < 300 else cv2.blur(shade, (9, 9))
    strength = 0.34 if light.sun_height < 0.2 or light.moon else 0.24
    warm = light.sun
    glow = cv2.merge([cv2.convertScaleAbs(rim, alpha=strength * channel / 255) for channel in warm])
    dark = cv2.convertScaleAbs(shade, alpha=0.24)
    dark = cv2.min(dark, sheet.alpha)
    cv2.multiply(sheet.rgb, cv2.merge([255 - dark] * 3), dst=sheet.rgb, scale=1 / 255)
    cv2.add(sheet.rgb, glow, dst=sheet.rgb)
    # Premultiplied colours may not exceed the opacity.
    cv2.min(sheet.rgb, cv2.merge([sheet.alpha] * 3), dst=sheet.rgb)
