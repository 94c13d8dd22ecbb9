"""Sheets: a character from the front, from three sides or close up; a style with its palette."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from models.draft.painter.canvas import Canvas
from models.draft.painter.colour import Colour, darker, generator, lighter, luma, mix, rgb
from models.draft.painter.figures.figure import draw_figure, height_of
from models.draft.painter.figures.looks import Look, look_of, looks_of
from models.draft.painter.figures.poses import POSES, STAND, Pose, pose_of
from models.draft.painter.light import Light, light_of
from models.draft.painter.reading import Reading, words
from models.draft.painter.scene import paint_scene
from models.draft.painter.style import look_of_style
from models.specs import Framing, ImageSpec, ShotType, Subject

if TYPE_CHECKING:
    from models.interfaces import RGB


def paint_sheet(spec: ImageSpec, reading: Reading, images: "Mapping[str, RGB]") -> Canvas:
    """The sheet of the spec's framing. The prompt describes the character where no subject is given."""
    if spec.framing == Framing.STYLE:
        return _style_board(spec, reading, images)
    look = _described(spec, images)
    canvas = Canvas(spec.width, spec.height)
    light = light_of("morning", "clear")
    _studio(canvas, spec, look)
    if spec.framing == Framing.DETAIL:
        _detail(canvas, light, look, reading)
    elif spec.framing == Framing.THREE_VIEW:
        _three_views(canvas, light, look, reading)
    else:
        _front(canvas, light, look, reading)
    return canvas


def _described(spec: ImageSpec, images: "Mapping[str, RGB]") -> Look:
    if spec.subjects:
        return looks_of(spec.subjects[:1], images)[0]
    return look_of(Subject(name="", appearance=spec.prompt, seed=spec.seed))


def _studio(canvas: Canvas, spec: ImageSpec, look: Look) -> None:
    """A plain ground that the clothes stand out from."""
    hues = generator("studio", spec.seed)
    ground = mix(
        (226.0, 224.0, 220.0),
        (float(hues.integers(190, 236)), float(hues.integers(190, 236)), float(hues.integers(190, 236))),
        0.6,
    )
    if luma(look.top_colour) > 0.72:
        ground = mix(ground, (120.0, 128.0, 142.0), 0.55)
    edge = canvas.height * 0.74
    canvas.down(0, edge, [(0, darker(ground, 0.1)), (1, ground)], (0.1, 0.2))
    canvas.down(edge, canvas.height, [(0, darker(ground, 0.12)), (1, lighter(ground, 0.25))], (0.3, 0.8))
    canvas.glow(canvas.width * 0.5, canvas.height * 0.4, canvas.height * 0.7, (255, 255, 255), 0.4)


def _full_size(canvas: Canvas, look: Look, columns: float) -> float:
    """The height at which a figure fills its part of the sheet."""
    return min(canvas.height * 0.8, canvas.width / columns / 0.62) / height_of(look)


def _front(canvas: Canvas, light: Light, look: Look, reading: Reading) -> None:
    size = _full_size(canvas, look, 1)
    pose = pose_of(reading.actions)
    draw_figure(
        canvas,
        look,
        pose,
        light,
        x=canvas.width / 2,
        y=canvas.height * 0.92,
        size=size,
        near=0.92,
        emotion=reading.emotion,
        lit_from=0.5,
    )


def _three_views(canvas: Canvas, light: Light, look: Look, reading: Reading) -> None:
    size = _full_size(canvas, look, 3)
    side: Pose = replace(STAND, turn=1.0, arms=(((-0.02, -0.6), (-0.03, -0.44)), ((0.03, -0.6), (0.04, -0.44))))
    for column, pose in enumerate((STAND, side, POSES["away"])):
        x = canvas.width * (0.5 + (column - 1) * 0.3)
        draw_figure(
            canvas,
            look,
            pose,
            light,
            x=x,
            y=canvas.height * 0.92,
            size=size,
            near=0.92,
            emotion=reading.emotion,
            lit_from=0.5,
        )


def _detail(canvas: Canvas, light: Light, look: Look, reading: Reading) -> None:
    """The face, and beside or below it the colours of the figure."""
    wide = canvas.width >= canvas.height
    size = (2.5 if wide else 2.2) * min(canvas.height, canvas.width * 0.95)
    x, row = (canvas.width * 0.4, 0.46) if wide else (canvas.width * 0.5, 0.42)
    y = canvas.height * row + size * height_of(look) * (1 - 0.5 / look.heads)
    draw_figure(
        canvas,
        look,
        pose_of(()),
        light,
        x=x,
        y=y,
        size=size,
        near=0.85,
        emotion=reading.emotion,
        lit_from=0.5,
        shadow=False,
    )
    colours = [
        look.hair_colour,
        look.skin,
        look.eyes,
        look.top_colour,
        look.bottom_colour,
        look.shoes_colour,
        *look.accessories.values(),
    ][:7]
    _swatches(canvas, colours, wide)


def _swatches(canvas: Canvas, colours: list[Colour], column: bool) -> None:
    """A row along the lower edge, or a column at the right."""
    length = canvas.height if column else canvas.width
    size = min(length * 0.86 / len(colours), min(canvas.width, canvas.height) * 0.13)
    start = (length - size * len(colours)) / 2
    for index, colour in enumerate(colours):
        along = start + index * size
        x, y = (canvas.width * 0.9 - size / 2, along) if column else (along, canvas.height * 0.93 - size / 2)
        canvas.rect(x + size * 0.05, y + size * 0.08, size * 0.84, size * 0.84, (70, 66, 70), 0.35, size * 0.16)
        canvas.rect(x + size * 0.02, y + size * 0.02, size * 0.84, size * 0.84, (252, 250, 246), 1.0, size * 0.16)
        canvas.rect(x + size * 0.08, y + size * 0.08, size * 0.72, size * 0.72, colour, 1.0, size * 0.12)


def _style_board(spec: ImageSpec, reading: Reading, images: "Mapping[str, RGB]") -> Canvas:
    """A sample scene with a figure in it, over the palette."""
    plain = spec.model_copy(
        update={"framing": Framing.SHOT, "shot_type": ShotType.WIDE, "subjects": spec.subjects or [_MODEL]}
    )
    known = words().places.ids(spec.prompt)
    sample = (
        reading
        if known
        else replace(reading, place="village", indoor=False, time="sunset" if not reading.time_said else reading.time)
    )
    canvas = paint_scene(plain, sample, images).canvas
    canvas.settle()
    palette = look_of_style(spec.style).palette or tuple(
        rgb(code) for code in ("#2b2d42", "#8d5a4a", "#d98e5f", "#efc88b", "#f4ede4")
    )
    band = canvas.height * 0.16
    with canvas.at(0.95):
        canvas.rect(-5, canvas.height - band, canvas.width + 10, band + 10, (250, 247, 240))
        width = canvas.width / len(palette)
        for index, colour in enumerate(palette):
            gap = width * 0.06
            canvas.rect(
                index * width + gap, canvas.height - band * 0.86, width - 2 * gap, band * 0.72, colour, 1.0, band * 0.12
            )
    return canvas


_MODEL = Subject(name="model", appearance="long brown hair, red dress", gender="female", age="young")
