"""How a subject looks: what its appearance says, completed by dice of its own that no shot changes."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from models.draft.painter.colour import Colour, darker, generator, luma, pick, rgb
from models.draft.painter.reading import Match, words
from models.specs import Subject

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.interfaces import RGB

_SKINS = ("#f6d5b8", "#eec39c", "#e3b187", "#d49a6c", "#b67a4d", "#8d5a3a")
_SKIN_ODDS = (0.3, 0.3, 0.18, 0.1, 0.07, 0.05)
_HAIRS = ("#2a2328", "#3b2a26", "#5a3a2a", "#7a4a2c", "#a8692f", "#d0a352", "#8c3b2a")
_HAIR_ODDS = (0.36, 0.22, 0.14, 0.1, 0.07, 0.06, 0.05)
_CLOTHS = (
    "#c9453f",
    "#e07b3c",
    "#e8b440",
    "#5f9a58",
    "#2f7f86",
    "#3f6fb5",
    "#7a58a8",
    "#d9769a",
    "#f0ece2",
    "#3c4660",
)
_BOTTOMS = ("#34405c", "#4a4a52", "#6b5a48", "#2f3a3f", "#7d6f5c", "#51607a")
_SHOES = ("#3a2e2a", "#7a4a32", "#f0ece4", "#2c3448")
_FURS: dict[str, tuple[str, ...]] = {
    "cat": ("#e09a52", "#5b5a60", "#e8e2d6", "#3a3638"),
    "dog": ("#c48a52", "#8a5f3f", "#e6d3b0", "#5a4a42"),
    "rabbit": ("#efe9e2", "#b9a48e", "#8f8a8c"),
    "fox": ("#d9702f",),
    "bear": ("#7a5238", "#8f6546"),
    "panda": ("#f3f0e8",),
    "tiger": ("#e08a32",),
    "lion": ("#d9a655",),
    "wolf": ("#878b93", "#6b6f78"),
    "pig": ("#efb0a8",),
    "mouse": ("#a3a0a2", "#c9c2ba"),
    "robot": ("#aab6c2", "#8fa3b8", "#c9b48a"),
}
_TOPS = ("dress", "shirt", "tshirt", "sweater", "jacket", "coat", "suit", "robe", "armor", "spacesuit", "overalls")
_OVER = ("jacket", "coat", "cape")

Garment = Literal[
    "dress", "shirt", "tshirt", "sweater", "jacket", "coat", "suit", "robe", "armor", "spacesuit", "overalls"
]


@dataclass(frozen=True)
class Look:
    """``heads`` is the figure's height in heads: children have large ones."""

    species: str
    gender: str
    age: str
    heads: float
    build: float
    skin: Colour
    hair: str
    hair_colour: Colour
    eyes: Colour
    top: str
    top_colour: Colour
    inner_colour: Colour
    bottom: str
    bottom_colour: Colour
    shoes_colour: Colour
    accessories: "dict[str, Colour]"


