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
    "boat": vehicles.boat,
    "house": buildings.house,
    "fish": nature.fish,
    "rocket": vehicles.rocket,
    "kite": vehicles.kite,
    "sky_lantern": buildings.sky_lantern,
    "lantern": buildings.lantern,
    "plant": furnishing.plant,
    "earth": nature.earth,
    "tree": nature.tree,
    "palm": nature.palm,
    "tent": buildings.tent,
    "lamp": buildings.lamp,
    "fireplace": furnishing.fireplace,
    "bench": buildings.bench,
    "table": furnishing.table,
    "car": vehicles.car,
    "umbrella": buildings.parasol,
    "flower": nature.flower,
    "campfire": buildings.campfire,
    "bicycle": vehicles.bicycle,
    "book": furnishing.book,
    "cup": furnishing.cup,
    "leaves": nature.leaves,
    "firefly": nature.firefly,
}


_ORDER = list(_PROPS)


_INCLUDED = {
    "tree": {
        "bamboo",
        "terraces",
        "castle",
        "church",
        "oasis",
        "mountain",
        "snowfield",
        "country",
        "forest",
        "garden",
        "village",
        "field",
        "road",
        "river",
        "waterfall",
        "temple",
    },
    "flower": {"garden"},
    "table": {"cafe", "teahouse", "library", "classroom", "office", "kitchen"},
    "book": {"library"},
    "cup": {"cafe", "teahouse"},
    "lantern": {"market", "temple", "shop", "old_town", "teahouse"},
    "lamp": {"city", "street", "market", "room", "library", "bedroom", "shop", "old_town", "station"},
    "house": {"village", "room", "street", "old_town", "harbour", "church", "castle"},
    "boat": {"harbour"},
    "earth": {"moon_surface"},
    "palm": {"oasis"},
    "bridge": {"bridge"},
    "train": {"train", "subway_station"},
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


_INDOOR_ONLY = {"fireplace"}

# What stands on the ground has no place where there is water, air or nothing below.
_ON_GROUND = frozenset(
    {"lamp", "bench", "house", "car", "bicycle", "table", "tent", "campfire", "umbrella", "tree", "palm"}
)
_NO_GROUND = frozenset({"sea", "sky", "space", "underwater"})


def paint_props(stage: Stage, taken: set[str], crowd: Crowd) -> None:
    """Everything named and not in somebody's hand; ``crowd`` are the columns that people fill."""
    place = stage.reading.place or "abstract"
    # Far things first.
    for name in sorted(stage.reading.props, key=lambda prop: _ORDER.index(prop) if prop in _ORDER else len(_ORDER)):
        painter = _PROPS.get(name)
        if painter is None or name in taken or place in _INCLUDED.get(name, ()):
            continue
        if name in (_OUTDOOR_ONLY if stage.indoor else _INDOOR_ONLY):
            continue
        if name in _ON_GROUND and place in _NO_GROUND:
            continue
        painter(stage, crowd)
