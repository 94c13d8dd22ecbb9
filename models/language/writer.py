"""The script writer on a language model of transformers, one step of the breakdown at a time."""

from collections.abc import Iterator
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, GenerationConfig

from models.interfaces import Report
from models.language.generation import Conversation
from models.language.prompts import Prompts
from models.options import WriterOptions
from models.specs import ScriptResult, ScriptSpec
from models.weighted import BadWeightsError, Weighted

# What reading a folder of broken, missing or foreign files raises out of transformers, tokenizers and safetensors.
_BROKEN_FILES = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError)


class LanguageModelWriter(Weighted[WriterOptions]):
    """Implements ``models.interfaces.ScriptWriter``. Equal specs give equal results on the same kind of device."""

    options_class = WriterOptions

    _language_model: Any = None
    _conversation: Conversation | None = None

    def load(self) -> None:
        """Raises BadWeightsError where the folder holds no causal language model with a fast tokenizer, and ValueError
        for a version of the prompts that there is not."""
        self._prompts = Prompts(self.options.prompts)
        arguments: dict[str, Any] = {}
        if self.options.quantization == "nf4":
            arguments["quantization_config"] = BitsAndBytesConfig(
                load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=self.dtype
            )
        try:
            tokenizer = AutoTokenizer.from_pretrained(self.folder, local_files_only=True, use_fast=True)
            model, loading = AutoModelForCausalLM.from_pretrained(
                self.folder,
                dtype=self.dtype,
                device_map={"": self.device.torch},
                use_safetensors=True,
                local_files_only=True,
                output_loading_info=True,
                **arguments,
            )
            _require_whole(loading, model, tokenizer)
            self._conversation = Conversation(model, tokenizer, self.options)
        except torch.OutOfMemoryError:
            raise
        except _BROKEN_FILES as error:
            raise BadWeightsError(f"{self.folder}: {error}") from error
        model.eval()
        model.generation_config = GenerationConfig()  # ours says all that it may
        if self.options.quantization == "fp8":
            from diffusers.hooks import apply_layerwise_casting

            apply_layerwise_casting(model, torch.float8_e4m3fn, self.dtype, ("norm", "embed", "lm_head"))
        self._language_model = model

    def _modules(self) -> Iterator[torch.nn.Module]:
        if self._language_model is not None:
            yield self._language_model

    def _release(self) -> None:
        self._language_model = self._conversation = None

    def write(self, spec: ScriptSpec, report: Report) -> ScriptResult:
        """The part of the script that ``spec.step`` names, or the rewritten element alone. Raises UserInputError for a
        text nothing can be made of, BadOutputError for a model that computes no numbers."""
        from models.language.steps import write

        if self._conversation is None:
            raise RuntimeError(f"{self.model.id} is not loaded")
        return write(spec, self._conversation, self._prompts, self.options, report)


def _require_whole(loading: Any, model: Any, tokenizer: Any) -> None:
    """Raises ValueError for weights that are not all there."""
    for kind in ("missing_keys", "mismatched_keys", "error_msgs"):
        if loading.get(kind):
            raise ValueError(f"{kind}: {', '.join(str(name) for name in sorted(loading[kind])[:5])}")
    if len(tokenizer) > model.config.get_text_config().vocab_size:
        raise ValueError(f"the tokenizer has {len(tokenizer)} tokens, the model knows fewer")