def look_of(subject: Subject) -> Look:
    """The same subject always looks the same. Who it is (skin, hair, eyes, build) comes from its name and seed, so
    that a wish for other clothes changes the clothes alone; what its text says goes over the dice."""
    text = subject.appearance.replace("-haired", " haired")
    age, gender = _age(subject), _gender(subject)

    def dice(trait: str) -> np.random.Generator:
        return generator("looks", subject.name, subject.seed, trait)

    species = next(iter(reversed(words().own["species"].ids(f"{subject.name}\n{text}"))), "human")
    said = _worn(text)
    skin = rgb(_SKINS[int(dice("skin").choice(len(_SKINS), p=_SKIN_ODDS))])
    if species != "human":
        skin = said.get("fur") or rgb(pick(dice("fur"), _FURS[species]))
    hair_colour = rgb(_HAIRS[int(dice("hair colour").choice(len(_HAIRS), p=_HAIR_ODDS))])
    if age == "elder":
        hair_colour = rgb(pick(dice("grey hair"), ("#e4e2de", "#b9b7b4", "#cfcac2")))
    clothes = dice("clothes")
    looks = Look(
        species=species,
        gender=gender,
        age=age,
        heads={"child": 3.9, "young": 5.3, "adult": 5.6, "elder": 5.4}[age] if species == "human" else 4.2,
        build=float(dice("build").uniform(0.92, 1.1)) * (1.08 if gender == "male" else 0.96),
        skin=skin,
        hair=_hair_style(dice("hair"), gender, age),
        hair_colour=hair_colour,
        eyes=rgb(pick(dice("eyes"), ("#4a3020", "#3b2a22", "#35618a", "#3f6f4c", "#6b4a2a"))),
        top=_top(dice("top"), gender, age),
        top_colour=rgb(pick(clothes, _CLOTHS)),
        inner_colour=rgb(pick(clothes, ("#f4efe6", "#e2d6c4", "#cfd9e2"))),
        bottom="skirt" if gender == "female" and clothes.random() < 0.4 else "pants",
        bottom_colour=rgb(pick(clothes, _BOTTOMS)),
        shoes_colour=rgb(pick(clothes, _SHOES)),
        accessories=_spare_accessories(dice("accessories"), gender, age),
    )
    if species == "robot":
        looks = _of_metal(looks)
    return _dressed(looks, said, _hair_words(text))


def _of_metal(look: Look) -> Look:
    """A robot wears what its text says and nothing that dice would put on a person."""
    limbs = darker(look.skin, 0.18)
    return replace(
        look,
        top="armor",
        top_colour=look.skin,
        bottom="pants",
        bottom_colour=limbs,
        shoes_colour=darker(limbs, 0.4),
        accessories={},
    )


def _age(subject: Subject) -> str:
    """As given; where that says nothing, as told, except by what is said of clothes: an old coat makes nobody old."""
    if subject.age != "adult":
        return subject.age
    text = f"{subject.name}\n{subject.appearance}"
    own = words().own
    clothes = [match for section in ("garments", "accessories") for match in own[section].find(text)]
    said = [
        match.id
        for match in own["age"].find(text)
        if not any(
            0 <= worn.start - match.end <= 14
            and not own["gender"].find(text[match.end : worn.start])
            and not _broken(text[match.end : worn.start])
            and " in " not in text[match.end : worn.start]
            and " with " not in text[match.end : worn.start]
            for worn in clothes
        )
    ]
    return said[-1] if said else "adult"


def _gender(subject: Subject) -> str:
    if subject.gender != "other":
        return subject.gender
    said = words().own["gender"].ids(f"{subject.name}\n{subject.appearance}")
    return said[-1] if said else pick(generator("gender", subject.name, subject.seed), ("male", "female"))


def _hair_style(rng: np.random.Generator, gender: str, age: str) -> str:
    if gender == "female":
        if age == "elder":
            return pick(rng, ("bun", "bob", "curly"))
        return pick(
            rng,
            ("long", "ponytail", "bob", "twin_tails", "bun", "curly")
            if age != "adult"
            else ("long", "ponytail", "bob", "bun", "curly"),
        )
    return pick(rng, ("short", "spiky", "short", "curly") if age != "elder" else ("short", "bald", "short"))


def _top(rng: np.random.Generator, gender: str, age: str) -> str:
    if gender == "female" and rng.random() < 0.4:
        return "dress"
    return pick(
        rng,
        ("tshirt", "sweater", "overalls", "shirt")
        if age == "child"
        else ("shirt", "sweater", "jacket", "tshirt", "coat"),
    )


def _spare_accessories(rng: np.random.Generator, gender: str, age: str) -> "dict[str, Colour]":
    """At most one thing that tells people apart, where the text names none."""
    if rng.random() > 0.45:
        return {}
    name = pick(rng, ("scarf", "glasses", "ribbon", "cap") if gender == "female" else ("scarf", "glasses", "cap"))
    if age == "elder" and gender == "male":
        name = "beard"
    return {name: rgb(pick(rng, _CLOTHS))}


