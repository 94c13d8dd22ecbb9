"""The catalog entries of the tiny models, as a test asks for one of them."""

import tomllib
from pathlib import Path
from typing import Any

from models.catalog import Model

_ENTRIES = Path(__file__).parents[2] / "tiny" / "entries"


def entry(file: str, model_id: str, **options: Any) -> Model:
    """The entry ``model_id`` of ``tests/tiny/entries/<file>.toml``, with other ``options`` where some are given."""
    entries = tomllib.loads((_ENTRIES / f"{file}.toml").read_text(encoding="utf-8"))["model"]
    found = next(each for each in entries if each["id"] == model_id)
    found["options"] = {**found["options"], **options}
    return Model.model_validate(found)
