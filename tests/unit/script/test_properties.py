"""Whatever is typed in: a clear refusal or a film that holds together."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.draft.script.check import check_source
from models.interfaces import UserInputError
from tests.unit.script.flow import Script, break_down

WORDS = [
    "林晓雨",
    "老渔夫",
    "Anna",
    "the old man",
    "海滩",
    "forest",
    "夜晚",
    "rain",
    "说：",
    "said",
    "“",
    "”",
    '"',
    "他",
    "she",
]
WORDS += [
    "。",
    ". ",
    "！",
    "\n",
    "\n\n",
    "INT. ROOM - DAY",
    "小明：",
    "# ",
    "，",
    "...",
    "😀",
    "مرحبا",
    "|",
    ",",
    "[[",
    "]]",
    "\u200b",
]
stories = st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=12)), max_size=40).map("".join)
targets = st.one_of(st.none(), st.floats(min_value=1.5, max_value=400))
modes = st.sampled_from(["general", "professional"])
kinds = st.sampled_from(["text", "script", "storyboard"])


def _holds_together(script: Script, target_s: float | None) -> None:
    scenes = {scene.name for scene in script.scenes}
    people = {character.name for character in script.characters}
    assert len(scenes) == len(script.scenes) >= 1
    assert len(people) == len(script.characters)
    assert [shot.shot_number for shot in script.shots] == list(range(1, len(script.shots) + 1))
    assert script.shots
    for shot in script.shots:
        assert shot.scene in scenes
        assert set(shot.characters) <= people
        assert {line.character for line in shot.dialogue} <= people
        assert shot.duration_s >= 1.5 - 1e-9 or target_s is None
        assert shot.description.strip()
    if target_s is not None:
        assert script.duration_s == pytest.approx(target_s, rel=0.05)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(stories, kinds, modes, targets)
def test_any_text_is_refused_clearly_or_becomes_a_film(text: str, kind: str, mode: str, target_s: float | None) -> None:
    try:
        check_source(kind, text)  # type: ignore[arg-type]
    except UserInputError as refused:
        with pytest.raises(UserInputError) as again:
            break_down(text, kind, input_mode=mode)
        assert str(again.value) == str(refused)
        return
    _holds_together(break_down(text, kind, input_mode=mode, target_duration_s=target_s), target_s)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(stories)
def test_professional_tells_every_letter_outside_headings(text: str) -> None:
    story = "甲" + text.replace("\n", " ").replace("#", "").replace("：", "").replace(":", "")
    try:
        script = break_down(story, input_mode="professional")
    except UserInputError:
        return
    assert sorted(filter(str.isalnum, script.heard)) == sorted(filter(str.isalnum, story))
