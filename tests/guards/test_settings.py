"""docs/settings.md knows every setting and its default, and no other."""

import re
from pathlib import Path

from pydantic_core import PydanticUndefined

from runtime.settings import Settings

_ROW = re.compile(r"^\| `REELFARM_([A-Z0-9_]+)` \| ([^|]+) \| ([^|]+) \|$", re.M)
DOCUMENTED = {
    name.lower(): default.strip("` ")
    for name, default, _ in _ROW.findall((Path(__file__).parents[2] / "docs/settings.md").read_text("utf-8"))
}


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    assert sorted(DOCUMENTED) == sorted(Settings.model_fields)


def test_the_documented_defaults_are_the_defaults() -> None:
    wrong = {
        name: (DOCUMENTED[name], field.default)
        for name, field in Settings.model_fields.items()
        if isinstance(field.default, int | float)
        and not isinstance(field.default, bool)
        and field.default is not PydanticUndefined
        and float(DOCUMENTED[name]) != field.default
    }
    assert wrong == {}
