"""Users at work: each makes one film after the other over HTTP, and asks again until it is answered.

A request that was not answered may have been carried out; it is repeated with the same ``Idempotency-Key``, at another
api process if there is one, as behind a load balancer.
"""

import http.client
import random
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any
from urllib.error import HTTPError

import orjson

from tests.chaos.storm.actors import story
from tests.chaos.storm.parts import PASSWORD

_TIMEOUT_S = 6.0
_PAUSE_S = 0.3
_OVER = frozenset({"completed", "failed", "cancelled"})


class Refused(AssertionError):
    """An answer that trying again does not change."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


@dataclass
class Film:
    project_id: str
    wish: str
    """``complete``, ``cancel`` or ``fail``: what its user or its text means it to come to."""
    package_id: str = ""
    status: str = "generating"
    cancelled: bool = False
    """Whether a cancellation was answered with success."""


@dataclass
class Orders:
    """What is wanted of all customers together; taken from by several threads."""

    random: random.Random
    wanted: Callable[[], bool]
    """Whether another film is to be begun."""
    give_up: threading.Event
    numbers: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> tuple[int, int, str] | None:
        """Number, shots and wish of the next film."""
        with self.lock:
            if not self.wanted():
                return None
            self.numbers += 1
            # The second and third of all, so that the shortest run has both, and then now and then.
            wish = {2: "fail", 3: "cancel"}.get(self.numbers) or self.random.choices(
                ["complete", "cancel", "fail"], [8, 1, 1]
            )[0]
            return self.numbers, self.random.randint(5, 9), wish


class Customer(threading.Thread):
    def __init__(self, urls: Sequence[str], user: str, orders: Orders) -> None:
        super().__init__(name=user, daemon=True)
        self.films: list[Film] = []
        self.requests = self.repeated = 0
        self.error: BaseException | None = None
        self.user_id = ""
        self._urls, self._user, self._orders = cycle(urls), user, orders
        self._url = next(self._urls)
        self._token = ""

    def run(self) -> None:
        try:
            answer = self._call("POST", "/auth/login", {"username": self._user, "password": PASSWORD})
            self._token = answer["session_token"]
            while (order := self._orders.take()) is not None:
                self._make(*order)
        except (AssertionError, KeyError, TimeoutError) as error:
            self.error = error

    def _make(self, number: int, shots: int, wish: str) -> None:
        body = {
            "input_mode": "general",
            "input_type": "text",
            "content": story(number, shots, unspeakable=wish == "fail"),
            "config": {"aspect_ratio": "16:9", "duration_type": "smart", "language": "en"},
        }
        key = uuid.uuid4().hex
        film = Film(self._call("POST", "/input/submit", body, key)["project_id"], wish)
        self.films.append(film)
        # As if the answer had been lost: another process may be asked, and the first one may be dead by now.
        self._url = next(self._urls)
        again = self._call("POST", "/input/submit", body, key)["project_id"]
        if again != film.project_id:
            raise AssertionError(f"the same request made {film.project_id} and {again}")
        started = self._call("POST", "/generation/start", {"project_id": film.project_id})
        film.package_id = started["material_package_id"]
        while film.status not in _OVER:
            progress = self._call("GET", f"/generation/progress/{film.project_id}")
            film.status = progress["status"]
            if wish == "cancel" and progress["progress"] >= 30 and not film.cancelled:
                film.cancelled = self._cancel(film)
            time.sleep(_PAUSE_S)

    def _cancel(self, film: Film) -> bool:
        try:
            self._call("POST", f"/generation/cancel/{film.project_id}")
        except Refused as refused:
            if refused.status != 409:  # else there is nothing to cancel any more
                raise
            return False
        return True

    def _call(self, method: str, path: str, body: Any = None, key: str = "") -> Any:
        """The data of the answer. Raises Refused, and TimeoutError when the whole run is over."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": key or uuid.uuid4().hex}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if method == "GET" else orjson.dumps(body or {})
        self.requests += 1
        while not self._orders.give_up.is_set():
            request = urllib.request.Request(f"{self._url}/api/v1{path}", data, headers, method=method)
            try:
                with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
                    return orjson.loads(answer.read())["data"]
            except HTTPError as error:
                if error.code < 500:
                    raise Refused(error.code, error.read().decode(errors="replace")) from error
            except (OSError, http.client.HTTPException):
                pass  # the process is down, stopped or was killed while it answered
            self.repeated += 1
            self._url = next(self._urls)
            time.sleep(_PAUSE_S)
        raise TimeoutError(f"no answer to {method} {path}")
