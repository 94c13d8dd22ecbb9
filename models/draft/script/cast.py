"""The characters of the film, and which of them each person of the source is."""

from functools import lru_cache

from models.draft import lexicon
from models.draft.lexicon import Vocabulary
from models.draft.script import looks, outfits
from models.draft.script.people import Age, Gender, Person, ages, data, mentions_of, roles
from models.draft.script.source import Source
from models.draft.script.speakers import without_lead
from models.draft.script.text import in_language, one_line, shorten
from models.specs import Character, Language, ScriptSpec

_VOICES = {
    ("child", "female"): ("清脆的童声", "clear child's voice"),
    ("child", "male"): ("清亮的童声", "bright child's voice"),
    ("young", "female"): ("温柔年轻的女声", "gentle young woman's voice"),
    ("young", "male"): ("明朗的青年男声", "bright young man's voice"),
    ("adult", "female"): ("知性沉稳的女声", "composed woman's voice"),
    ("adult", "male"): ("浑厚的男声", "deep man's voice"),
    ("elder", "female"): ("慈祥的老年女声", "kind old woman's voice"),
    ("elder", "male"): ("沙哑缓慢的老年男声", "hoarse, slow old man's voice"),
}
_USUAL_TRAITS = {
    "child": ("好奇", "curious"),
    "young": ("开朗", "cheerful"),
    "adult": ("执着", "determined"),
    "elder": ("沉静", "quiet"),
}
_MAX_TRAITS = 3


@lru_cache(maxsize=1)
def _traits() -> Vocabulary:
    return Vocabulary(
        lexicon.Entry(table["name_en"], (*table["zh"], *table["en"]), table) for table in data()["personality"]
    )


def make_characters(source: Source, spec: ScriptSpec) -> list[Character]:
    """The cast: the source's people, the main one first. A fixed protagonist takes the main one's place; a wish in
    ``spec.instruction`` changes the people it names, or all if it names none."""
    language = source.language
    named = [p for p in source.people if any(form in spec.instruction for form in p.forms)]
    taken: set[str] = set()
    cast = []
    for index, person in enumerate(source.people):
        wish = spec.instruction if not named or person in named else ""
        cast.append(_character(source, person, index, wish, taken, spec.seed))
    fixed = spec.fixed_protagonist
    if fixed is not None:
        others = [character for character in cast[1:] if character.name != fixed.name]
        changed = wished(fixed, spec.instruction, language) if spec.instruction else fixed
        cast = [changed.model_copy(update={"character_type": "protagonist"}), *others]
    return cast


def _character(source: Source, person: Person, index: int, wish: str, taken: set[str], seed: int) -> Character:
    language = source.language
    gender: Gender = person.gender or "other"
    age: Age = person.age or "adult"
    about = _about(source, person)
    text = in_language(language, "。", ". ").join(about)
    role = outfits.role_of(person, [beat.told for beat in source.beats if person.name in beat.people])
    look = outfits.outfit(role, language)
    look.update(looks.look_in(text, language))
    if wish:
        gender, age = wished_kind(wish, gender, age)
        look.update(looks.look_in(wish, language))
    key = f"{seed}\n{person.name}"
    looks.complete(look, gender=gender, age=age, key=key, taken=taken, language=language)
    appearance = looks.describe(look, gender=gender, age=age, language=language)
    if role and outfits.is_plain(role):
        appearance = outfits.describe_plain(role, [beat.told for beat in source.beats], language)
    if wish:
        appearance += in_language(language, "，", ", ") + wish.strip()
    speaks = any(line.speaker == person.name for beat in source.beats for line in beat.lines)
    kind = "protagonist" if index == 0 else "supporting" if speaks or person.mentions > 1 or index < 3 else "extras"
    return Character(
        name=person.name,
        character_type=kind,
        description=shorten(" ".join(about[:2]), language, zh_characters=60, en_words=30) or person.name,
        personality=_personality(text + wish, age, language),
        appearance=appearance,
        voice_style=voice_of(gender, age, language),
        gender=gender,
        age=age,
    )


def voice_of(gender: Gender, age: Age, language: Language) -> str:
    return in_language(language, *_VOICES.get((age, gender), ("自然的声音", "natural voice")))


def traits_in(text: str, language: Language) -> list[str]:
    """Traits of character that a text names."""
    by_id = {entry.id: entry for entry in _traits().entries}
    found = list(_traits().scores(text))[:_MAX_TRAITS]
    return [in_language(language, by_id[name].fields["name_zh"], name) for name in found]


def _about(source: Source, person: Person) -> list[str]:
    """The sentences that speak of this person before they speak of anybody else."""
    finder = mentions_of(source.people, source.language)
    about = []
    for beat in source.beats:
        if person.name not in beat.people:
            continue
        text = beat.told
        names = finder.names(text)
        if text and (not names or names[0] == person.name):
            about.append(without_lead(one_line(text), source.language))
    return about + [text for text in source.background if finder.names(text)[:1] == [person.name]]


def _personality(text: str, age: Age, language: Language) -> list[str]:
    words = traits_in(text, language)
    usual = in_language(language, *_USUAL_TRAITS[age])
    return words if len(words) > 1 or usual in words else [*words, usual]


def wished_kind(wish: str, gender: Gender, age: Age) -> tuple[Gender, Age]:
    """Gender and age as a wish names them."""
    hits = roles().find(wish)
    if hits:
        fields = hits[0].entry.fields
        gender = fields["gender"] if fields["gender"] != "other" else gender
        age = fields["age"]
    aged = ages().find(wish)
    return gender, (aged[0].entry.id if aged and not hits else age)  # type: ignore[return-value]


def wished(character: Character, wish: str, language: Language) -> Character:
    """A character somebody else described, with a wish: the later words are the ones that count."""
    gender, age = wished_kind(wish, character.gender, character.age)
    joint = in_language(language, "，", ", ") if character.appearance else ""
    return character.model_copy(
        update={"appearance": f"{character.appearance}{joint}{wish.strip()}", "gender": gender, "age": age}
    )


def roles_in_film(source: Source, spec: ScriptSpec) -> dict[str, str | None]:
    """For every person of the source the name they have in the film; None for one the user took out.

    A person keeps their name if the list has it. The main person becomes the fixed protagonist; one whose name the
    user changed is found by the place in the list."""
    people = [person.name for person in source.people]
    given = [character.name for character in spec.characters]
    fixed = spec.fixed_protagonist.name if spec.fixed_protagonist else None
    if not given:
        names: dict[str, str | None] = {name: name for name in people}
        if fixed and people:
            names[people[0]] = fixed
        return names
    renamed: dict[str, str | None] = {name: name if name in given else None for name in people}
    if fixed in given and people and renamed[people[0]] is None:
        renamed[people[0]] = fixed
    free = [name for name in given if name not in renamed.values()]
    for index, name in enumerate(people):
        if renamed[name] is None and index < len(given) and given[index] in free:
            renamed[name] = given[index]
            free.remove(given[index])
    return renamed
