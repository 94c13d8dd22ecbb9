"""How prompts are read: CLIP's in as many pieces as it takes, others to the length that their family reads; what is cut
is told."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import structlog
import torch
from transformers.tokenization_utils_base import PreTrainedTokenizerBase, TruncationStrategy

from models.diffusion.reuse import Reused
from models.interfaces import Report

log = structlog.get_logger(__name__)

_IN_PIECES = {"StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline"}
"""Their encoders read 77 tokens at once, and their denoiser takes any number of what they return."""
_BREAKS = (r"(?<=[,.;:!?，。；：！？、])", r"(?<=\s)", r"(?!^)")
"""Where a text may be broken: after a phrase, else after a word, else between characters."""

Cut = dict[str, int]
"""``tokens`` of a prompt, of which the model ``read`` the first."""


@contextmanager
def reading_prompts(pipeline: Any, kept: Reused, report: Report) -> Iterator[None]:
    """Meanwhile ``pipeline.encode_prompt`` reads long prompts whole where it can, answers from ``kept`` what it read
    before, and notes as ``prompt_cut`` what it had to leave out."""
    original = pipeline.encode_prompt
    name = f"{type(pipeline).__name__}.encode_prompt"

    def encode(*arguments: Any, **named: Any) -> tuple[Any, list[Cut]]:
        with _cuts_of(pipeline) as cuts:
            if type(pipeline).__name__ in _IN_PIECES:
                return _in_pieces(pipeline, original, **named), cuts
            return original(*arguments, **named), cuts

    noted: list[Cut] = []

    def read(*arguments: Any, **named: Any) -> Any:
        result, cuts = kept.call(name, encode, arguments, named)
        if cuts:
            noted.extend(cut for cut in cuts if cut not in noted)
            report.note(prompt_cut=noted)
            log.warning("a prompt is longer than the model reads: its end is left out", cut=cuts)
        return result

    pipeline.encode_prompt = read
    try:
        yield
    finally:
        del pipeline.encode_prompt


def pieces_of(pipeline: Any, *texts: str) -> int:
    """How many pieces it takes to read these together, such as a prompt and its negative; 1 where the pipeline does
    not read in pieces."""
    if type(pipeline).__name__ not in _IN_PIECES:
        return 1
    return max(len(pieces(text, _fits(pipeline))) for text in texts)


def pieces(text: str, fits: Callable[[str], bool]) -> list[str]:
    """The text in as few pieces that fit as its phrases allow, in order; together they are the text."""
    found: list[str] = []
    for unit in _units(text, fits, _BREAKS):
        if found and fits(found[-1] + unit):
            found[-1] += unit
        else:
            found.append(unit)
    return found


def _units(text: str, fits: Callable[[str], bool], breaks: Sequence[str]) -> Iterator[str]:
    if fits(text) or not breaks:
        yield text
        return
    for part in filter(None, re.split(breaks[0], text)):
        yield from _units(part, fits, breaks[1:])


def _fits(pipeline: Any) -> Callable[[str], bool]:
    tokenizers = (pipeline.tokenizer, pipeline.tokenizer_2)
    return lambda text: all(len(one(text, verbose=False).input_ids) <= one.model_max_length for one in tokenizers)


def _in_pieces(
    pipeline: Any, encode: Callable[..., Any], *, prompt: Any, negative_prompt: Any = None, **named: Any
) -> tuple[Any, ...]:
    """As ``encode`` of Stable Diffusion XL: its tokens' embeddings one piece after the other, its pooled ones of the
    first piece, which says the most."""

    fits = _fits(pipeline)
    texts = [prompt, negative_prompt]
    split = [[pieces(one, fits) for one in ([text] if isinstance(text, str) else text or [])] for text in texts]
    count = max(len(each) for text in split for each in text)
    encoded = [
        encode(
            prompt=[_piece(each, number) for each in split[0]],
            negative_prompt=[_piece(each, number) for each in split[1]] or None,
            **named,
        )
        for number in range(count)
    ]
    words, unwanted, pooled, pooled_unwanted = zip(*encoded, strict=True)
    return (
        torch.cat(words, dim=1),
        None if unwanted[0] is None else torch.cat(unwanted, dim=1),
        pooled[0],
        pooled_unwanted[0],
    )


def _piece(of: list[str], number: int) -> str:
    """Nothing where the text has fewer: prompts and negative prompts are read at one length."""
    return of[number] if number < len(of) else ""


@contextmanager
def _cuts_of(pipeline: Any) -> Iterator[list[Cut]]:
    """What the pipeline's tokenizers cut meanwhile."""
    cuts: list[Cut] = []
    with ExitStack() as around:
        for component in pipeline.components.values():
            if isinstance(component, PreTrainedTokenizerBase):
                around.enter_context(_telling(component, cuts))
        yield cuts


@contextmanager
def _telling(tokenizer: Any, cuts: list[Cut]) -> Iterator[None]:
    # The one method that every way of calling a tokenizer, chat templates included, comes through.
    original = tokenizer._encode_plus

    def encode_plus(text: Any, *arguments: Any, **named: Any) -> Any:
        limit = named.get("max_length")
        if limit is not None and named.get("truncation_strategy") is not TruncationStrategy.DO_NOT_TRUNCATE:
            whole = tokenizer(text, add_special_tokens=named.get("add_special_tokens", True), verbose=False)
            ids = whole.input_ids if isinstance(text, list | tuple) else [whole.input_ids]
            cuts.extend({"tokens": len(one), "read": limit} for one in ids if len(one) > limit)
        return original(text, *arguments, **named)

    tokenizer._encode_plus = encode_plus
    try:
        yield
    finally:
        del tokenizer._encode_plus
