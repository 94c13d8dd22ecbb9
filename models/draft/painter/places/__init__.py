"""Painters of places, by the ids of the shared lexicon. Each paints a whole ground, sky or walls included."""

from collections.abc import Callable

from models.draft.painter.places import halls, homes, land, street, town, water, wild
from models.draft.painter.stage import Stage

PLACES: dict[str, Callable[[Stage], None]] = {
    "beach": water.beach,
    "sea": water.sea,
    "river": water.river,
    "lake": water.lake,
    "waterfall": water.waterfall,
    "bridge": water.bridge,
    "underwater": water.underwater,
    "forest": land.forest,
    "mountain": land.mountain,
    "field": land.field,
    "garden": land.garden,
    "desert": land.desert,
    "snowfield": land.snowfield,
    "road": land.road,
    "village": land.village,
    "space": wild.space,
    "sky": wild.sky,
    "cave": wild.cave,
    "abstract": wild.abstract,
    "city": town.city,
    "street": street.street,
    "market": street.market,
    "rooftop": town.rooftop,
    "station": town.station,
    "temple": town.temple,
    "room": homes.room,
    "bedroom": homes.bedroom,
    "kitchen": homes.kitchen,
    "classroom": homes.classroom,
    "office": homes.office,
    "library": homes.library,
    "cafe": halls.cafe,
    "shop": halls.shop,
    "hospital": halls.hospital,
    "laboratory": halls.laboratory,
    "train": halls.train,
    "car": halls.car,
    "palace": halls.palace,
    "theater": halls.theater,
    "space_station": halls.space_station,
}
