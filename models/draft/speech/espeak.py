"""The client of the espeak-ng helper process: it starts one, keeps it between tasks and replaces one that
died."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import espeakng_loader
import numpy as np
from numpy.typing import NDArray

from models.draft.speech.espeak_helper import read_message, write_message

_HELPER = Path(__file__).with_name("espeak_helper.py")

SLOWEST_RATE, FASTEST_RATE = 80, 450  # words per minute; espeak-ng clamps what lies outside


class EspeakError(RuntimeError):
    """espeak-ng could not synthesise, for a reason that is not the text's."""


@dataclass(frozen=True)
class Utterance:
    """``voice`` is an espeak-ng voice with an optional variant (``cmn+f2``); ``pitch`` and ``range`` are 0 to
    100."""

    text: str
    voice: str
    rate: int
    pitch: int
    range: int


@dataclass(frozen=True)
class Spoken:
    """``samples`` has shape (n,), -1 to 1. ``words`` are (character, sample) pairs: where in the text each
    stretch begins and when; ``clause_ends`` are the samples at which clauses end."""

    samples: NDArray[np.float32]
    sample_rate: int
    words: list[tuple[int, int]]
    clause_ends: list[int]


class Espeak:
    """One helper process. Not for use by two threads at once."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        # -I -S: the helper must not load anything of this environment. When this process dies the stdin ends,
        # and with it the helper.
        command = [sys.executable, "-I", "-S", str(_HELPER)]
        command += [str(espeakng_loader.get_library_path()), str(espeakng_loader.get_data_path())]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def close(self) -> None:
        """End the helper. It can be started again."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()

    def synthesise(self, utterance: Utterance) -> Spoken:
        """Speak one utterance, in a new helper if the old one died. Raises EspeakError."""
        request = json.dumps(vars(utterance)).encode()
        for _ in range(2):
            self.start()
            try:
                return self._exchange(request)
            except EspeakError:
                raise
            except BaseException as error:
                self.close()  # half an answer may be on its way, and the next request must not get it
                if not isinstance(error, BrokenPipeError | EOFError):
                    raise
        raise EspeakError("the espeak-ng helper dies as soon as it is started")

    def _exchange(self, request: bytes) -> Spoken:
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None  # noqa: S101
        write_message(process.stdin, request)
        header = read_message(process.stdout)
        if header is None:
            raise EOFError
        answer = json.loads(header)
        if "error" in answer:
            raise EspeakError(answer["error"])
        pcm = read_message(process.stdout)
        if pcm is None:
            raise EOFError
        return Spoken(
            samples=np.frombuffer(pcm, dtype=np.int16).astype(np.float32) / 32768.0,
            sample_rate=answer["sample_rate"],
            words=[(character, sample) for character, sample in answer["words"]],
            clause_ends=[sample for _, sample in answer["clauses"]],
        )
