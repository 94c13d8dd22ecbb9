"""The prompt templates: text files by version, language and step."""

import re
import tomllib
from functools import cache
from pathlib import Path
from string import Template

from models.specs import Language

FOLDER = Path(__file__).with_name("prompts")


class Prompts:
    """``prompts/<version>/<language>/<template>.md`` are whole requests; ``sections.toml`` beside them has the
    paragraphs that a request holds only where there is something to say."""

    def __init__(self, version: str) -> None:
        """Raises ValueError for a version that there is not."""
        if not (FOLDER / version).is_dir():
            known = ", ".join(sorted(path.name for path in FOLDER.iterdir() if path.is_dir()))
            raise ValueError(f"there are no prompts {version}, only {known}")
        self.version = version

    def request(self, language: Language, template: str, /, **values: object) -> str:
        """Raises KeyError for a value that the template needs and does not get."""
        text = _template(self.version, language, template).substitute(values)
        return re.sub(r"\n{3,}", "\n\n", text).strip()

    def section(self, language: Language, name: str, /, **values: object) -> str:
        return Template(_sections(self.version, language)[name]).substitute(values).strip()


@cache
def _template(version: str, language: Language, name: str) -> Template:
    return Template((FOLDER / version / language / f"{name}.md").read_text(encoding="utf-8"))


@cache
def _sections(version: str, language: Language) -> dict[str, str]:
    return tomllib.loads((FOLDER / version / language / "sections.toml").read_text(encoding="utf-8"))
