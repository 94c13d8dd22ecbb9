"""A gang: processes with a GPU each that run one model together. One, the lead, has the tasks; the others follow it.

Followers know nothing of tasks. Between two passes through a model that is split they wait for the lead's next order at
a socket, not inside a collective call: a task that is cancelled or fails between passes leaves nobody hanging. Where a
process fails inside of one, the others get ``settle_s`` to come out of it; then the gang is broken, and whoever made
it ends its processes. Loads no engine before it is told to.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection, wait
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import structlog

from models.catalog import Model
from models.device import Device
from models.faults import lost_device, ran_out_of_memory

log = structlog.get_logger(__name__)

SETTLE_S = 30.0
_LOOK_EVERY_S = 0.5


class FollowerError(RuntimeError):
    """A follower could not do what it was ordered to; the gang goes on."""


class FollowerOutOfMemoryError(FollowerError, MemoryError):
    """So it was for want of memory."""


class BrokenGangError(RuntimeError):
    """A process of the gang is gone or stuck: none of them can be used any more."""


@dataclass(frozen=True)
class Join:
    """Become a group of torch.distributed."""


@dataclass(frozen=True)
class Load:
    model: Model
    folder: Path


@dataclass(frozen=True)
class Unload:
    model_id: str


@dataclass(frozen=True)
class Park:
    model_id: str


@dataclass(frozen=True)
class Resume:
    model_id: str


@dataclass(frozen=True)
class Pass:
    """Go through the ``part`` of a model, such as its transformer. ``arguments`` are as models.diffusion.parallel
    describes them: tensors come by broadcast."""

    model_id: str
    part: str
    arguments: Any


Order = Join | Load | Unload | Park | Resume | Pass


@dataclass(frozen=True)
class _Reply:
    """``error`` says what went wrong, if something did."""

    error: str | None = None
    memory: bool = False
    lost: bool = False


class Gang:
    """What an adapter sees of it. ``store`` is a path, in a directory that all of it reach, for torch to meet at."""

    def __init__(self, rank: int, size: int, store: Path) -> None:
        self.rank = rank
        self.size = size
        self.store = store
        self.mesh: Any = None
        """Of torch, once it has joined."""

    @contextmanager
    def together(self, order: Order) -> Iterator[None]:
        """The block does the lead's own part of an order while the followers do theirs. On a follower just the block.

        Raises what the block raises; FollowerError where a follower failed; BrokenGangError.
        """
        yield


class Lead(Gang):
    """``on_broken`` is called, from any thread, with the reason. Not thread-safe beside that."""

    def __init__(
        self,
        followers: Sequence[Connection],
        store: Path,
        *,
        on_broken: Callable[[str], None],
        settle_s: float = SETTLE_S,
    ) -> None:
        super().__init__(0, len(followers) + 1, store)
        self._followers = dict(zip(followers, range(1, self.size), strict=True))
        self._on_broken = on_broken
        self._settle_s = settle_s
        self._news = threading.Condition()
        self._replies: dict[int, _Reply] = {}
        self._stuck_at: float | None = None
        """When to give up, after somebody failed inside an order and the others are still in it."""
        self._waits_for_all = False
        self._broken: str | None = None
        threading.Thread(target=self._listen, name="gang", daemon=True).start()

    @contextmanager
    def together(self, order: Order) -> Iterator[None]:
        collective = isinstance(order, Join | Pass)
        with self._news:
            self._replies.clear()
            self._stuck_at, self._waits_for_all = None, collective
        self._check()
        for follower in self._followers:
            try:
                follower.send(order)
            except OSError as error:
                self._break(f"follower {self._followers[follower]} is gone")
                raise BrokenGangError(self._broken) from error
        try:
            yield
        except BaseException:
            self._settle(failed=True)
            raise
        for rank, reply in sorted(self._settle().items()):
            if reply.error is not None:
                kind = FollowerOutOfMemoryError if reply.memory else FollowerError
                raise kind(f"GPU {rank} of the gang: {reply.error}")

    def _settle(self, *, failed: bool = False) -> dict[int, _Reply]:
        """Wait for all replies; what takes too long after a failure breaks the gang."""
        with self._news:
            if failed:
                self._note_failure()
            self._news.wait_for(lambda: len(self._replies) == len(self._followers) or self._broken is not None)
            self._stuck_at = None
        self._check()
        return self._replies

    def _note_failure(self) -> None:
        """Somebody failed in an order that the others may not come out of without it."""
        if self._waits_for_all and self._stuck_at is None:
            self._stuck_at = time.monotonic() + self._settle_s

    def _check(self) -> None:
        if self._broken is not None:
            raise BrokenGangError(self._broken)

    def _break(self, reason: str) -> None:
        with self._news:
            first, self._broken = self._broken is None, self._broken or reason
            self._news.notify_all()
        if first:
            log.error("the gang is broken", reason=reason)
            self._on_broken(reason)

    def _listen(self) -> None:
        """Take in replies, notice who is gone, and who does not come out of a call that another one failed in."""
        while self._broken is None:
            for connection in wait(list(self._followers), timeout=_LOOK_EVERY_S):
                assert isinstance(connection, Connection)  # noqa: S101 - nothing else was given
                rank = self._followers[connection]
                try:
                    reply = connection.recv()
                except (EOFError, OSError):
                    self._break(f"follower {rank} is gone")
                    return
                if reply.lost:
                    self._break(f"GPU {rank} of the gang: {reply.error}")
                    return
                with self._news:
                    self._replies[rank] = reply
                    if reply.error is not None:
                        self._note_failure()
                    self._news.notify_all()
            with self._news:
                late = self._stuck_at is not None and time.monotonic() >= self._stuck_at
            if late:
                self._break(f"it did not come out of a call within {self._settle_s:g} s of a failure in it")


class Follower(Gang):
    """Serves a lead. ``device`` is this process's own. ``on_gone`` is called, from another thread, when the lead is
    gone, whatever is done here."""

    def __init__(
        self,
        lead: Connection,
        device: Device,
        *,
        rank: int,
        size: int,
        store: Path,
        on_gone: Callable[[], None],
    ) -> None:
        super().__init__(rank, size, store)
        self._lead = lead
        self._device = device
        device.gang = self
        self._on_gone = on_gone
        self._orders: SimpleQueue[Order | None] = SimpleQueue()
        self._adapters: dict[str, Any] = {}

    def serve(self) -> None:
        """Do what is ordered, until the lead is gone."""
        threading.Thread(target=self._listen, name="gang", daemon=True).start()
        while (order := self._orders.get()) is not None:
            try:
                self._do(order)
                reply = _Reply()
            # Whatever it is, the lead is told and decides.
            except Exception as error:  # noqa: BLE001
                log.warning("a follower failed", rank=self.rank, error=f"{type(error).__name__}: {error}")
                reply = _Reply(f"{type(error).__name__}: {error}", ran_out_of_memory(error), lost_device(error))
            try:
                self._lead.send(reply)
            except OSError:
                return

    def _listen(self) -> None:
        while True:
            try:
                self._orders.put(self._lead.recv())
            except (EOFError, OSError):
                self._orders.put(None)
                self._on_gone()
                return

    def _do(self, order: Order) -> None:
        match order:
            case Join():
                join(self, self._device)
            case Load(model, folder):
                module, _, name = (model.adapter or "").partition(":")
                adapter = getattr(import_module(module), name)(model, folder, self._device)
                adapter.load()
                self._adapters[model.id] = adapter
            case Pass(model_id, part, arguments):
                self._adapters[model_id].take_part(part, arguments)
            case Unload(model_id):
                adapter = self._adapters.pop(model_id, None)
                if adapter is not None:
                    adapter.unload()
                else:  # what a load left behind that failed
                    self._device.empty_cache()
            case Park(model_id):
                self._adapters[model_id].park()
            case Resume(model_id):
                self._adapters[model_id].resume()


def join(gang: Gang, device: Device) -> None:
    """Meet the others in torch, once; each process of the gang has to call it."""
    if gang.mesh is None:
        from models.diffusion import parallel

        parallel.join(gang, device)
