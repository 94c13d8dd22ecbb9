"""The catalog of the storm: one model on CPUs for words and speech, one on (pretended) GPUs for pictures."""

from pathlib import Path

_ENTRIES = """
[[model]]
id = "writer"
display_name = "Writer"
tasks = ["script"]
adapter = "tests.chaos.storm.actors:Writer"
license = "Apache-2.0"
options = {{ log = "{log}" }}
cost = {{ base = 2 }}

[[model]]
id = "painter"
display_name = "Painter"
tasks = ["text_to_image", "image_to_image"]
adapter = "tests.chaos.storm.actors:Painter"
device = "gpu"
license = "Apache-2.0"
options = {{ log = "{log}" }}
cost = {{ base = 3, per_megapixel = 1.5 }}

[[model]]
id = "speaker"
display_name = "Speaker"
tasks = ["speech"]
adapter = "tests.chaos.storm.actors:Speaker"
license = "Apache-2.0"
options = {{ log = "{log}" }}
cost = {{ base = 1, per_second = 0.5 }}
"""

_VOICE = """
[[model.voice]]
id = "en-{use}"
display_name = "{use}"
language = "en"
gender = "female"
age_range = "adult"
tone = "calm"
use = "{use}"
"""


def write_catalog(path: Path, log: Path) -> None:
    voices = "".join(_VOICE.format(use=use) for use in ("narration", "dialogue"))
    path.write_text(_ENTRIES.format(log=log) + voices, encoding="utf-8")
