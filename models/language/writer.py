"""The script writer on a language model of transformers, one step of the breakdown at a time."""

from collections.abc import Iterator
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from models.interfaces import Report
from models.language import memory, steps
from models.language.generation import Conversation
from models.language.prompts import Prompts
from models.options import WriterOptions
from models.specs import ScriptResult, ScriptSpec
from models.weight_reader import reading
from models.weighted import BadWeightsError, Weighted
from models.weights import sole_weight_files

# What reading a folder of broken, missing or foreign files raises out of transformers, tokenizers and safetensors.
_BROKEN_FILES = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError)


class LanguageModelWriter(Weighted[WriterOptions]):
    """Implements ``models.interfaces.ScriptWriter``. Equal specs give equal results on the same kind of device."""

    options_class = WriterOptions

    _language_model: Any = None
    _conversation: Conversation | None = None
    _offloading: memory.Offloading = "none"

    def load(self) -> None:
        """Raises BadWeightsError where the folder holds no whole causal language model with a fast tokenizer, and
        ValueError for a version of the prompts that there is not."""
        self._prompts = Prompts(self.options.prompts)
        try:
            self._offloading = memory.choose_offload(self.options, self.folder, self.device)
            tokenizer = AutoTokenizer.from_pretrained(
                self.folder, local_files_only=True, trust_remote_code=False, use_fast=True
            )
            model = self._read_model()
            if len(tokenizer) > model.config.get_text_config().vocab_size:
                raise ValueError(f"the tokenizer has {len(tokenizer)} tokens, the model knows fewer")
            self._conversation = Conversation(model, tokenizer, self.options, self.device.torch)
        except (torch.OutOfMemoryError, torch.AcceleratorError):
            raise
        except _BROKEN_FILES as error:
            raise BadWeightsError(f"{self.folder}: {error}") from error
        model.eval()
        model.generation_config = GenerationConfig()  # the options say what the folder's would
        memory.offload(model, self._offloading, self.device)
        self._language_model = model

    def _read_model(self) -> Any:
        """Straight onto the device, but for weights that are made smaller on their way or stay in host memory."""
        options = self.options
        if options.quantization == "nf4":
            text = AutoConfig.from_pretrained(self.folder, local_files_only=True).get_text_config()
            if any(getattr(text, name, None) for name in ("num_experts", "num_local_experts", "n_routed_experts")):
                # bitsandbytes packs linear layers alone, and experts are nearly all of such a model.
                raise ValueError("nf4 would leave its experts as they are: let options.quantization be fp8")
        through_host = options.quantization == "fp8" or self._offloading != "none"
        first = torch.device("cpu") if through_host else self.device.torch
        files = [] if options.quantization == "nf4" else sole_weight_files(self.folder)
        with reading([(path, self.dtype) for path in files], first):
            model, loading = AutoModelForCausalLM.from_pretrained(
                self.folder,
                dtype=self.dtype,
                device_map={"": first},
                use_safetensors=True,
                local_files_only=True,
                trust_remote_code=False,
                output_loading_info=True,
                quantization_config=memory.nf4(self.dtype) if options.quantization == "nf4" else None,
            )
        for kind in ("missing_keys", "mismatched_keys", "error_msgs"):
            if loading.get(kind):
                raise ValueError(f"{kind}: {', '.join(sorted(map(str, loading[kind]))[:5])}")
        if options.quantization == "fp8":
            memory.cast_to_fp8(model, self.dtype)
        return model.to(self.device.torch) if through_host and self._offloading == "none" else model

    def _modules(self) -> Iterator[torch.nn.Module]:
        if self._language_model is not None:
            yield self._language_model

    def _release(self) -> None:
        self._language_model = self._conversation = None

    def park(self) -> None:
        if self._offloading == "none":
            super().park()

    def resume(self) -> None:
        if self._offloading == "none":
            super().resume()

    def write(self, spec: ScriptSpec, report: Report) -> ScriptResult:
        """The part of the script that ``spec.step`` names, or the rewritten element alone. Raises UserInputError for a
        text nothing can be made of, BadOutputError for a model that computes no numbers."""
        if self._conversation is None:
            raise RuntimeError(f"{self.model.id} is not loaded")
        if self._offloading == "model":
            self._language_model.to(self.device.torch)
        try:
            return steps.write(spec, self._conversation, self._prompts, self.options, report)
        finally:
            if self._offloading == "model":
                self._language_model.to("cpu")
                self.device.empty_cache()
