"""What every part of the breakdown asks of a text: clean characters, its language, how long it takes to say."""

import re
from collections.abc import Iterable

from models.interfaces import UserInputError
from models.specs import Language

ZH_CHARACTERS_PER_S = 4.2
EN_WORDS_PER_S = 2.6
SPEECH_TAIL_S = 0.4
"""How long a shot stays after its last word."""

# Han, kana and their extensions: scripts written without spaces, spoken a syllable at a time.
HAN = r"\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_HAN_CHARACTER = re.compile(f"[{HAN}]")
_WORD = re.compile(f"[^\\W_{HAN}]+(?:['’][^\\W_{HAN}]+)*")
_LATIN_WORD = re.compile(r"[A-Za-zÀ-ɏ]+(?:['’][A-Za-z]+)*")
_DIGIT = re.compile(r"\d")
_HAN_END = re.compile(f"[{HAN}，。！？；：、…—”」』]$")
_HAN_START = re.compile(f"^[{HAN}“「『《—]")
_LETTER = re.compile(r"[^\W_]")
_KEYCAP = re.compile("[0-9#*]\ufe0f?\u20e3")
_LONG_WORD_LETTERS = 12

# Line ends in every spelling become "\n", so that a line number means what an editor shows.
_LINE_END = re.compile("\r\n|\r|\u2028|\u2029|\u0085")
# Characters nobody sees: controls, byte order marks, zero-width spaces, direction overrides, half surrogates. Joiners
# stay: Persian and emoji are written with them.
# A terminal's escape sequences are taken whole: "\x1b[31m" leaves no "[31m".
_ESCAPE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x9b[0-9;]+m|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1b[#%()*+][0-~]|\x1b[0-9=>]"
)
_INVISIBLE = re.compile(
    "[\u0001-\u0008\u000b-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060"
    "\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def detect_language(text: str) -> Language:
    """Chinese where there are at least as many Chinese characters as Latin words, else English."""
    han = len(_HAN_CHARACTER.findall(text))
    return "zh" if han and han >= len(_LATIN_WORD.findall(text)) else "en"


def clean(text: str) -> str:
    """The text without what nobody sees and with ``\\n`` line ends. Raises UserInputError for a NUL."""
    text = _LINE_END.sub("\n", text)
    position = text.find("\0")
    if position >= 0:
        line = text.count("\n", 0, position) + 1
        raise UserInputError(
            f"line {line} contains a NUL character: this is not text",
            f"第 {line} 行含有 NUL 字符，这不是文本",
            language=detect_language(text),
        )
    return without_controls(text)


def without_controls(text: str) -> str:
    """The text without escape sequences, control and other invisible characters."""
    return _INVISIBLE.sub("", _ESCAPE.sub("", _LINE_END.sub("\n", text)).replace("\0", ""))


def require_words(text: str, language: Language | None = None) -> None:
    """Raises UserInputError if nothing in the text can be told or spoken."""
    if not text.strip():
        raise UserInputError("the content is empty", "内容为空，请输入文字", language=language or "zh")
    if not has_words(text):
        raise UserInputError(
            "nothing to tell: only punctuation, symbols or emoji",
            "内容里没有可以讲述的文字，只有符号或表情",
            language=language or "zh",
        )


def has_words(text: str) -> bool:
    """Whether there is a letter or a number outside emoji."""
    return _LETTER.search(_KEYCAP.sub("", text)) is not None


def speech_seconds(text: str) -> float:
    """About how long the text takes to say, whatever mixture of languages it is in; 0 for nothing to say."""
    syllables = len(_HAN_CHARACTER.findall(text))
    words = 0
    for match in _WORD.finditer(text):
        digits = len(_DIGIT.findall(match.group()))
        syllables += digits
        letters = len(match.group()) - digits
        words += -(-letters // _LONG_WORD_LETTERS)
    return syllables / ZH_CHARACTERS_PER_S + words / EN_WORDS_PER_S


def in_language(language: Language, zh: str, en: str) -> str:
    return zh if language == "zh" else en


def one_line(text: str) -> str:
    """The text with every run of white space as one space, none between Chinese characters."""
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(f"(?<=[{HAN}，。！？；：、”」』]) (?=[{HAN}“「『])", "", text)


def shorten(text: str, language: Language, *, zh_characters: int, en_words: int) -> str:
    """The start of the text, cut at a word, with an ellipsis where something was cut."""
    text = one_line(text)
    if language == "zh":
        if len(text) <= zh_characters:
            return text
        cut = text[:zh_characters]
        stop = max(cut.rfind(mark) for mark in "，。！？；,.!?;")
        return (cut[:stop] if stop >= zh_characters // 2 else cut).rstrip("，。；、,.; ") + "…"
    words = text.split(" ")
    if len(words) <= en_words and len(text) <= en_words * 12:
        return text
    return " ".join(words[:en_words])[: en_words * 12].rstrip(",.;:- ") + "…"


def as_sentences(parts: Iterable[str]) -> str:
    """Phrases as running text, each ended by a full stop of its own script where it has no end mark."""
    text = ""
    for part in parts:
        if text and text[-1].isalnum():
            text += "。" if _HAN_CHARACTER.match(text[-1]) else "."
        text = join_sentences([text, part]) if part else text
    return text


def join_sentences(parts: Iterable[str]) -> str:
    """Sentences as running text, with a space between them where the script has one."""
    text = ""
    for part in parts:
        glue = "" if not text or not part or (_HAN_END.search(text) and _HAN_START.search(part)) else " "
        text += glue + part
    return text


def sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]
