"""Every setting of what is spoken and of the music is heard in the decoded film, and the others stay as they were."""

import io
import itertools
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.acceptance.film import SAMPLE_RATE, Cue, Film, decode, level_db, read_cues
from tests.acceptance.product import Api, Server, wait_for
from tests.contract.fields import shows

pytestmark = pytest.mark.timeout(400)

BOARD = """镜号,景别,场景,画面,角色,旁白,对白,时长,运镜,转场
1,中景,海边,傍晚的海滩上的安安,安安,海浪轻轻地唱着歌。,我听见了大海的声音！,3,固定,切
2,远景,海边,傍晚的海滩,,,,4,固定,切
"""
NARRATION = {"text_content": "海浪轻轻地唱着歌。", "speech_speed": 1.0, "volume": 1.0, "emotion": "neutral"}
DIALOGUE = {"text_content": "我听见了大海的声音！", "speech_speed": 1.0, "volume": 1.0, "emotion": "neutral"}
TONE_S = 1.5
MUSIC = {"volume": 0.5, "is_loop": True, "fade_in_duration": 0.0, "fade_out_duration": 0.0}

# A film each; in each the narration, the dialogue and the music differ from "plain" in one setting at most.
TAKES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "plain": ({}, {}, {}),
    "1": ({"speech_speed": 1.6}, {"volume": 0.25}, {"fade_in_duration": 2.0}),
    "2": ({"volume": 0.25}, {"speech_speed": 1.6}, {"fade_out_duration": 2.0}),
    "3": ({"emotion": "whisper"}, {"text_content": "再见，大海，我明天还会再来看你的。"}, {"volume": 0.1}),
    "4": ({"text_content": "海浪唱着一首很长很长的歌，唱了整整一个晚上。"}, {"emotion": "whisper"}, {"is_loop": False}),
    "5": ({"voice_id": "voice_zh-female-1"}, {"voice_id": "voice_zh-elder-1"}, {"audio_url": "composed"}),
}


@dataclass
class Take:
    film: Film
    narration: Cue
    dialogue: Cue

    def sound_of(self, cue: Cue) -> np.ndarray:
        return self.film.between(cue.start_s, cue.end_s - 0.25)  # a cue stays a little longer than the voice

    def over_narration_db(self) -> float:
        """How loud the dialogue is against the narration."""
        return level_db(self.sound_of(self.dialogue)) - level_db(self.sound_of(self.narration))

    def music(self, start_s: float, end_s: float) -> np.ndarray:
        """The sound at a time counted from the film's end, where nobody speaks."""
        return self.film.between(self.film.duration_s - start_s, self.film.duration_s - end_s)


def _tone(frequency_hz: float) -> bytes:
    """A short sound file of whole periods."""
    times = np.arange(round(TONE_S * SAMPLE_RATE)) / SAMPLE_RATE
    samples = (8000 * np.sin(2 * np.pi * frequency_hz * times)).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.tobytes())
    return buffer.getvalue()


@pytest.fixture(scope="module")
def takes(server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Take]:
    folder = tmp_path_factory.mktemp("takes")
    api = server.new_user("listener")
    project = api.submit(BOARD, input_type="storyboard")
    api.wait_for_materials(project)
    clip = api.get(f"/projects/{project}/timeline")["clips"][0]["id"]
    audio = api.get(f"/timeline-clips/{clip}/audio")
    (line,) = audio["dialogue"]
    tone = api.upload(_tone(600), "tone.wav", "audio/wav", "audio")["file_url"]
    composed = api.post(f"/projects/{project}/generate-bgm")["audio_url"]
    takes = {}
    for name, (narration, dialogue, music) in TAKES.items():
        voices = {"voice_id": audio["narration"]["voice_id"]}, {"voice_id": line["voice_id"]}
        api.put(f"/timeline-clips/{clip}/narration", NARRATION | voices[0] | narration)
        api.put(f"/timeline-clips/{clip}/dialogue/{line['id']}", DIALOGUE | voices[1] | dialogue)
        address = composed if "audio_url" in music else tone
        api.put(f"/projects/{project}/bgm", MUSIC | music | {"audio_url": address})
        _wait_for_speech(api, clip)
        # The next take changes the project, so this one has to be planned before: its sound is there.
        takes[name] = api.start_export(project, name)
    return {name: _take(api, project, name, export, folder) for name, export in takes.items()}


def _wait_for_speech(api: Api, clip: str) -> None:
    def is_spoken() -> bool:
        audio = api.get(f"/timeline-clips/{clip}/audio")
        lines = [audio["narration"], *audio["dialogue"]]
        assert "failed" not in {line["generation_status"] for line in lines}
        return {line["generation_status"] for line in lines} == {"completed"}

    wait_for("the lines to be spoken", is_spoken)


def _take(api: Api, project: str, name: str, export: str, folder: Path) -> Take:
    api.wait_for_export(export)
    files = api.exported(project, name, folder)
    cues = read_cues(files["subtitle"])
    told = TAKES[name][0].get("text_content", NARRATION["text_content"])
    film = decode(files["video"])
    narrated = [cue for cue in cues if cue.text.replace("\n", "")[:4] in told]
    said = [cue for cue in cues if cue not in narrated]
    return Take(film, _joined(narrated), _joined(said))


