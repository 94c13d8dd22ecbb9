"""What is asked of the camera, in words that a video model was told in its training."""

from models.draft.script.text import detect_language
from models.specs import CameraMovement, Language, VideoSpec

_MOVES: dict[CameraMovement, dict[Language, str]] = {
    CameraMovement.STATIC: {"en": "static camera, locked-off shot on a tripod", "zh": "固定镜头，机位不动"},
    CameraMovement.PUSH_IN: {"en": "the camera {pace} pushes in, dolly in", "zh": "镜头{pace}向前推近"},
    CameraMovement.PULL_OUT: {"en": "the camera {pace} pulls back, dolly out", "zh": "镜头{pace}向后拉远"},
    CameraMovement.PAN_LEFT: {"en": "the camera {pace} pans to the left", "zh": "镜头{pace}向左摇"},
    CameraMovement.PAN_RIGHT: {"en": "the camera {pace} pans to the right", "zh": "镜头{pace}向右摇"},
    CameraMovement.TILT_UP: {"en": "the camera {pace} tilts up", "zh": "镜头{pace}向上摇"},
    CameraMovement.TILT_DOWN: {"en": "the camera {pace} tilts down", "zh": "镜头{pace}向下摇"},
    CameraMovement.ORBIT: {"en": "the camera {pace} orbits around the subject", "zh": "镜头{pace}环绕主体移动"},
    CameraMovement.HANDHELD: {"en": "handheld camera with slight natural shake", "zh": "手持镜头，画面自然轻微晃动"},
}
_PACES: dict[Language, tuple[str, str, str]] = {"en": ("swiftly", "steadily", "slowly"), "zh": ("快速", "平稳", "缓缓")}
_SHORT_S, _LONG_S = 2.5, 6.0  # the same way in less time is a faster move


def video_prompt(spec: VideoSpec, language: Language | None = None) -> str:
    """The spec's prompt, then its duration and its camera's move in ``language``, or in the prompt's."""
    language = language or detect_language(spec.prompt)
    pace = _PACES[language][(spec.duration_s >= _SHORT_S) + (spec.duration_s >= _LONG_S)]
    move = _MOVES[spec.camera_movement][language].format(pace=pace)
    seconds = f"{spec.duration_s:.1f}".removesuffix(".0")
    if language == "zh":
        words = [spec.prompt.strip().rstrip("。，"), f"{seconds}秒的连贯长镜头", move]
        return "，".join(word for word in words if word) + "。"
    words = [spec.prompt.strip().rstrip(".,"), f"one continuous shot of {seconds} seconds", move]
    text = ", ".join(word for word in words if word) + "."
    return text[0].upper() + text[1:] if not spec.prompt.strip() else text
