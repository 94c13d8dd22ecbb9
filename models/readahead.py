"""Reading a model's weights into the page cache while another model renders, so that its load waits for no disk."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from models.catalog import Model
from models.manifest import MANIFEST, files_of

log = structlog.get_logger(__name__)

_CHUNK = 16 << 20
_LEFT_FREE_SHARE = 0.25


class ReadAhead:
    """One model at a time, on a thread that mostly waits for the disk; a newer wish replaces an older one.

    ``holds`` tells whether a model is in memory already: it needs no reading, until it had to go.
    """

    def __init__(self, models_dir: Path, holds: Callable[[str], bool]) -> None:
        self._models_dir = models_dir
        self._holds = holds
        self._wish = 0
        self._last: str | None = None

    def prepare(self, model: Model) -> None:
        """Begin to read a model that will be asked for soon. One that was not pulled yet is left alone."""
        if model.weights is None:
            return
        if self._holds(model.id):
            self._last = None
            return
        if model.id == self._last:
            return
        folder = model.weights.folder(self._models_dir)
        if not folder.is_dir() or (model.weights.path is None and not (folder / MANIFEST).is_file()):
            return
        self._last = model.id
        self._wish += 1
        threading.Thread(target=self._read, args=(folder, self._wish), name="read-ahead", daemon=True).start()

    def _read(self, folder: Path, wish: int) -> None:
        try:
            files = [path for path in files_of(folder) if path.suffix == ".safetensors"]
            size = sum(path.stat().st_size for path in files)
            if size > _available_bytes() * (1 - _LEFT_FREE_SHARE):
                log.info("not enough memory to read ahead", folder=str(folder), bytes=size)
                return
            for path in files:
                with path.open("rb", buffering=0) as file:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
                    while file.read(_CHUNK):
                        if self._wish != wish:
                            return
        except OSError as error:
            log.warning("cannot read ahead", folder=str(folder), error=str(error))


def _available_bytes() -> int:
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0