def _joined(cues: list[Cue]) -> Cue:
    return Cue(cues[0].start_s, cues[-1].end_s, "".join(cue.text.replace("\n", "") for cue in cues))


def _length(cue: Cue) -> float:
    return cue.end_s - cue.start_s


def _spectrum_db(sound: np.ndarray) -> np.ndarray:
    """Levels of third-octave-like bands against their mean: the colour of a voice, whatever its loudness."""
    power = np.abs(np.fft.rfft(sound.mean(axis=0))) ** 2
    hz = np.fft.rfftfreq(sound.shape[1], 1 / SAMPLE_RATE)
    edges = np.geomspace(100, 8000, 20)
    levels = [10 * np.log10(power[(hz >= low) & (hz < high)].sum() + 1e-9) for low, high in itertools.pairwise(edges)]
    return np.array(levels) - np.mean(levels)


@shows("PUT /timeline-clips/{clip_id}/narration", "speech_speed")
@shows("PUT /timeline-clips/{clip_id}/dialogue/{dialogue_id}", "speech_speed")
def test_speech_speed(takes: dict[str, Take]) -> None:
    plain = takes["plain"]
    assert _length(takes["1"].narration) < 0.8 * _length(plain.narration)
    assert _length(takes["2"].dialogue) < 0.8 * _length(plain.dialogue)


@shows("PUT /timeline-clips/{clip_id}/narration", "volume")
@shows("PUT /timeline-clips/{clip_id}/dialogue/{dialogue_id}", "volume")
def test_volume(takes: dict[str, Take]) -> None:
    plain = takes["plain"].over_narration_db()
    assert takes["1"].over_narration_db() < plain - 6
    assert takes["2"].over_narration_db() > plain + 6


@shows("PUT /timeline-clips/{clip_id}/narration", "text_content")
@shows("PUT /timeline-clips/{clip_id}/dialogue/{dialogue_id}", "text_content")
def test_text_content(takes: dict[str, Take]) -> None:
    assert takes["4"].narration.text == TAKES["4"][0]["text_content"]
    assert takes["3"].dialogue.text == TAKES["3"][1]["text_content"]
    assert _length(takes["4"].narration) > 1.5 * _length(takes["plain"].narration)
    assert _length(takes["3"].dialogue) > 1.2 * _length(takes["plain"].dialogue)


@shows("PUT /timeline-clips/{clip_id}/narration", "emotion", "voice_id")
@shows("PUT /timeline-clips/{clip_id}/dialogue/{dialogue_id}", "emotion", "voice_id")
@pytest.mark.parametrize(("field", "narrated", "said"), [("emotion", "3", "4"), ("voice_id", "5", "5")])
def test_voice(takes: dict[str, Take], field: str, narrated: str, said: str) -> None:
    """The same words in another colour; what was not changed keeps its own."""
    plain = takes["plain"]
    for one, other in (
        (takes[narrated].sound_of(takes[narrated].narration), plain.sound_of(plain.narration)),
        (takes[said].sound_of(takes[said].dialogue), plain.sound_of(plain.dialogue)),
    ):
        assert np.abs(_spectrum_db(one) - _spectrum_db(other)).mean() > 2, field


def test_a_line_that_was_not_changed_sounds_as_before(takes: dict[str, Take]) -> None:
    plain, other = takes["plain"], takes["2"]
    one, same = (_spectrum_db(take.sound_of(take.narration)) for take in (plain, other))
    assert np.abs(one - same).mean() < 2


@shows("PUT /projects/{project_id}/bgm", "volume")
def test_music_volume(takes: dict[str, Take]) -> None:
    soft, plain = (
        level_db(take.music(1.5, 0.1)) - level_db(take.sound_of(take.narration))
        for take in (takes["3"], takes["plain"])
    )
    assert soft < plain - 6


@shows("PUT /projects/{project_id}/bgm", "fade_in_duration", "fade_out_duration")
def test_music_fades(takes: dict[str, Take]) -> None:
    plain, fading_in, fading_out = takes["plain"], takes["1"].film, takes["2"]
    assert level_db(fading_in.between(0.0, 0.15)) < level_db(plain.film.between(0.0, 0.15)) - 6
    ends = [level_db(take.music(0.4, 0.1)) - level_db(take.music(2.4, 2.1)) for take in (fading_out, plain)]
    assert ends[0] < ends[1] - 6


@shows("PUT /projects/{project_id}/bgm", "is_loop")
def test_music_loops_only_if_asked(takes: dict[str, Take]) -> None:
    assert level_db(takes["plain"].music(1.5, 0.1)) > level_db(takes["4"].music(1.5, 0.1)) + 20


@shows("PUT /projects/{project_id}/bgm", "audio_url")
def test_music_is_the_one_that_was_chosen(takes: dict[str, Take]) -> None:
    tone, composed = (_spectrum_db(takes[name].music(1.5, 0.1)) for name in ("plain", "5"))
    assert np.abs(tone - composed).mean() > 5
