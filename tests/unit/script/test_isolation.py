"""What a fresh process sees: the same bytes, a light import, nothing written, nothing said."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.unit.script.flow import break_down, sample

ROOT = Path(__file__).parents[3]
BREAK_DOWN = """
import json, sys
from tests.unit.script.flow import break_down, sample
script = break_down(sample(sys.argv[1]), sys.argv[2], target_duration_s=40)
print(json.dumps([part.model_dump() for part in [script.storyline, script.art_style, *script.characters, *script.scenes,
                                                 *script.shots]], ensure_ascii=True))
"""


def _python(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=True,
    )


def test_every_process_makes_the_same_script_and_says_and_writes_nothing(tmp_path: Path) -> None:
    outputs = {}
    for hash_seed in ("1", "2"):
        temporary = tmp_path / hash_seed
        temporary.mkdir()
        done = _python(BREAK_DOWN, "seaside.txt", "text", PYTHONHASHSEED=hash_seed, TMPDIR=str(temporary))
        assert done.stderr == ""
        assert list(temporary.iterdir()) == []
        outputs[hash_seed] = done.stdout
    script = break_down(sample("seaside.txt"), target_duration_s=40)
    here = [script.storyline, script.art_style, *script.characters, *script.scenes, *script.shots]
    assert outputs["1"] == outputs["2"]
    assert json.loads(outputs["1"]) == [part.model_dump(mode="json") for part in here]


def test_a_temporary_directory_that_cannot_be_written_is_no_matter() -> None:
    _python(BREAK_DOWN, "seaside.txt", "text", TMPDIR="/proc/nowhere")


def test_checking_and_importing_load_no_dictionary_and_no_engine() -> None:
    code = """
import sys
from models.draft.script.check import check_source
from models.draft.script import DraftScriptWriter
check_source("text", "海浪涌上沙滩。")
check_source("script", "INT. ROOM - DAY\\n\\nANN\\nHi.\\n")
check_source("storyboard", "画面,运镜\\n海,推\\n")
print(sorted({"jieba", "numpy", "av", "cv2", "torch", "ray"} & set(sys.modules)))
"""
    assert _python(code).stdout.strip() == "[]"


def test_english_needs_no_chinese_dictionary() -> None:
    code = """
import sys
from tests.unit.script.flow import break_down, sample
break_down(sample("lantern_city.txt"))
print("jieba" in sys.modules)
"""
    assert _python(code).stdout.strip() == "False"
