"""The list of words that are not allowed."""

import time
from pathlib import Path

import pytest

from control_plane.moderation.hook import load_moderator
from control_plane.moderation.words import WordList
from runtime.settings import Settings


@pytest.fixture
def words(tmp_path: Path) -> WordList:
    path = tmp_path / "words.txt"
    path.write_text("# not allowed\n炸弹\nass\nbad word  # a phrase\n\nÉclair\n", "utf-8")
    return WordList(Settings(moderation_words=path))


@pytest.mark.parametrize(
    "text",
    [
        "桌上有一颗炸弹。",
        "炸 弹",
        "炸\u200b弹",
        "炸，弹",
        "an ASS!",
        "a.s.s",
        "我ass我",
        "ｂａｄ　ｗｏｒｄ",
        "badword",
        "ba\u00add-wörd",
        "eclair",
        "E\u0301CLAIR",
    ],
)
def test_a_word_is_found_in_disguise(words: WordList, text: str) -> None:
    assert words.check_prompt(text) is not None


@pytest.mark.parametrize("text", ["", "class", "assassin", "the grass", "炸鸡和子弹", "bad words", "not a bad worder"])
def test_what_only_looks_like_it_is_allowed(words: WordList, text: str) -> None:
    assert words.check_prompt(text) is None


def test_subtitles_are_read_and_pictures_are_not(words: WordList, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("1\n00:00:00,000 --> 00:00:01,000\n炸弹\n", "utf-8")
    assert words.check_output("application/x-subrip", path) is not None
    assert words.check_output("image/png", path) is None


def test_a_long_text_is_quick(words: WordList) -> None:
    started = time.perf_counter()
    assert words.check_prompt("as " * 100_000) is None
    assert time.perf_counter() - started < 3


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"moderation": "no.such.module:Thing"}, "REELFARM_MODERATION"),
        ({"moderation": "nonsense"}, "REELFARM_MODERATION"),
        ({"moderation": "control_plane.moderation.words:WordList"}, "REELFARM_MODERATION_WORDS"),
        (
            {"moderation": "control_plane.moderation.words:WordList", "moderation_words": "/nowhere/words.txt"},
            "REELFARM_MODERATION_WORDS",
        ),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, str], name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: "):
        load_moderator(Settings.model_validate(settings))
