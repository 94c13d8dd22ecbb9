"""Keeps processes running: starts each when what it needs is ready, restarts what dies, stops them all."""

import os
import selectors
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial

import structlog

from runtime.embedded.errors import EmbeddedError
from runtime.embedded.process import Child, ProcessRecord, end_sessions, wait_until
from runtime.embedded.services import Service

_log = structlog.get_logger(__name__)

_TICK_S = 0.03  # while something starts
_IDLE_TICK_S = 1.0
_STABLE_S = 30.0  # a process that served this long starts with a clean slate
_BACKOFF_S = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
_FIRST_START_TRIES = 2
_STOP_GRACE_S = 3.5


class _State(Enum):
    WAITING = auto()
    STARTING = auto()
    READY = auto()
    STOPPING = auto()


@dataclass
class _Running:
    service: Service
    state: _State = _State.WAITING
    child: Child | None = None
    since: float = 0.0
    not_before: float = 0.0
    failures: int = 0
    was_ready: bool = False


@dataclass
class Supervisor:
    """`note` is told the sessions that run, whenever that changes; `watch` is called about once a second.

    The services are stopped in the reverse order of `services`, those without a common need at once.
    """

    services: Sequence[Service]
    note: Callable[[list[ProcessRecord]], None]
    watch: Callable[[], None] = lambda: None
    complain: Callable[[str], None] = lambda message: None
    _runs: dict[str, _Running] = field(init=False)
    _signal: signal.Signals | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._runs = {service.name: _Running(service) for service in self.services}

    def run(self, on_ready: Callable[[], None]) -> signal.Signals:
        """Run until SIGTERM or SIGINT, which is returned; `on_ready` is called once, when everything serves.

        Raises EmbeddedError when a process cannot be kept running. All that was started is ended before this
        returns or raises.
        """
        announced = False
        previous = {number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        previous_wakeup = signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        try:
            while self._signal is None:
                settled = self._step()
                if settled and not announced:
                    announced = True
                    on_ready()
                self._sleep(wake_read, _IDLE_TICK_S if settled else _TICK_S)
            _log.info("stopping", signal=self._signal.name)
            return self._signal
        finally:
            self._stop_all()
            signal.set_wakeup_fd(previous_wakeup)
            os.close(wake_read)
            os.close(wake_write)
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: object) -> None:
        self._signal = signal.Signals(number)

    def _step(self) -> bool:
        """Move every process on by what has happened; True when all of them serve."""
        now = time.monotonic()
        self.watch()
        for run in self._runs.values():
            match run.state:
                case _State.WAITING:
                    if now >= run.not_before and all(
                        self._runs[name].state is _State.READY for name in run.service.requires
                    ):
                        self._launch(run)
                case _State.STARTING:
                    self._check_start(run, now)
                case _State.READY:
                    if run.child and run.child.exit_status() is not None:
                        if now - run.since >= _STABLE_S:
                            run.failures = 0
                        self._failed(run, f"ended ({_describe(run.child)})")
                case _State.STOPPING:
                    if run.child is None or run.child.exit_status() is not None:
                        self._forget(run)
                        run.state = _State.WAITING
                    elif now - run.since > _STOP_GRACE_S:
                        end_sessions([run.child.record], first=signal.SIGKILL, grace_s=1.0)
        return all(run.state is _State.READY for run in self._runs.values())

    def _launch(self, run: _Running) -> None:
        _log.info("start", service=run.service.name)
        try:
            run.child = run.service.launch()
        except OSError as error:
            raise EmbeddedError(f"{run.service.name} cannot be started: {error}") from error
        run.state, run.since = _State.STARTING, time.monotonic()
        self._note()

    def _check_start(self, run: _Running, now: float) -> None:
        child = run.child
        if child is None:
            return
        status = child.exit_status()
        if status is not None and not (run.service.finishes and status == 0):
            self._failed(run, f"did not start ({_describe(child)})")
        elif status == 0 or (not run.service.finishes and run.service.is_ready()):
            run.state, run.since, run.was_ready = _State.READY, now, True
            _log.info("ready", service=run.service.name, pid=child.pid)
            if run.service.finishes:
                self._forget(run)
        elif now - run.since > run.service.start_timeout_s:
            self._failed(run, f"did not start within {run.service.start_timeout_s:.0f} s")

    def _failed(self, run: _Running, what: str) -> None:
        """Clear away what is left of it and plan its next start, later each time. Raises EmbeddedError."""
        name = run.service.name
        _log.error("service failed", service=name, reason=what, failures=run.failures + 1)
        self._forget(run)
        if run.service.finishes:
            raise EmbeddedError(_last_words(run.service) or f"{name} {what}")
        run.failures += 1
        tries = len(_BACKOFF_S) if run.was_ready else _FIRST_START_TRIES
        if run.failures >= tries:
            raise EmbeddedError(f"{name} {what}; gave up after {run.failures} tries: {_last_words(run.service)}")
        if run.failures == tries // 2 and run.was_ready:
            self.complain(f"{name} {what} {run.failures} times in a row; its log is {run.service.log}")
        run.state = _State.WAITING
        run.not_before = time.monotonic() + _BACKOFF_S[run.failures - 1]
        for other in self._runs.values():
            if other.service.bound_to == name and other.state in {_State.STARTING, _State.READY} and other.child:
                other.child.request_stop()
                other.state, other.since = _State.STOPPING, time.monotonic()

    def _forget(self, run: _Running) -> None:
        if run.child is not None:
            run.child.stop(grace_s=0.0)
            run.child = None
            self._note()

    def _note(self) -> None:
        self.note([run.child.record for run in self._runs.values() if run.child is not None])

    def _sleep(self, wake: int, timeout_s: float) -> None:
        """Until a process ends, a signal comes or the time is up."""
        with selectors.DefaultSelector() as selector:
            selector.register(wake, selectors.EVENT_READ)
            descriptors = []
            for run in self._runs.values():
                if run.child is not None and run.child.exit_status() is None:
                    descriptors.append(os.pidfd_open(run.child.pid))
                    selector.register(descriptors[-1], selectors.EVENT_READ)
            selector.select(timeout_s)
            for descriptor in descriptors:
                os.close(descriptor)

    def _stop_all(self) -> None:
        """Those that use others first, then those; each wave is asked together and killed after one grace."""
        needed = {name for service in self.services for name in service.requires}
        for wave in (
            [run for run in self._runs.values() if run.service.name not in needed],
            [run for run in self._runs.values() if run.service.name in needed],
        ):
            children = [run.child for run in wave if run.child is not None]
            for child in children:
                child.request_stop()
            wait_until(partial(_all_ended, children), _STOP_GRACE_S)
            for child in children:
                child.stop(grace_s=0.0)
        for run in self._runs.values():
            run.child, run.state = None, _State.WAITING
        self.note([])


def _all_ended(children: Sequence[Child]) -> bool:
    return all(child.exit_status() is not None for child in children)


def _describe(child: Child) -> str:
    status = child.exit_status()
    if status is not None and status < 0:
        return f"killed by {signal.Signals(-status).name}"
    return f"exit status {status}"


def _last_words(service: Service) -> str:
    if service.log is None or not service.log.exists():
        return ""
    lines = service.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].strip().removeprefix("error: ") if lines else ""
