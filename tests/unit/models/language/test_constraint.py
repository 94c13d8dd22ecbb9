"""Whatever the model prefers, what it writes is JSON under the schema and ends within its budget."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import torch
from transformers import AutoTokenizer

from models.language import schemas
from models.language.constraint import JsonConstraint, Vocabulary
from models.weighted import BadOutputError

pytestmark = pytest.mark.xdist_group("torch")

SIZE = 768

SCHEMAS: dict[str, dict[str, Any]] = {
    "storyline": schemas.storyline("zh", content=2400),
    "style": schemas.art_style("en"),
    "characters": schemas.record(characters=schemas.several(schemas.character("zh"), 8, 1)),
    "scenes": schemas.record(scenes=schemas.several(schemas.scene("en"), 12, 1)),
    "shots": schemas.record(
        shots=schemas.several(
            schemas.shot("zh", ["晓雨", 'The "Old" Man]'], ["海边的、很长很长很长的堤岸", "Pier"]), 9, 1
        )
    ),
    "set": schemas.record(
        people=schemas.exactly([schemas.character("en", schemas.fixed(f"Somebody {n}")) for n in range(3)])
    ),
}


@pytest.fixture(scope="module")
def vocabulary(folder: Path) -> Vocabulary:
    return Vocabulary(AutoTokenizer.from_pretrained(folder), SIZE)


def write(vocabulary: Vocabulary, schema: dict[str, Any], budget: int, seed: int, **options: Any) -> JsonConstraint:
    """What a model writes whose likings change at random with every token."""
    settings = {"temperature": 1.0, "top_p": 1.0, "on_token": lambda tokens, budget: None, **options}
    constraint = JsonConstraint(vocabulary, schema, budget, seed=seed, **settings)
    likings = torch.Generator().manual_seed(seed)
    while not constraint.finished:
        scores = constraint(torch.empty(1, 0), torch.randn(1, SIZE, generator=likings) * 4)
        assert int(scores.argmax()) == constraint.tokens[-1]
    return constraint


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_seed_and_budget_ends_whole(vocabulary: Vocabulary, name: str) -> None:
    schema = SCHEMAS[name]
    shortest = write(vocabulary, schema, 1, 0).budget
    texts = set()
    for seed in range(24):
        budget = shortest + [0, 1, 7, 40, 150][seed % 5]
        constraint = write(vocabulary, schema, budget, seed)
        assert len(constraint.tokens) <= budget
        jsonschema_rs.validate(schema, json.loads(constraint.text))
        texts.add(constraint.text)
    assert len(texts) > 12


def test_a_text_that_would_never_end_is_brought_down_in_time(vocabulary: Vocabulary) -> None:
    letter = vocabulary.tokens.tokenize_str("a")[0]
    schema = schemas.storyline("en", content=2400)
    constraint = JsonConstraint(
        vocabulary, schema, 200, temperature=0, top_p=1, seed=0, on_token=lambda tokens, budget: None
    )
    likes_letters = torch.zeros(1, SIZE)
    likes_letters[0, letter] = 9
    while not constraint.finished:
        constraint(torch.empty(1, 0), likes_letters)
    assert 190 <= len(constraint.tokens) <= 200
    assert json.loads(constraint.text)["title"] == "a" * 72


def test_a_list_that_would_never_end_closes_after_a_whole_item(vocabulary: Vocabulary) -> None:
    quote = vocabulary.tokens.tokenize_str('"')[0]
    comma = vocabulary.tokens.tokenize_str(",")[0]
    schema = schemas.record(words=schemas.several(schemas.record(word=schemas.words(4, "zh")), 500))
    constraint = JsonConstraint(
        vocabulary, schema, 120, temperature=0, top_p=1, seed=0, on_token=lambda tokens, budget: None
    )
    likes_more = torch.zeros(1, SIZE)
    likes_more[0, quote], likes_more[0, comma] = 9, 8
    likes_more[0, vocabulary.tokens.tokenize_str("{")[0]] = 7
    while not constraint.finished:
        constraint(torch.empty(1, 0), likes_more)
    assert len(constraint.tokens) <= 120
    assert len(json.loads(constraint.text)["words"]) > 5


def test_a_budget_below_the_shortest_text_is_that_texts(vocabulary: Vocabulary) -> None:
    constraint = write(vocabulary, SCHEMAS["shots"], 3, 0)
    assert constraint.budget > 3
    assert len(constraint.tokens) <= constraint.budget


def test_the_seed_draws_and_temperature_0_does_not(vocabulary: Vocabulary) -> None:
    def texts(temperature: float, top_p: float) -> set[str]:
        found = set()
        for seed in range(4):
            constraint = JsonConstraint(
                vocabulary,
                SCHEMAS["style"],
                200,
                temperature=temperature,
                top_p=top_p,
                seed=seed,
                on_token=lambda tokens, budget: None,
            )
            likings = torch.Generator().manual_seed(1)
            while not constraint.finished:
                constraint(torch.empty(1, 0), torch.randn(1, SIZE, generator=likings))
            found.add(constraint.text)
        return found

    assert len(texts(1.0, 0.9)) == 4
    assert len(texts(0.0, 0.9)) == 1
    assert texts(1.0, 1e-6) == texts(0.0, 1.0)


def test_top_p_keeps_the_likeliest_that_together_reach_it(vocabulary: Vocabulary) -> None:
    schema = schemas.record(word={"type": "string", "maxLength": 1})
    a, b, c = (vocabulary.tokens.tokenize_str(letter)[0] for letter in "abc")
    scores = torch.full((1, SIZE), -1e4)
    scores[0, a], scores[0, b], scores[0, c] = (torch.tensor(share).log() for share in (0.5, 0.3, 0.2))
    seen = [json.loads(_one(vocabulary, schema, scores, seed, top_p=0.7).text)["word"] for seed in range(200)]
    seen = [word for word in seen if word in "abc"]  # the mark that opens the string may hold a letter of it
    assert set(seen) == {"a", "b"}
    assert 0.5 < seen.count("a") / len(seen) < 0.75  # five in eight


def _one(
    vocabulary: Vocabulary, schema: dict[str, Any], scores: torch.Tensor, seed: int, top_p: float
) -> JsonConstraint:
    constraint = JsonConstraint(
        vocabulary, schema, 100, temperature=1, top_p=top_p, seed=seed, on_token=lambda tokens, budget: None
    )
    while not constraint.finished:
        constraint(torch.empty(1, 0), scores.clone())
    return constraint


@pytest.mark.parametrize("wrong", [torch.nan, torch.inf, -torch.inf])
def test_logits_that_are_no_numbers_are_refused(vocabulary: Vocabulary, wrong: float) -> None:
    with pytest.raises(BadOutputError, match="not finite"):
        JsonConstraint(
            vocabulary, SCHEMAS["style"], 200, temperature=1, top_p=1, seed=0, on_token=lambda tokens, budget: None
        )(torch.empty(1, 0), torch.full((1, SIZE), wrong))


def test_every_token_is_told_and_may_stop_it(vocabulary: Vocabulary) -> None:
    told: list[tuple[int, int]] = []
    constraint = write(
        vocabulary, SCHEMAS["style"], 150, 3, on_token=lambda tokens, budget: told.append((tokens, budget))
    )
    assert told == [(number, 150) for number in range(1, len(constraint.tokens) + 1)]
