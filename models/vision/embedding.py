"""Pictures as directions of a space where alike pictures are near: the vision half of DINOv2, SigLIP, CLIP and kin."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from transformers import AutoConfig, AutoImageProcessor, AutoModel, CLIPVisionModelWithProjection, SiglipVisionModel

from models.options import EmbedderOptions
from models.pretrained import OneModel, loading, pretrained
from models.weighted import BadOutputError

if TYPE_CHECKING:
    from models.interfaces import RGB, Samples

_BATCH = 16
_VISION_HALVES = {"clip": CLIPVisionModelWithProjection, "siglip": SiglipVisionModel}
"""Of models that read text too, only the half that sees is loaded."""


class ImageEmbedder(OneModel[EmbedderOptions]):
    """Implements ``models.interfaces.Embedder`` on any vision model of transformers that pools what it sees."""

    options_class = EmbedderOptions

    def load(self) -> None:
        """Raises BadWeightsError."""
        with loading("image processor", self.folder):
            kind = AutoConfig.from_pretrained(self.folder, local_files_only=True).model_type
            # The one that works on PIL and NumPy: it needs no torchvision.
            self._processor = AutoImageProcessor.from_pretrained(self.folder, local_files_only=True, backend="pil")
        self._model = pretrained(_VISION_HALVES.get(kind, AutoModel), self.folder, self.options, self.device.torch)

    def embed(self, images: "Sequence[RGB]") -> "Samples":
        """Shape (images, dimensions), rows of length 1. Raises BadOutputError for a model that computes none."""
        rows = []
        for start in range(0, len(images), _BATCH):
            inputs = self._processor(list(images[start : start + _BATCH]), return_tensors="pt")
            with torch.no_grad():
                seen = self._model(inputs["pixel_values"].to(self.device.torch, self.dtype))
            pooled = getattr(seen, "image_embeds", None)
            rows.append((seen.pooler_output if pooled is None else pooled).float().cpu().numpy())
        vectors: np.ndarray = np.concatenate(rows)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not lengths.all():
            raise BadOutputError(f"{self.model.id} computed embeddings that are not finite")
        return (vectors / lengths).astype(np.float32)