def _worn(text: str) -> "dict[str, Colour | None]":
    """Garments, accessories and hair that the text names, each with the colour said of it: the last colour before
    it, or one right behind it ("a dress in red"), and None where none is said."""
    own = words().own
    colours = own["colours"].find(text)
    things: list[tuple[str, Match]] = [
        (section, match)
        for section in ("garments", "accessories", "hair", "species")
        for match in own[section].find(text)
    ]
    things.sort(key=lambda pair: pair[1].start)
    # A word inside a longer word of another list says nothing: the "hat" of "straw hat hair".
    used: set[int] = set()
    worn: dict[str, Colour | None] = {}
    for section, match in things:
        if any(
            a.start <= match.start
            and match.end <= a.end
            and a is not match
            and a.end - a.start > match.end - match.start
            for _, a in things
        ):
            continue
        key = {"hair": "hair", "species": "fur"}.get(section, match.id)
        before = [
            colour
            for colour in colours
            if colour.start not in used
            and 0 <= match.start - colour.end <= 22
            and not _broken(text[colour.end : match.start])
        ]
        inside = [colour for colour in colours if match.start <= colour.start < match.end]
        chosen = (before or inside)[-1:] or [
            colour
            for colour in colours
            if 0 <= colour.start - match.end <= 5 and " in " in text[match.end - 1 : colour.start + 1]
        ][:1]
        if chosen:
            used.add(chosen[0].start)
            worn[key] = rgb(chosen[0].id)
        else:
            worn.setdefault(key, None)
    return worn


def _broken(between: str) -> bool:
    return any(mark in between for mark in ",.;，。；、！!\n") or " and " in between


def _hair_words(text: str) -> str | None:
    # "Short black hair" is short hair: colours between the words of a style are passed over.
    for colour in reversed(words().own["colours"].find(text)):
        text = text[: colour.start] + text[colour.end :].lstrip()
    styles = [name for name in words().own["hair"].ids(text) if name != "hair"]
    return styles[-1] if styles else None


def _dressed(look: Look, said: "dict[str, Colour | None]", hair: str | None) -> Look:
    tops = [name for name in said if name in _TOPS]
    accessories = {
        name: colour
        for name, colour in said.items()
        if name in words().own["accessories"].ids(name.replace("_", " ")) or name in _ACCESSORIES
    }
    change: dict[str, object] = {}
    if hair:
        change["hair"] = hair
    if said.get("hair"):
        change["hair_colour"] = said["hair"]
    if tops:
        outer = next((name for name in tops if name in _OVER), tops[0])
        inner = [name for name in tops if name != outer]
        change["top"] = outer
        if said[outer]:
            change["top_colour"] = said[outer]
        if inner and said[inner[0]]:
            change["inner_colour"] = said[inner[0]]
    for name in ("skirt", "pants", "shorts"):
        if name in said:
            change["bottom"] = name
            if said[name]:
                change["bottom_colour"] = said[name]
    if ("skirt" in said or "pants" in said or "shorts" in said) and not tops and look.top in {"dress", "robe"}:
        change["top"] = "shirt"
    if said.get("shoes"):
        change["shoes_colour"] = said["shoes"]
    if accessories or tops:
        change["accessories"] = {name: colour or _usual_colour(name, look) for name, colour in accessories.items()} or (
            look.accessories if not accessories else {}
        )
    return replace(look, **change)  # type: ignore[arg-type]


