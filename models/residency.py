"""Which adapters a worker keeps loaded."""

from importlib import import_module

import structlog

from models.catalog import Model
from models.interfaces import Adapter

log = structlog.get_logger(__name__)


class Residency:
    """Adapters by model id: constructed and loaded when first asked for, then kept until unloaded."""

    def __init__(self) -> None:
        self._loaded: dict[str, Adapter] = {}

    def adapter(self, model: Model) -> Adapter | None:
        """The loaded adapter of a catalog entry; None for an entry without one.

        Raises what the adapter's module or its ``load`` raises; nothing is kept then.
        """
        if model.adapter is None:
            return None
        if model.id not in self._loaded:
            module, _, name = model.adapter.partition(":")
            adapter: Adapter = getattr(import_module(module), name)(model)
            adapter.load()
            self._loaded[model.id] = adapter
            log.info("model loaded", model=model.id)
        return self._loaded[model.id]

    def unload_all(self) -> None:
        """Make room: everything is loaded anew when next asked for."""
        while self._loaded:
            model_id, adapter = self._loaded.popitem()
            adapter.unload()
            log.info("model unloaded", model=model_id)
