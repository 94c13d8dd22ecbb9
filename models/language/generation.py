"""One call of a language model: a conversation in, JSON under a schema out."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import torch
from transformers import GenerationConfig, StoppingCriteria

from models.language.constraint import JsonConstraint, Schema, Vocabulary
from models.options import WriterOptions

_TEMPLATE_LEAK = ("<|", "< |")
"""A user's text must not spell the marks of a conversation."""


class Finished(StoppingCriteria):  # type: ignore[misc]
    def __init__(self, constraint: JsonConstraint) -> None:
        self._constraint = constraint

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        return torch.full((input_ids.shape[0],), self._constraint.finished, device=input_ids.device, dtype=torch.bool)


class Conversation:
    """A loaded model with its tokenizer."""

    def __init__(self, model: Any, tokenizer: Any, options: WriterOptions, device: torch.device) -> None:
        """``device``: where it computes, wherever its weights are."""
        self._model, self._tokenizer, self._options, self._device = model, tokenizer, options, device
        self._vocabulary = Vocabulary(tokenizer, model.config.get_text_config().vocab_size)

    def tokens_of(self, text: str) -> int:
        return len(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def prompt(self, role: str, request: str) -> str:
        """Both as the model is used to read them."""
        request = request.replace(*_TEMPLATE_LEAK)
        if not self._tokenizer.chat_template:
            return f"{role}\n\n{request}\n\n"
        messages = [{"role": "system", "content": role}, {"role": "user", "content": request}]
        # Templates that know no thinking do not look at the argument.
        prompt = self._tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
        return str(prompt)

    def ask(self, prompt: str, schema: Schema, *, seed: int, on_token: Callable[[int, int], None]) -> dict[str, Any]:
        """Raises BadOutputError for a model that computes no numbers, and what ``on_token`` raises."""
        options = self._options
        constraint = JsonConstraint(
            self._vocabulary,
            schema,
            options.max_new_tokens,
            temperature=options.temperature,
            top_p=options.top_p,
            seed=seed,
            on_token=on_token,
        )
        read = self._tokenizer(prompt, add_special_tokens=False, return_tensors="pt").to(self._device)
        settings = GenerationConfig(
            max_new_tokens=constraint.budget, do_sample=False, pad_token_id=self._tokenizer.pad_token_id or 0
        )
        with torch.inference_mode():
            self._model.generate(
                **read,
                generation_config=settings,
                logits_processor=[constraint],
                stopping_criteria=[Finished(constraint)],
            )
        result: dict[str, Any] = json.loads(constraint.text)
        return result


def seed_of(*parts: object) -> int:
    """The same parts, the same seed, on every machine."""
    return int.from_bytes(hashlib.sha256("\n".join(map(str, parts)).encode()).digest()[:7], "big")