_ACCESSORIES = (
    "straw_hat",
    "hat",
    "cap",
    "beanie",
    "crown",
    "helmet",
    "glasses",
    "beard",
    "moustache",
    "scarf",
    "umbrella",
    "backpack",
    "cape",
    "tie",
    "flower",
    "ribbon",
    "apron",
    "freckles",
    "scar",
    "lantern",
)
_USUAL = {
    "straw_hat": "#e3c37a",
    "crown": "#f0c64a",
    "helmet": "#8f9aa6",
    "glasses": "#2c2a30",
    "hat": "#4a3b34",
    "backpack": "#8a5a3a",
    "apron": "#f0e8da",
    "flower": "#f06a8a",
    "lantern": "#e8462f",
    "scar": "#b5655a",
    "freckles": "#a8653f",
    "umbrella": "#d8413c",
    "tie": "#8a2f3a",
    "cape": "#8a2f3a",
}


def _usual_colour(name: str, look: Look) -> Colour:
    if name in {"beard", "moustache"}:
        return look.hair_colour
    return rgb(_USUAL.get(name, "#c9453f"))


def in_a_spacesuit(look: Look) -> Look:
    worn = {name: colour for name, colour in look.accessories.items() if name in {"glasses", "beard", "moustache"}}
    return replace(look, top="spacesuit", top_colour=(236.0, 238.0, 242.0), accessories=worn)


def dressed_like(look: Look, reference: "RGB", said: "dict[str, Colour | None]") -> Look:
    """The look in the colours of a reference picture: clothes in its strongest colour that is not its ground's,
    hair in its darkest large one, the rest in between. What the text ``said`` stays as it is."""
    found = foreground_colours(reference)
    if not found:
        return look
    strong = max(found, key=lambda colour: max(colour) - min(colour))
    rest = [colour for colour in found if colour != strong]
    dark = min(rest or found, key=luma)
    other = max(rest or found, key=lambda colour: abs(luma(colour) - luma(strong)))
    change: dict[str, Colour] = {}
    if not said.get(look.top):
        change["top_colour"] = strong
    if not said.get(look.bottom):
        change["bottom_colour"] = other
    if not said.get("hair") and luma(dark) < 0.55 and look.age != "elder":
        change["hair_colour"] = dark
    return replace(look, **change)  # type: ignore[arg-type]


def foreground_colours(reference: "RGB") -> list[Colour]:
    """The main colours of a picture's middle that its rim does not show, most of it first; none where nothing
    stands out from the ground."""
    import cv2

    small = cv2.resize(reference, (48, 48), interpolation=cv2.INTER_AREA).astype(np.float32)
    rim = np.concatenate([small[:4].reshape(-1, 3), small[4:, :4].reshape(-1, 3), small[4:, -4:].reshape(-1, 3)])
    # A ground may have several colours: sky and grass, a wall and a floor.
    grounds = np.array(dominant_colours(rim, 8, least=0.03), np.float32)
    inner = small[4:-2, 10:-10].reshape(-1, 3)
    away = np.abs(inner[:, None] - grounds[None]).max(axis=2).min(axis=1) > 34
    if np.count_nonzero(away) < 24:
        return []
    return dominant_colours(inner[away], 4)


def dominant_colours(pixels: "np.ndarray", count: int, least: float = 0.0) -> list[Colour]:
    """The means of the fullest cells of a coarse colour grid, (n, 3) pixels in, most of it first; cells that hold
    less than a share ``least`` are left out, unless none holds more."""
    cells = (pixels / 48).astype(np.int64)
    codes = cells[:, 0] * 64 + cells[:, 1] * 8 + cells[:, 2]
    names, sizes = np.unique(codes, return_counts=True)
    order = np.lexsort((names, -sizes))[:count]
    kept = [index for index in order if sizes[index] >= least * len(pixels)] or list(order[:1])
    means = [pixels[codes == names[index]].mean(axis=0) for index in kept]
    return [(float(mean[0]), float(mean[1]), float(mean[2])) for mean in means]


def looks_of(subjects: list[Subject], images: "Mapping[str, RGB]") -> list[Look]:
    return [
        dressed_like(look_of(subject), images[subject.reference_keys[0]], _worn(subject.appearance))
        if subject.reference_keys
        else look_of(subject)
        for subject in subjects
    ]
