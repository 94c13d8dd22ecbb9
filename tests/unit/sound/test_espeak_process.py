"""espeak-ng lives in one process of its own, which must come back when it dies and never outlive us."""

import hashlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from models.draft.speech.espeak import Espeak, EspeakError, Utterance
from models.interfaces import Speech

_LINE = Utterance("你好，世界。", "cmn+f2", 200, 50, 50)


@pytest.fixture
def espeak() -> Iterator[Espeak]:
    espeak = Espeak()
    yield espeak
    espeak.close()


def _pid(espeak: Espeak) -> int:
    assert espeak.pid is not None
    return espeak.pid


def _wait_until_dead(pid: int, timeout_s: float = 10.0) -> bool:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        ready, _, _ = select.select([descriptor], [], [], timeout_s)
        return bool(ready)
    finally:
        os.close(descriptor)


def test_the_library_is_mapped_in_the_helper_and_never_here(espeak: Espeak) -> None:
    espeak.synthesise(_LINE)
    assert "libespeak" in Path(f"/proc/{espeak.pid}/maps").read_text()
    assert "libespeak" not in Path("/proc/self/maps").read_text()


def test_one_helper_serves_many_lines_and_keeps_no_state_between_them(espeak: Espeak) -> None:
    first = espeak.synthesise(_LINE)
    pid = _pid(espeak)
    espeak.synthesise(Utterance("Something quite different.", "en-us+m3", 150, 30, 80))
    again = espeak.synthesise(_LINE)
    assert _pid(espeak) == pid
    assert again.samples.tobytes() == first.samples.tobytes()
    assert again.words == first.words


def test_a_killed_helper_is_replaced(espeak: Espeak) -> None:
    before = espeak.synthesise(_LINE)
    second = int(time.time())
    killed = _pid(espeak)
    os.kill(killed, signal.SIGKILL)
    assert _wait_until_dead(killed)
    while int(time.time()) == second:  # espeak-ng left to itself seeds its noise with the second it started in
        time.sleep(0.01)
    after = espeak.synthesise(_LINE)
    assert _pid(espeak) != killed
    assert after.samples.tobytes() == before.samples.tobytes()


def test_an_answer_that_is_not_read_is_never_taken_for_the_next(
    espeak: Espeak, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task may be interrupted between its request and the answer, by Ctrl-C for one."""
    expected = espeak.synthesise(_LINE)

    def interrupted(stream: object) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("models.draft.speech.espeak.read_message", interrupted)
        with pytest.raises(KeyboardInterrupt):
            espeak.synthesise(Utterance("Something else.", "en-us+m3", 150, 30, 80))
    assert espeak.synthesise(_LINE).samples.tobytes() == expected.samples.tobytes()


def test_what_espeak_refuses_is_an_error_and_the_helper_lives_on(espeak: Espeak) -> None:
    espeak.start()
    pid = _pid(espeak)
    with pytest.raises(EspeakError):
        espeak.synthesise(Utterance("hello", "no-such-voice", 200, 50, 50))
    assert espeak.synthesise(_LINE).samples.size > 0
    assert _pid(espeak) == pid


def test_a_closed_helper_is_gone(espeak: Espeak) -> None:
    espeak.start()
    helper = psutil.Process(_pid(espeak))
    espeak.close()
    assert not helper.is_running()


def test_no_helper_outlives_its_parent() -> None:
    program = (
        "import sys, time\n"
        "from models.draft.speech.espeak import Espeak\n"
        "espeak = Espeak()\n"
        "espeak.start()\n"
        "print(espeak.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    helper = int(parent.stdout.readline())
    assert psutil.pid_exists(helper)
    parent.kill()
    parent.wait()
    assert _wait_until_dead(helper)


def test_a_fresh_process_says_the_same(speak: Callable[..., Speech]) -> None:
    program = (
        "import hashlib\n"
        "from models.draft.speech import DraftSpeaker\n"
        "from models.specs import SpeechSpec\n"
        "from models.catalog_file import load_catalog\n"
        "spec = SpeechSpec(text='天快黑了，Tom 还没回来。', language='zh',\n"
        "                  voice='zh-elder-1', emotion='fearful', seed=5)\n"
        "speech = DraftSpeaker(load_catalog().get('draft-speech')).speak(spec, lambda _: None)\n"
        "print(hashlib.sha256(speech.sound.samples.tobytes() + repr(speech.words).encode()).hexdigest())\n"
    )
    speak("先说点别的。", "zh-child-1")
    here = speak("天快黑了，Tom 还没回来。", "zh-elder-1", emotion="fearful", seed=5)
    digest = hashlib.sha256(here.sound.samples.tobytes() + repr(here.words).encode()).hexdigest()
    there = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == digest
