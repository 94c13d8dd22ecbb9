"""A text longer than the model reads at once is read in parts."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.language.reading import split
from models.language.writer import LanguageModelWriter
from tests.unit.models.language.told import Told, known, open_writer, spec

pytestmark = pytest.mark.xdist_group("torch")

LONG = "\n\n".join(
    f"In the year {year} the keeper of the lighthouse wrote letter {year * 7}." for year in range(1900, 1960)
)


@pytest.fixture(scope="module")
def short_sighted(folder: Path) -> LanguageModelWriter:
    return open_writer(folder, context_tokens=2600, max_new_tokens=64)


@given(st.text(max_size=300), st.integers(1, 60), st.integers(1, 5))
def test_parts_are_the_text_and_fit(text: str, room: int, least: int) -> None:
    parts = split(text, len, room, least)
    assert "".join(parts) == text
    assert all(len(part) <= room for part in parts)


def test_parts_are_alike_and_end_with_sentences() -> None:
    size: Callable[[str], int] = len
    parts = split("One two three. " * 40, size, 1000, 4)
    assert len(parts) == 4
    assert max(map(len, parts)) <= 2 * min(map(len, parts))
    assert all(part.endswith(". ") for part in parts)


@pytest.mark.parametrize("step", ["storyline", "artstyle", "characters", "scenes"])
def test_a_long_text_becomes_notes_part_by_part(short_sighted: LanguageModelWriter, step: str) -> None:
    report = Told()
    result = short_sighted.write(spec(step, LONG), report)
    assert len(report.prompts) > 2
    for year in (1900, 1930, 1959):
        assert sum(f"the year {year} " in prompt for prompt in report.prompts[:-1]) == 1
    assert "(notes on the parts of a long text)" in report.prompts[-1]
    assert report.fractions == sorted(report.fractions)
    assert result.model_fields_set
    for prompt in report.prompts:
        assert short_sighted._conversation is not None
        assert short_sighted._conversation.tokens_of(prompt) <= 2600


def test_a_long_text_is_filmed_part_by_part_with_shots_numbered_through(short_sighted: LanguageModelWriter) -> None:
    report = Told()
    fields = known(storyline=None, target_duration_s=40)
    shots = short_sighted.write(spec("storyboard", LONG, **fields), report).shots
    assert len(report.prompts) > 2
    for year in (1900, 1930, 1959):
        assert sum(f"the year {year} " in prompt for prompt in report.prompts) == 1
    assert [shot.shot_number for shot in shots] == list(range(1, len(shots) + 1))
    assert sum(shot.duration_s for shot in shots) == pytest.approx(40, abs=1)
    assert "(part 2 of " in report.prompts[1]
    assert "Shots before" in report.prompts[1]
    assert "Shots before" not in report.prompts[0]


def test_long_documents_become_notes_too(short_sighted: LanguageModelWriter) -> None:
    report = Told()
    short_sighted.write(spec("artstyle", "A lighthouse at night.", documents=[LONG]), report)
    assert any("the year 1900 " in prompt for prompt in report.prompts[:-1])
    assert "the year 1900 " not in report.prompts[-1]


def test_a_book_is_no_trouble(folder: Path) -> None:
    writer = open_writer(folder, context_tokens=8192, max_new_tokens=64)
    report = Told()
    book = "".join(f"第{number}天，守塔人又写了一封信，放进瓶子，扔进大海。" for number in range(1, 7300))
    assert 190_000 < len(book) < 210_000
    result = writer.write(spec("artstyle", book, language="zh"), report)
    assert result.art_style is not None
    assert len(report.prompts) > 20
