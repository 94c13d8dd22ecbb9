import unicodedata
from itertools import accumulate, pairwise

import jieba
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.specs import FilmSpeech, Word
from pipelines.media.cues import MAX_CUE_S, MIN_CUE_S, Cue, build_cues
from pipelines.media.text import drawable

STORY = (
    "清晨的海边，渔夫阿明推着小船走向大海。他抬头看了看天空，心里想着远方的女儿：“等你回来，我们一起去看灯塔！”"
    "海风吹过沙滩……浪花轻轻拍打着他的脚，仿佛在诉说着一个很久很久以前的故事"
)
ENGLISH = (
    "At dawn, the old fisherman pushed his small boat toward the sea. He looked up at the sky and thought of "
    'his daughter, far away in the city. "When you come back," he whispered, "we\'ll see the lighthouse!"'
)
NO_START = set("，。！？、；：”’）》」』,.!?;:)")
NO_END = set("“‘（《「『(")


def columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def spoken(text: str, start_s: float = 0.0, rate: float = 4.5, **fields: object) -> FilmSpeech:
    """A line spoken at ``rate`` characters a second, one word per character, with pauses at punctuation."""
    words, now = [], 0.1
    for character in text:
        length = 1 / rate if character.isalnum() else 0.05
        words.append(Word(text=character, start_s=now, end_s=now + length))
        now += length + (0.3 if character in "，。！？" else 0.0)
    return FilmSpeech(audio_key="a", start_s=start_s, duration_s=now + 0.1, text=text, words=words, **fields)


def cues_of(*lines: FilmSpeech, offset_s: float = 0.0, end_s: float = 1000.0, width: float = 1e9) -> list[Cue]:
    return build_cues(
        lines,
        offset_s=offset_s,
        film_end_s=end_s,
        max_width=width,
        measure=lambda text: float(columns(text)),
        drawable=drawable,
    )


def joined(cues: list[Cue]) -> str:
    return "".join("".join(cue.lines) for cue in cues).replace(" ", "")


@pytest.mark.parametrize(("text", "rate"), [(STORY, 4.5), (ENGLISH, 13.0)])
def test_cues_keep_the_text_and_read_well(text: str, rate: float) -> None:
    cues = cues_of(spoken(text, rate=rate))
    assert joined(cues) == text.replace(" ", "")
    limit = 36 if text is STORY else 42
    for cue in cues:
        assert 1 <= len(cue.lines) <= 2
        assert cue.end_s - cue.start_s >= MIN_CUE_S - 1e-6
        assert cue.end_s - cue.start_s <= MAX_CUE_S + 0.3
        for line in cue.lines:
            assert columns(line) <= limit + 1
            assert line[0] not in NO_START
            assert line[-1] not in NO_END
    for before, after in pairwise(cues):
        assert after.start_s >= before.end_s


def test_a_cue_starts_when_its_first_word_does_and_stays_while_it_is_spoken() -> None:
    line = spoken(STORY, start_s=3.0)
    at = 0
    for cue in cues_of(line, offset_s=2.0):
        spoken_words = [word for word in line.words[at : at + len("".join(cue.lines))] if word.text.isalnum()]
        at += len("".join(cue.lines))
        assert abs(cue.start_s - (5.0 + spoken_words[0].start_s)) <= 0.15
        assert cue.end_s >= 5.0 + spoken_words[-1].end_s - 1e-3


def test_words_are_never_cut() -> None:
    for line in (text for cue in cues_of(spoken(ENGLISH, rate=13.0)) for text in cue.lines):
        assert all(word in ENGLISH.split() for word in line.split())
    text = "这个研究生物的科学家终于发现了海洋深处发光水母的秘密并且写成论文发表在国际期刊"
    ends = set(accumulate(len(word) for word in jieba.cut(text)))
    for width in range(12, 37):
        lines = [line for cue in cues_of(spoken(text), width=float(width)) for line in cue.lines]
        assert set(accumulate(map(len, lines))) <= ends, width
    lines = [text for cue in cues_of(spoken(text)) for text in cue.lines]
    assert len(lines) > 2
    for word in ("科学家", "终于", "发现", "水母", "秘密", "国际", "期刊"):
        assert any(word in line for line in lines), word


def test_a_quote_is_not_torn_from_its_marks() -> None:
    for cue in cues_of(spoken(STORY)):
        for line in cue.lines:
            assert not line.endswith("“")
            assert not line.startswith("”")


def test_sentences_end_cues() -> None:
    cues = cues_of(spoken("太阳升起来了，照亮了整个宁静的海湾。渔夫们收起渔网，准备回到温暖的家里去。"))
    assert cues[0].lines[-1].endswith("海湾。")


def test_narrow_frames_get_shorter_lines() -> None:
    for cue in cues_of(spoken(STORY), width=20.0):
        assert all(columns(line) <= 20 for line in cue.lines)


def test_a_word_longer_than_a_line_is_split() -> None:
    text = "https://example.org/" + "a" * 120
    cues = cues_of(spoken(text, rate=30.0))
    assert joined(cues) == text
    assert all(columns(line) <= 43 for cue in cues for line in cue.lines)


def test_text_without_word_times_spreads_over_the_line() -> None:
    text = "第一句话说完了，这里没有单词的时间。第二句话也说完了，它在后半段的时间里。"
    line = FilmSpeech(audio_key="a", start_s=10.0, duration_s=8.0, text=text)
    cues = cues_of(line)
    assert cues[0].start_s == pytest.approx(10.0, abs=0.01)
    assert cues[-1].end_s == pytest.approx(18.25, abs=0.01)
    second = next(cue for cue in cues if "第二" in "".join(cue.lines))
    assert second.start_s == pytest.approx(14.0, abs=0.6)


def test_a_short_line_stays_a_second_unless_the_next_begins() -> None:
    short = FilmSpeech(audio_key="a", start_s=1.0, duration_s=0.3, text="嗯。")
    near = FilmSpeech(audio_key="b", start_s=1.6, duration_s=1.0, text="走吧。")
    assert cues_of(short)[0].end_s == pytest.approx(2.0)
    first, second = cues_of(short, near)
    assert first.end_s == second.start_s == pytest.approx(1.6)


def test_the_last_cue_ends_with_the_film() -> None:
    assert cues_of(spoken(STORY), end_s=6.0)[-1].end_s <= 6.0


def test_nothing_is_shown_for_text_that_cannot_be_drawn() -> None:
    assert cues_of(FilmSpeech(audio_key="a", start_s=0, duration_s=1, text="😀\u200d🎉")) == []
    assert cues_of(FilmSpeech(audio_key="a", start_s=0, duration_s=1, text="")) == []


def test_the_speaker_goes_with_the_cue() -> None:
    assert cues_of(spoken("你好。", speaker="阿明"))[0].speaker == "阿明"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 30), st.text("天地玄黄宇宙洪荒，。！ abcdef,.\n“”…😀", min_size=1, max_size=60)),
        min_size=1,
        max_size=5,
    )
)
def test_any_lines_give_ordered_cues_that_lose_nothing(lines: list[tuple[float, str]]) -> None:
    speech = [
        FilmSpeech(audio_key="a", start_s=at, duration_s=max(1.0, len(text) / 5), text=text) for at, text in lines
    ]
    cues = cues_of(*speech)
    for before, after in pairwise(cues):
        assert after.start_s >= before.end_s
    assert all(cue.end_s > cue.start_s and len(cue.lines) <= 2 for cue in cues)
    kept = "".join(sorted(drawable(text).replace(" ", "") for _, text in lines))
    assert sorted(joined(cues)) == sorted(kept)
