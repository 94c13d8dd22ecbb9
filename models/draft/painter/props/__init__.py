"""Things that a prompt names, set where they belong in the scene."""

from collections.abc import Callable

from models.draft.painter.props import buildings, furnishing, nature, vehicles
from models.draft.painter.props.spots import Crowd
from models.draft.painter.stage import Stage

_PROPS: dict[str, Callable[[Stage, Crowd], None]] = {
    "rainbow": nature.rainbow,
    "fireworks": nature.fireworks,
    "lighthouse": buildings.lighthouse,
    "train": vehicles.train,
    "balloon": vehicles.balloon,
    "bird": nature.bird,
    "boat": vehicles.boat,
    "house": buildings.house,
    "fish": nature.fish,
    "rocket": vehicles.rocket,
    "kite": vehicles.kite,
    "lantern": buildings.lantern,
    "tree": nature.tree,
    "palm": nature.palm,
    "tent": buildings.tent,
    "lamp": buildings.lamp,
    "bench": buildings.bench,
    "table": furnishing.table,
    "car": vehicles.car,
    "umbrella": buildings.parasol,
    "flower": nature.flower,
    "campfire": buildings.campfire,
    "bicycle": vehicles.bicycle,
    "book": furnishing.book,
    "cup": furnishing.cup,
    "dog": nature.dog,
    "cat": nature.cat,
    "leaves": nature.leaves,
    "firefly": nature.firefly,
}


_ORDER = list(_PROPS)


_INCLUDED = {
    "tree": {"forest", "garden", "village", "field", "road", "river", "waterfall", "temple"},
    "flower": {"garden"},
    "table": {"cafe", "library", "classroom", "office", "kitchen"},
    "book": {"library"},
    "cup": {"cafe"},
    "lantern": {"market", "temple", "shop"},
    "lamp": {"city", "street", "market", "room", "library", "bedroom", "shop"},
    "house": {"village", "room"},
    "bridge": {"bridge"},
    "train": {"train", "station"},
    "fish": {"underwater"},
    "car": {"car"},
    "rocket": {"space_station"},
}


_OUTDOOR_ONLY = {
    "boat",
    "lighthouse",
    "palm",
    "kite",
    "fireworks",
    "rainbow",
    "tent",
    "house",
    "campfire",
    "car",
    "rocket",
    "train",
    "tree",
}


def paint_props(stage: Stage, taken: set[str], crowd: Crowd) -> None:
    """Everything named and not in somebody's hand; ``crowd`` are the columns that people fill."""
    place = stage.reading.place or "abstract"
    # Far things first.
    for name in sorted(stage.reading.props, key=lambda prop: _ORDER.index(prop) if prop in _ORDER else len(_ORDER)):
        painter = _PROPS.get(name)
        if painter is None or name in taken or place in _INCLUDED.get(name, ()):
            continue
        if stage.indoor and name in _OUTDOOR_ONLY:
            continue
        painter(stage, crowd)
