"""What stands in rooms."""

from models.draft.painter.colour import darker, rgb
from models.draft.painter.places import furniture
from models.draft.painter.props.spots import Crowd, row_of, spot
from models.draft.painter.stage import Stage


def table(stage: Stage, crowd: Crowd) -> None:
    y = row_of(stage, 0.7)
    with stage.canvas.at(stage.nearness(y)):
        furniture.table(
            stage, spot(stage, crowd, stage.size * 0.2), y, stage.size * 0.4, stage.light.on(rgb("#8f5f3c"))
        )


def _on_table(stage: Stage, crowd: Crowd, kind: str) -> None:
    y, s = row_of(stage, 0.86), stage.size * 0.26
    x = spot(stage, crowd, s * 0.5)
    with stage.canvas.at(stage.nearness(y)):
        furniture.table(stage, x, y, s, stage.light.on_skin(rgb("#8f5f3c")))
        if kind == "cup":
            furniture.cup(stage, x, y - s * 0.46, s * 0.1, stage.light.on_skin(rgb("#f4efe6")))
        else:
            furniture.books(stage, x, y - s * 0.45, s * 0.42)


def book(stage: Stage, crowd: Crowd) -> None:
    _on_table(stage, crowd, "book")


def cup(stage: Stage, crowd: Crowd) -> None:
    _on_table(stage, crowd, "cup")


def plant(stage: Stage, crowd: Crowd) -> None:
    y = row_of(stage, 0.6)
    furniture.plant(stage, spot(stage, crowd, stage.size * 0.1), y, stage.size * 0.24, stage.light.on(rgb("#4d8a56")))


def fireplace(stage: Stage, crowd: Crowd) -> None:
    """A hearth of brick against the wall, its fire the warmest light in the room."""
    canvas, s = stage.canvas, stage.size * 0.46
    x, foot = spot(stage, crowd, s * 0.5), stage.horizon + stage.size * 0.03
    brick, wood = stage.light.on_skin(rgb("#9a5a44")), stage.light.on_skin(rgb("#6b4630"))
    with canvas.at(0.26):
        canvas.rect(x - s * 0.32, -5, s * 0.64, foot - s * 0.8 + 5, darker(brick, 0.2))
        canvas.rect(x - s * 0.5, foot - s * 0.8, s, s * 0.8, brick)
        for row in range(6):
            y = foot - s * (0.78 - 0.13 * row)
            canvas.line([(x - s * 0.5, y), (x + s * 0.5, y)], s * 0.008, darker(brick, 0.3), 0.7)
            for column in range(5):
                across = x + s * (-0.4 + 0.2 * column + 0.1 * (row % 2))
                canvas.line([(across, y), (across, y + s * 0.13)], s * 0.008, darker(brick, 0.3), 0.7)
        canvas.rect(x - s * 0.56, foot - s * 0.86, s * 1.12, s * 0.08, wood)
        canvas.rect(x - s * 0.32, foot - s * 0.56, s * 0.64, s * 0.56, (38.0, 26.0, 24.0), 1.0, s * 0.1)
        canvas.rect(x - s * 0.32, foot - s * 0.2, s * 0.64, s * 0.2, (38.0, 26.0, 24.0))
    for lean in (-0.2, 0.2):
        canvas.line([(x - lean * s, foot - s * 0.03), (x + lean * s, foot - s * 0.09)], s * 0.06, (92, 60, 42))
    for scale, code in ((1.0, "#ff6a2c"), (0.7, "#ffad33"), (0.4, "#fff0a8")):
        flame = [(-0.22, -0.05), (-0.17, -0.24), (-0.03, -0.5), (0.1, -0.3), (0.23, -0.07), (0.0, 0.0)]
        canvas.smooth([(x + u * scale * s, foot - s * 0.03 + v * scale * s) for u, v in flame], rgb(code))
    canvas.glow(x, foot - s * 0.25, s * 2.2, rgb("#ff9a3c"), 0.6)
