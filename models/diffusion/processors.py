"""The processor of Qwen's vision encoder, for pictures alone."""

from pathlib import Path
from typing import Any

import transformers
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil


class PictureProcessor(transformers.Qwen2VLProcessor):  # type: ignore[misc]
    """Without the part that reads videos, which nobody asks here and which needs torchvision. Its pictures go through
    Pillow, so that they are the same whether torchvision is installed or not."""

    def __init__(self, image_processor: Any = None, tokenizer: Any = None, chat_template: str | None = None) -> None:
        super().__init__(image_processor, tokenizer, chat_template=chat_template)


def picture_processor(folder: Path) -> PictureProcessor:
    """Of a folder that has a processor's and a tokenizer's files. Raises OSError, ValueError for a broken one."""
    return PictureProcessor(
        Qwen2VLImageProcessorPil.from_pretrained(str(folder), local_files_only=True),
        transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True),
    )
