import re
import tomllib
from string import Template

import pytest

from models.language import schemas
from models.language.prompts import FOLDER, Prompts
from models.specs import ScriptStep

pytestmark = pytest.mark.xdist_group("torch")

TEMPLATES: dict[str, set[str]] = {
    "role": set(),
    "storyline": {"given", "material", "wishes", "content_rule"},
    "artstyle": {"given", "material", "wishes"},
    "characters": {"given", "material", "wishes", "names_rule"},
    "scenes": {"given", "material", "wishes", "names_rule"},
    "storyboard": {"given", "material", "wishes", "count", "seconds", "previous"},
    "direct": {"given", "material", "wishes", "previous"},
    "rewrite": {"given", "material", "wishes", "kind"},
    "digest": {"material", "limit"},
}
VERSIONS = [path.name for path in FOLDER.iterdir() if path.is_dir()]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_template_is_there_and_holds_what_it_is_given(version: str, language: str) -> None:
    folder = FOLDER / version / language
    assert {path.stem for path in folder.glob("*.md")} == set(TEMPLATES)
    assert {str(step) for step in ScriptStep} < set(TEMPLATES)
    for name, placeholders in TEMPLATES.items():
        template = Template((folder / f"{name}.md").read_text(encoding="utf-8"))
        assert template.is_valid()
        assert set(template.get_identifiers()) == placeholders, name


@pytest.mark.parametrize("version", VERSIONS)
def test_both_languages_have_the_same_sections(version: str) -> None:
    zh, en = (
        tomllib.loads((FOLDER / version / language / "sections.toml").read_text(encoding="utf-8"))
        for language in ("zh", "en")
    )
    assert zh.keys() == en.keys()
    for name in zh:
        assert set(Template(zh[name]).get_identifiers()) == set(Template(en[name]).get_identifiers()), name
        assert Template(zh[name]).is_valid(), name


@pytest.mark.parametrize("version", VERSIONS)
def test_prompts_tell_what_every_field_of_the_schemas_means(version: str) -> None:
    asked = {
        "storyline": schemas.storyline("en", content=9),
        "artstyle": schemas.art_style("en"),
        "characters": schemas.character("en"),
        "scenes": schemas.scene("en"),
        "storyboard": schemas.shot("en", ["x"], ["y"]),
    }
    for language in ("zh", "en"):
        sections = (FOLDER / version / language / "sections.toml").read_text(encoding="utf-8")
        for name, schema in asked.items():
            text = (FOLDER / version / language / f"{name}.md").read_text(encoding="utf-8") + sections
            for field in schema["properties"].keys() - {"character_type"}:
                assert re.search(rf"\b{field}\b", text, re.ASCII), (language, name, field)


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(ValueError, match="no prompts v99, only v1"):
        Prompts("v99")
