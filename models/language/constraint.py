"""Decoding under a JSON schema: llguidance says which tokens may follow, and the text ends within its budget."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import llguidance
import llguidance.hf
import torch
from transformers import LogitsProcessor

from models.weighted import BadOutputError

Schema = Mapping[str, Any]

# One way to write a value: no space between tokens, and in strings no escapes but those that JSON cannot do without.
_STYLE = {"whitespace_flexible": False, "json_allowed_escapes": '"\\n'}
_INTEGER_BYTES = 8
_MARKS_BYTES = 8  # quotation marks, commas and brackets around a value


class Vocabulary:
    """A model's tokens as llguidance reads them, made once per model. ``size``: of the model's logits."""

    def __init__(self, tokenizer: Any, size: int) -> None:
        self.size = size
        self.tokens = llguidance.hf.from_tokenizer(tokenizer, n_vocab=size)
        self._marks = {mark: self.tokens.tokenize_str(mark)[0] for mark in '"}], '}

    def closing(self, allowed: bytes) -> int:
        """The allowed token that brings a text to its end soonest: out of a string, then out of what it stands in."""

        def may(mark: str) -> bool:
            token = self._marks[mark]
            return bool(allowed[token >> 3] >> (token & 7) & 1)

        in_string = may('"') and may(" ")
        for mark in '"' if in_string else "}],":
            if may(mark):
                return self._marks[mark]
        return next(
            8 * index + bit for index, byte in enumerate(allowed) if byte for bit in range(8) if byte >> bit & 1
        )


class JsonConstraint(LogitsProcessor):  # type: ignore[misc]
    """Chooses every token of a generation of one sequence, so that together they are JSON under the schema.

    A token is chosen only if the text can be brought to its end in what is left of the budget; where it cannot, the
    token that closes what is open is taken in its place. A budget too small for the shortest text is that text's.
    ``temperature`` 0 takes the likeliest token. ``on_token(tokens, budget)`` is called after each; what it raises ends
    the generation. Raises BadOutputError for logits that are not finite.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        schema: Schema,
        budget: int,
        *,
        temperature: float,
        top_p: float,
        seed: int,
        on_token: Callable[[int, int], None],
    ) -> None:
        grammar = llguidance.LLMatcher.grammar_from_json_schema(json.dumps(schema), overrides=_STYLE)
        self._matcher = llguidance.LLMatcher(vocabulary.tokens, grammar)
        _require_sound(self._matcher)
        self._vocabulary = vocabulary
        self._temperature, self._top_p = temperature, top_p
        self._generator = torch.Generator("cpu").manual_seed(seed)
        self._on_token = on_token
        self._growth = _growth(schema)
        self._needed = len(self._ending(self._matcher))
        """At most so many tokens end the text from here."""
        self.budget = max(budget, self._needed)
        self.tokens: list[int] = []

    @property
    def finished(self) -> bool:
        return self._matcher.is_stopped() or bool(self._matcher.is_accepting())

    @property
    def text(self) -> str:
        return bytes(self._vocabulary.tokens.decode_bytes(self.tokens)).decode("utf-8")

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """``scores``: logits, shape (1, vocabulary). Returned are scores that leave one token."""
        token = self._landing(self._choose(scores[0]))
        self._matcher.consume_token(token)
        _require_sound(self._matcher)
        self.tokens.append(token)
        self._on_token(len(self.tokens), self.budget)
        chosen = torch.full_like(scores, -torch.inf)
        chosen[0, token] = 0
        return chosen

    def _choose(self, logits: torch.Tensor) -> int:
        allowed = torch.frombuffer(bytearray(self._matcher.compute_bitmask()), dtype=torch.uint8)
        bits = (allowed[:, None] >> torch.arange(8, dtype=torch.uint8)) & 1
        mask = bits.flatten()[: logits.shape[0]].bool().to(logits.device)
        logits = logits.float()
        if not torch.isfinite(logits.sum()):
            raise BadOutputError("the language model's logits are not finite")
        logits = logits.masked_fill(~mask, -torch.inf)
        if self._temperature == 0:
            return int(logits.argmax())
        # Nucleus sampling (Holtzman et al. 2020) by the inverse of the cumulative distribution: the one random number
        # comes from the CPU, so that it is the same on every device.
        probabilities, order = torch.softmax(logits / self._temperature, -1).sort(descending=True, stable=True)
        cumulative = probabilities.cumsum(-1)
        last = int((cumulative < self._top_p).sum().clamp(max=int(mask.sum()) - 1))
        drawn = torch.rand((), generator=self._generator).item() * cumulative[last]
        return int(order[min(int((cumulative <= drawn).sum()), last)])

    def _landing(self, token: int) -> int:
        """The token, or one that closes where there would be too few left to close after it."""
        left = self.budget - len(self.tokens) - 1
        if self._needed + self._growth <= left:
            self._needed += self._growth
            return token
        after = self._matcher.deep_copy()
        after.consume_token(token)
        needed = len(self._ending(after))
        if needed > left:
            token, *rest = self._ending(self._matcher)
            needed = len(rest)
        self._needed = needed
        return token

    def _ending(self, matcher: Any) -> list[int]:
        """Tokens that end the text from a state of the matcher."""
        matcher = matcher.deep_copy()
        tokens: list[int] = []
        while not (matcher.is_accepting() or matcher.is_stopped()):
            forced = matcher.compute_ff_tokens() or [self._vocabulary.closing(matcher.compute_bitmask())]
            matcher.consume_tokens(forced)
            tokens += forced
        _require_sound(matcher)
        return tokens


def _require_sound(matcher: Any) -> None:
    if matcher.is_error():
        raise RuntimeError(f"llguidance: {matcher.get_error()}")


def _growth(schema: Schema) -> int:
    """By how many tokens one token can delay the end at most: a token has a byte at least, and opens one more item of
    an array, begins the longest of several values, or begins a number or a character of several bytes."""
    longest = max((len(json.dumps(value)) for part in _parts(schema) for value in part.get("enum", ())), default=0)
    items = (_least_bytes(part["items"]) for part in _parts(schema) if isinstance(part.get("items"), Mapping))
    return max(items, default=0) + longest + _INTEGER_BYTES + _MARKS_BYTES


def _parts(schema: Schema) -> Iterator[Schema]:
    yield schema
    inner = [*schema.get("properties", {}).values(), *schema.get("prefixItems", ())]
    if isinstance(schema.get("items"), Mapping):
        inner.append(schema["items"])
    for part in inner:
        yield from _parts(part)


def _least_bytes(schema: Schema) -> int:
    """An upper bound of the bytes of the shortest value."""
    length = _MARKS_BYTES
    if "const" in schema:
        return length + len(json.dumps(schema["const"]))
    if "enum" in schema:
        return length + max(len(json.dumps(value)) for value in schema["enum"])
    if schema.get("type") == "integer":
        return length + _INTEGER_BYTES
    length += sum(len(json.dumps(name)) + _least_bytes(part) for name, part in schema.get("properties", {}).items())
    length += sum(_least_bytes(part) for part in schema.get("prefixItems", ()))
    if schema.get("minItems") and isinstance(schema.get("items"), Mapping):
        length += schema["minItems"] * _least_bytes(schema["items"])
    return length
