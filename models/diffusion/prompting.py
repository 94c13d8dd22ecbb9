"""From what a picture is to show to the words that a text-to-image model is given: equal specs, equal words."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models.diffusion.wording import AGES, COLOURS, FACES, FRAMINGS, NEGATIVES, PHRASES, PLACES, SCENE_TYPES, SHOTS
from models.specs import ArtStyle, Framing, ImageSpec, Language, Place, Subject

_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN_WORD = re.compile(r"[A-Za-z]+")
_PERSON_SHEETS = {Framing.FRONT_VIEW, Framing.THREE_VIEW, Framing.DETAIL}


@dataclass(frozen=True)
class Prompt:
    positive: str
    negative: str


def prompt_of(
    spec: ImageSpec,
    shown: Sequence[str] = (),
    *,
    language: Language | None = None,
    changes: bool = False,
    negated: bool = True,
) -> Prompt:
    """What is said beside the spec's own words is said in ``language``, or in that of these words.

    ``shown`` says what each of the pictures that go with the prompt is, in their order: a name, or "" for none;
    the first of them is to be changed where ``changes`` says so. A model that is not ``negated`` takes no negative
    prompt, so the user's goes into the prompt as what to leave out."""
    language = language or language_of(spec)
    phrases = PHRASES[language]
    sentences = [
        phrases["change"] if changes else _framing(spec, language),
        spec.prompt,
        *(_subject(subject, language) for subject in spec.subjects),
        _place(spec.place, language) if spec.place and spec.framing not in _PERSON_SHEETS else "",
        *_references(shown, language, first=2 if changes else 1),
    ]
    text = _styled(_joined(sentences, language), spec.style, language)
    usual = [NEGATIVES["any"][language], NEGATIVES.get(spec.framing, {}).get(language, "")]
    if not negated:
        left_out = phrases["without"].format(spec.negative_prompt) if spec.negative_prompt else ""
        return Prompt(_joined([text, left_out], language), "")
    return Prompt(text, phrases["comma"].join(part for part in (spec.negative_prompt, *usual) if part))


def language_of(spec: ImageSpec) -> Language:
    """Of the prompt; where it has no words, of what is described beside it."""
    place = spec.place.description if spec.place else ""
    for text in (spec.prompt, " ".join(subject.appearance for subject in spec.subjects), place):
        han, latin = len(_HAN.findall(text)), len(_LATIN_WORD.findall(text))
        if han or latin:
            # A Chinese word has about two characters.
            return "zh" if han >= 2 * latin else "en"
    return "en"


def _framing(spec: ImageSpec, language: Language) -> str:
    if spec.framing is Framing.SHOT:
        return SHOTS[spec.shot_type][language]
    return FRAMINGS[spec.framing][language]


def _subject(subject: Subject, language: Language) -> str:
    """The seed gives a face to those who are described as people, the same one in every picture."""
    phrases = PHRASES[language]
    person = AGES[subject.age][language].get(subject.gender, "")
    # A sheet shows the face.
    seen = subject.gender == "other" or subject.reference_keys
    face = "" if seen else _chosen(FACES[language], subject.seed)
    traits = phrases["comma"].join(part for part in (person, subject.appearance.rstrip(" .。"), face) if part)
    return phrases["named"].format(name=subject.name, traits=traits) if traits else subject.name


def _place(place: Place, language: Language) -> str:
    phrases = PHRASES[language]
    parts = (
        SCENE_TYPES[place.scene_type][language],
        place.description.rstrip(" .。"),
        "" if place.reference_keys else _chosen(PLACES[language], place.seed),
        place.atmosphere,
        place.lighting,
    )
    traits = phrases["comma"].join(part for part in parts if part)
    return phrases["place"].format(name=place.name, traits=traits) if place.name else traits


def _chosen(words: Sequence[str], seed: int) -> str:
    return words[seed % len(words)]


def _references(shown: Sequence[str], language: Language, *, first: int) -> list[str]:
    phrases = PHRASES[language]
    return [
        phrases["shows"].format(number=number, name=name) if name else phrases["guides"].format(number=number)
        for number, name in enumerate(shown, first)
    ]


def _styled(text: str, style: ArtStyle, language: Language) -> str:
    """The template has ``{prompt}`` where the text goes, or is put behind it. Words that are there already are not
    said again."""
    phrases = PHRASES[language]
    template = style.prompt_template
    full = (
        template.replace("{prompt}", text)
        if "{prompt}" in template
        else phrases["comma"].join(part for part in (text, template) if part)
    )
    more = []
    if style.style_name and style.style_name.lower() not in full.lower():
        more.append(phrases["style"].format(style.style_name))
    more.append(style.description)
    more += [word for word in style.visual_keywords if word.lower() not in full.lower()]
    colours = list(dict.fromkeys(_colour(colour, language) for colour in style.palette))
    if colours:
        more.append(phrases["colours"].format(phrases["comma"].join(colours)))
    return phrases["comma"].join(part.rstrip(" .。，,") for part in (full, *more) if part)


def _joined(sentences: Iterable[str], language: Language) -> str:
    stop = PHRASES[language]["stop"]
    return stop.join(part.strip().rstrip(" .。") for part in sentences if part.strip())


def _colour(code: str, language: Language) -> str:
    """The nearest colour that has a name; models know names better than numbers. Something else than ``#rrggbb`` is
    taken for a name."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", code):
        return code
    wanted = [int(code[at : at + 2], 16) for at in (1, 3, 5)]

    def distance(named: tuple[int, int, int]) -> float:
        # Weighed as "redmean" does: about as the eye tells colours apart.
        red = (wanted[0] + named[0]) / 2
        dr, dg, db = (a - b for a, b in zip(wanted, named, strict=True))
        return (2 + red / 256) * dr * dr + 4 * dg * dg + (2 + (255 - red) / 256) * db * db

    return COLOURS[min(COLOURS, key=distance)][language]
