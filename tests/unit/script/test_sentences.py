import pytest

from models.draft.script import chinese
from models.draft.script.sentences import MAX_SENTENCE_S, Piece, split_quotes, split_sentences
from models.draft.script.text import clean, detect_language, has_words, speech_seconds
from models.interfaces import UserInputError


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("天黑了。月亮升起来！真美？", ["天黑了。", "月亮升起来！", "真美？"]),
        ("Mr. Lin paid 3.5 dollars. He left.", ["Mr. Lin paid 3.5 dollars.", "He left."]),
        (
            "He met J. K. Stone at 5 p.m. on Monday. Then rain.",
            ["He met J. K. Stone at 5 p.m. on Monday.", "Then rain."],
        ),
        ("他走了……再也没有回来。", ["他走了……", "再也没有回来。"]),
        ("Wait... what? No!", ["Wait... what?", "No!"]),
        ("no end at all", ["no end at all"]),
        ("هذا يوم جميل. أين أنت؟ هنا.", ["هذا يوم جميل.", "أين أنت؟", "هنا."]),
        ("他说完（笑了）。走了。", ["他说完（笑了）。", "走了。"]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, sentences: list[str]) -> None:
    assert split_sentences(text, chinese.words) == sentences


@pytest.mark.parametrize("text", ["雨一直下" * 80, "word " * 300, "a" * 5000, "走，" * 200, "日光" + "，和月光" * 60])
def test_no_sentence_is_longer_than_a_shot_may_talk_and_no_word_is_lost(text: str) -> None:
    parts = split_sentences(text, chinese.words)
    assert all(speech_seconds(part) <= MAX_SENTENCE_S for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_run_on_chinese_is_cut_between_words() -> None:
    text = "老渔夫和小女孩坐在沙滩上看着夕阳慢慢落进金色的大海里" * 4
    words = chinese.words(text)
    ends = {sum(len(word) for word in words[: index + 1]) for index in range(len(words))}
    position = 0
    for part in split_sentences(text, chinese.words):
        position += len(part)
        assert position in ends


@pytest.mark.parametrize(
    ("paragraph", "pieces"),
    [
        ("他说：“走吧。”她点头。", [("他说：", False), ("走吧。", True), ("她点头。", False)]),
        ('"Go," he said.', [("Go,", True), ("he said.", False)]),
        ("「来吧！」", [("来吧！", True)]),
        ("他们叫它“海之星”。", [("他们叫它“海之星”。", False)]),
        ('A 5" screw and nothing else.', [('A 5" screw and nothing else.', False)]),
        ("It's the dogs' bowl.", [("It's the dogs' bowl.", False)]),
        ("“没有说完", [("没有说完", True)]),
    ],
)
def test_speech_is_told_from_narration(paragraph: str, pieces: list[tuple[str, bool]]) -> None:
    assert split_quotes(paragraph) == [Piece(*piece) for piece in pieces]


@pytest.mark.parametrize("mark", ["“", "‘a", '"a', "«", "「"])
def test_thousands_of_marks_that_never_close_are_read_once(mark: str) -> None:
    assert "".join(piece.text for piece in split_quotes("a " + mark * 50_000))


def test_chinese_is_spoken_by_the_character_and_english_by_the_word() -> None:
    assert speech_seconds("一二三四五六七八九十") == pytest.approx(10 / 4.2)
    assert speech_seconds("one two three, four!") == pytest.approx(4 / 2.6)
    assert speech_seconds("……！") == 0


@pytest.mark.parametrize(
    ("text", "language"),
    [("今天天气很好", "zh"), ("A fine day", "en"), ("我爱 Python 和 Ray", "zh"), ("مرحبا", "en"), ("123", "en")],
)
def test_language(text: str, language: str) -> None:
    assert detect_language(text) == language


def test_invisible_characters_go_and_a_nul_is_refused_by_its_line() -> None:
    assert clean("a\u200bb\x07c\r\nd\ufeff\u202e\ud800") == "abc\nd"
    with pytest.raises(UserInputError, match="line 2"):
        clean("one\ntwo\0")


@pytest.mark.parametrize("text", ["😀🎬", "。。。！", "1️⃣", "—— \n ***", "❤️ ✨"])
def test_emoji_and_marks_are_no_words(text: str) -> None:
    assert not has_words(text)
