"""One text in Chinese and English, for what is stored before its reader is known."""

_SEPARATOR = "\x1f"
"""Between the languages: a control character, which no message holds."""


def both(zh: str, en: str) -> str:
    return zh if zh == en else f"{zh}{_SEPARATOR}{en}"


def spoken(text: str, language: str) -> str:
    """In one language; a text that is in one only is as it is."""
    zh, separator, en = text.partition(_SEPARATOR)
    return en if separator and language == "en" else zh
