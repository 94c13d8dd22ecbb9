"""Progress on its way from a worker to whoever watches: over Redis, often enough for a bar, and free to be
lost."""

import base64
import threading
from typing import Any

import orjson
import redis
import structlog
from redis.exceptions import RedisError

from runtime.redis import PROGRESS
from scheduler.ports import Assignment

log = structlog.get_logger(__name__)

_INTERVAL_S = 0.2
_OUTAGE_PAUSE_S = 2.0


class Reporter:
    """Publishes the latest progress from a thread of its own, so that a slow or absent Redis never holds up a
    task.

    Of what comes faster than five times a second only the last of each task is sent.
    """

    def __init__(self, redis_url: str) -> None:
        self._client = redis.Redis.from_url(redis_url, socket_connect_timeout=1, socket_timeout=1)
        self._changed = threading.Condition()
        self._latest: dict[str, dict[str, Any]] = {}
        """By task."""
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._publish, name="reporter", daemon=True)
        self._thread.start()

    def report(
        self, assignment: Assignment, phase: str | None, fraction: float, *, preview: bytes | None = None
    ) -> None:
        """``preview`` is a small JPEG. One that was not sent yet goes with the next message."""
        message = {
            "task_id": assignment.task_id,
            "project_id": assignment.project_id,
            "reaction": assignment.reaction,
            "context": assignment.context,
            "label": assignment.label,
            "phase": phase,
            "fraction": fraction,
        }
        if preview is not None:
            message["preview"] = base64.b64encode(preview).decode("ascii")
        with self._changed:
            before = self._latest.get(assignment.task_id, {})
            if "preview" in before:
                message.setdefault("preview", before["preview"])
            self._latest[assignment.task_id] = message
            self._changed.notify()

    def close(self) -> None:
        self._closed.set()
        with self._changed:
            self._changed.notify()
        self._thread.join()
        self._client.close()

    def _publish(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._latest or self._closed.is_set())
                latest, self._latest = self._latest, {}
            if not latest:
                return
            pause_s = _INTERVAL_S
            try:
                for message in latest.values():
                    self._client.publish(PROGRESS, orjson.dumps(message))
            except (RedisError, OSError) as error:
                log.debug("progress not published", error=str(error))
                pause_s = _OUTAGE_PAUSE_S
            self._closed.wait(pause_s)
