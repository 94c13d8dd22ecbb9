"""Which technique a style asks for, and the grade that belongs to this style alone."""

from dataclasses import dataclass

from models.draft.painter.colour import Colour, generator, hsv, rgb
from models.draft.painter.reading import words
from models.specs import ArtStyle

TECHNIQUES = (
    "cinematic",
    "anime",
    "watercolor",
    "ink",
    "comic",
    "neon",
    "storybook",
    "noir",
    "pixel",
    "oil",
    "flat",
    "clay",
)


@dataclass(frozen=True)
class Look:
    """``hue`` turns all colours (0 to 1 is once round), ``saturation`` and ``contrast`` are factors, ``lift`` is
    added to the brightness (-1 to 1), ``warmth`` goes from blue (-1) to orange (1). ``shadows`` and ``lights`` are
    tints of the dark and the light parts, ``tint`` how strong they are, 0 to 1."""

    technique: str
    palette: tuple[Colour, ...]
    hue: float
    saturation: float
    contrast: float
    lift: float
    warmth: float
    shadows: Colour
    lights: Colour
    tint: float
    grain_seed: int


def look_of_style(style: ArtStyle) -> Look:
    """The keywords choose the technique, first; then the name, the template, the description. A style that names
    none gets one by its name, with a grade so much its own that it is nobody else's."""
    known = words().own["techniques"]
    texts = (" \n ".join(style.visual_keywords), style.style_name, style.prompt_template, style.description)
    named = next((found[0] for text in texts if (found := known.ids(text))), None)
    rng = generator("style", style.style_name, *style.visual_keywords, style.prompt_template, *style.palette)
    technique = named or TECHNIQUES[int(rng.integers(len(TECHNIQUES)))]
    moods = set(words().own["moods"].ids(" \n ".join((*texts, style.style_name))))
    palette = tuple(_colours(style.palette))
    free = 1.0 if named is None else 0.25
    hues = rng.random(2)
    return Look(
        technique=technique,
        palette=palette,
        hue=float(rng.uniform(-0.09, 0.09)) if named is None and not palette else 0.0,
        saturation=1.0 + 0.3 * ("vivid" in moods) - 0.35 * ("muted" in moods) + free * float(rng.uniform(-0.12, 0.12)),
        contrast=1.0 + 0.08 * ("dark" in moods) - 0.08 * ("bright" in moods) + free * float(rng.uniform(-0.1, 0.1)),
        lift=0.09 * ("bright" in moods) - 0.12 * ("dark" in moods) + free * float(rng.uniform(-0.03, 0.03)),
        warmth=0.5 * ("warm" in moods) - 0.5 * ("cool" in moods) + free * float(rng.uniform(-0.3, 0.3)),
        shadows=_hue(float(hues[0])),
        lights=_hue(float(hues[1])),
        tint=0.3 if named is None else 0.05,
        grain_seed=int(rng.integers(2**31)),
    )


def _hue(value: float) -> Colour:
    return hsv(value, 0.55, 0.9)


def _colours(codes: list[str]) -> list[Colour]:
    """The palette's colours; entries that are none are left out, since a person may have typed them."""
    colours = []
    for code in codes:
        try:
            colours.append(rgb(code))
        except ValueError:
            continue
    return colours
