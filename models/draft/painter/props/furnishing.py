"""What stands in rooms."""

from models.draft.painter.colour import rgb
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
