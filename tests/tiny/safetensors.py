"""Safetensors files without torch."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import orjson


def write_safetensors(path: Path, tensors: Mapping[str, np.ndarray]) -> None:
    header, at = {}, 0
    for name, tensor in tensors.items():
        assert tensor.dtype == np.float32
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [at, at + tensor.nbytes]}
        at += tensor.nbytes
    head = orjson.dumps(header)
    path.write_bytes(len(head).to_bytes(8, "little") + head + b"".join(t.tobytes() for t in tensors.values()))
