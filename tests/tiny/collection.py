"""All tiny models of the real classes in one folder, with the catalog that lists them."""

import tomllib
from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

ENTRIES = Path(__file__).parent / "entries"
ORDER = ("language", "flux2_klein", "animators", "vits", "music")
"""Whose entries come first, and so are the defaults of their tasks."""
_USES = {
    "tiny-flux2-klein": 'uses.embedding = "tiny-dinov2"',
    "tiny-vits": 'uses.alignment = "tiny-aligner"',
}
"""What goes between entries: each file alone is a catalog too."""
_BUILDERS = ("alignment", "animators", "language", "music", "painters", "vision", "voices")
_ENCODER = """
[[model]]
id = "encoder"
display_name = "Film encoder"
tasks = ["encode"]
license = "Apache-2.0"
cost.base = 2
"""


def entries() -> list[Path]:
    """The files that list tiny models which can be served here, in the catalog's order."""
    found = sorted(ENTRIES.glob("*.toml"))
    if find_spec("torchaudio") is None:  # Higgs' codec needs it
        found = [path for path in found if path.stem != "higgs"]
    return sorted(found, key=lambda path: ORDER.index(path.stem) if path.stem in ORDER else len(ORDER))


def build(folder: Path, names: Iterable[str] | None = None) -> Path:
    """Build the models whose folders are named, or all; returns the catalog, which lists them all."""
    catalog = folder / "catalog.toml"
    text = "\n".join(path.read_text(encoding="utf-8") for path in entries()) + _ENCODER
    for model_id, uses in _USES.items():
        text = text.replace(f'id = "{model_id}"\n', f'id = "{model_id}"\n{uses}\n', 1)
    folder.mkdir(parents=True, exist_ok=True)
    catalog.write_text(text, encoding="utf-8")
    wanted = [model["weights"]["path"] for model in tomllib.loads(text)["model"] if "weights" in model]
    for name in dict.fromkeys(wanted) if names is None else names:
        if not (folder / name).is_dir():
            builder(name)(folder / name)
    return catalog


def builder(name: str) -> Callable[[Path], None]:
    for module in _BUILDERS:
        if (found := getattr(import_module(f"tests.tiny.{module}"), f"build_{name}", None)) is not None:
            return found
    raise LookupError(f"no build_{name} in tests/tiny/")
