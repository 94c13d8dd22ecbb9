import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.draft.speech.text import begins_word, runs_of
from models.spoken_text import PAUSE_AFTER_S, cleaned, is_speakable


def _languages(text: str, language: str = "zh") -> list[tuple[str, str]]:
    return [(run.text, run.language) for run in runs_of(text, language)]  # type: ignore[arg-type]


@given(st.text(min_size=1, max_size=700), st.sampled_from(["zh", "en"]))
def test_runs_joined_are_the_text(text: str, language: str) -> None:
    runs = _languages(text, language)
    assert "".join(part for part, _ in runs) == text
    if is_speakable(text):
        assert all(is_speakable(part) for part, _ in runs)
    assert len(cleaned(text)) == len(text)


@given(st.text(max_size=200))
def test_nothing_that_espeak_takes_for_a_command_is_left(text: str) -> None:
    assert all(ord(character) >= 32 or character == "\n" for character in cleaned(text))


def test_sentences_are_spoken_one_by_one() -> None:
    chinese = "今天下雨。“你去哪儿？”……“回家！”"
    assert [text for text, _ in _languages(chinese)] == ["今天下雨。", "“你去哪儿？”……", "“回家！”"]
    english = "It cost 3.14 dollars. Mr. Fox laughed. Did he?"
    assert [text for text, _ in _languages(english, "en")] == [
        "It cost 3.14 dollars. ",
        "Mr. Fox laughed. ",
        "Did he?",
    ]


def test_each_script_is_spoken_in_its_language() -> None:
    assert _languages("我爱 Python 3，你呢") == [("我爱 ", "zh"), ("Python 3，", "en"), ("你呢", "zh")]
    assert _languages("He said 你好 twice", "en") == [("He said ", "en"), ("你好 ", "zh"), ("twice", "en")]
    assert _languages("Привет 42", "en") == [("Привет 42", "ru")]
    assert _languages("2024", "zh") == [("2024", "zh")]


def test_a_long_sentence_is_cut_where_one_may_breathe() -> None:
    runs = runs_of("我们走过了高山，" * 100, "zh")
    assert max(len(run.text) for run in runs) <= 220
    assert all(run.text.endswith("，") for run in runs)
    assert max(len(run.text) for run in runs_of("a" * 3000, "en")) <= 220


def test_pauses_follow_the_punctuation() -> None:
    runs = runs_of("第一段。第二句\n他说Python很好。", "zh")
    assert [run.pause_s for run in runs] == [
        PAUSE_AFTER_S["sentence"],
        PAUSE_AFTER_S["paragraph"],
        PAUSE_AFTER_S["run"],
        PAUSE_AFTER_S["run"],
        PAUSE_AFTER_S["sentence"],
    ]


@pytest.mark.parametrize("text", ["", "……！？", "😀🎬", " \n\t", "—— …", "\x00\x01"])
def test_without_letters_or_numbers_there_is_nothing_to_speak(text: str) -> None:
    assert not is_speakable(text)


@pytest.mark.parametrize(
    ("text", "index", "expected"),
    [
        ("12345", 2, False),
        ("3.14", 2, False),
        ("3.14", 1, False),
        ("it's", 2, False),
        ("你好", 1, True),
        ("a b", 2, True),
    ],
)
def test_words_begin_between_words(text: str, index: int, expected: bool) -> None:
    assert begins_word(text, index) is expected
