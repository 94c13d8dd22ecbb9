"""The program that holds espeak-ng: started as ``python -I espeak_helper.py LIBRARY DATA``, stopped by
closing stdin.

espeak-ng is GPL-3.0 software, so it lives in this process of its own and nothing of it is loaded anywhere
else. This file needs the standard library only.

Each message is four bytes of big-endian length and that many bytes of body. A request is JSON: ``text``,
``voice`` and the espeak parameters ``rate``, ``pitch``, ``range``. An answer is JSON, and where it has no
``error`` a second message with signed 16-bit mono samples follows. ``words`` are ``[character, sample]``:
from which sample on the text from that character (counted from 0) is spoken. ``clauses`` are such pairs for
the ends of clauses.
"""

import ctypes
import json
import os
import signal
import struct
import sys
from typing import IO, Any

_LENGTH = struct.Struct(">I")
_SYNTHESIS_LIMIT_S = 60

# speak_lib.h of espeak-ng 1.52
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_DONT_EXIT = 0x8000
_RATE, _PITCH, _RANGE = 1, 3, 4
_CHARS_UTF8 = 1
_POS_CHARACTER = 1
_EVENT_LIST_TERMINATED, _EVENT_WORD, _EVENT_END = 0, 1, 5


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


def read_message(stream: IO[bytes]) -> bytes | None:
    """The next message's body, or None at the end of the stream."""
    header = stream.read(_LENGTH.size)
    if len(header) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(header)
    body = stream.read(length)
    return body if len(body) == length else None


def write_message(stream: IO[bytes], body: bytes) -> None:
    stream.write(_LENGTH.pack(len(body)) + body)
    stream.flush()


class _Library:
    def __init__(self, library: str, data: str) -> None:
        self._espeak = ctypes.CDLL(library)
        self._espeak.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
        self.sample_rate: int = self._espeak.espeak_Initialize(
            _AUDIO_OUTPUT_SYNCHRONOUS, 0, os.fsencode(data), _INITIALIZE_DONT_EXIT
        )
        if self.sample_rate <= 0:
            raise OSError(f"espeak-ng cannot use its data in {data}")
        # Its noise (breath, roughness, consonants) is otherwise seeded by the clock.
        self._espeak.espeak_ng_SetRandSeed(ctypes.c_long(1))

    def synthesise(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        if self._espeak.espeak_SetVoiceByName(request["voice"].encode()) != 0:
            return {"error": f"espeak-ng has no voice {request['voice']}"}, b""
        for parameter, name in ((_RATE, "rate"), (_PITCH, "pitch"), (_RANGE, "range")):
            self._espeak.espeak_SetParameter(parameter, int(request[name]), 0)
        pcm: list[bytes] = []
        words: list[tuple[int, int]] = []
        clauses: list[tuple[int, int]] = []

        def collect(samples: Any, count: int, events: Any) -> int:
            if samples and count > 0:
                pcm.append(ctypes.string_at(samples, 2 * count))
            index = 0
            while events[index].type != _EVENT_LIST_TERMINATED:
                event = events[index]
                if event.type == _EVENT_WORD:
                    words.append((event.text_position - 1, event.sample))
                elif event.type == _EVENT_END:
                    clauses.append((event.text_position - 1, event.sample))
                index += 1
            return 0

        callback = _Callback(collect)
        self._espeak.espeak_SetSynthCallback(callback)
        text = request["text"].encode() + b"\0"
        status = self._espeak.espeak_Synth(text, len(text), 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None)
        if status != 0:
            return {"error": f"espeak-ng failed with status {status}"}, b""
        return {"sample_rate": self.sample_rate, "words": words, "clauses": clauses}, b"".join(pcm)


def _answer_in_a_child(library: _Library, body: bytes) -> bytes:
    """Synthesise in a fork and return the framed answer.

    espeak-ng carries noise and flutter state from one utterance into the next; a fork of the fresh state
    makes equal requests give equal samples, and text that crashes the synthesiser costs one request only.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(_SYNTHESIS_LIMIT_S)
        os.close(reader)
        answer, pcm = library.synthesise(json.loads(body))
        with os.fdopen(writer, "wb") as stream:
            write_message(stream, json.dumps(answer).encode())
            if "error" not in answer:
                write_message(stream, pcm)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        framed = stream.read()
    _, status = os.waitpid(child, 0)
    if status == 0:
        return framed
    error = json.dumps({"error": f"espeak-ng ended with wait status {status}"}).encode()
    return _LENGTH.pack(len(error)) + error


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent decides when to stop
    library = _Library(sys.argv[1], sys.argv[2])
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    while (body := read_message(stdin)) is not None:
        try:
            stdout.write(_answer_in_a_child(library, body))
            stdout.flush()
        except BrokenPipeError:
            os._exit(0)  # the parent is gone; a normal exit would try to flush again


if __name__ == "__main__":
    main()
