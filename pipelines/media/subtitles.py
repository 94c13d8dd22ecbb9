"""Subtitles of a film: as a file of their own (SRT, VTT, ASS) and burned into the picture, in one style."""

import html
import re
from dataclasses import dataclass
from pathlib import Path

import pysubs2

from models.specs import EncodeSpec, Font, SubtitleStyle
from pipelines.media.cues import Cue, build_cues
from pipelines.media.overlay import Overlay
from pipelines.media.text import (
    TextStyle,
    cell_height,
    drawable,
    line_width,
    parse_colour,
    render_lines,
)

_DEFAULT_SIZE = 38  # pixels at a short side of 720
_MEDIA_TYPES = {"SRT": "application/x-subrip", "VTT": "text/vtt", "ASS": "text/x-ssa"}
_ALIGNMENT = {"bottom": 2, "center": 5, "top": 8}  # the numeric keypad, as SSA has it
_VTT_LINE = {"bottom": "88%", "center": "50%", "top": "8%"}


@dataclass(frozen=True)
class Look:
    """A subtitle style worked out for a frame of ``width`` x ``height`` pixels."""

    style: SubtitleStyle
    text: TextStyle
    width: int
    height: int
    margin: int
    max_line_width: int


def look_of(style: SubtitleStyle, width: int, height: int) -> Look:
    """Raises UserInputError for an unknown font or a colour that is none."""
    short = min(width, height)
    size = max(8, round((style.font_size or _DEFAULT_SIZE) * short / 720))
    text = TextStyle(
        size=size,
        family=style.font_name or Font.SANS,
        colour=parse_colour(style.font_color, "config.subtitle.font_color"),
        outline=size * 0.07,
        shadow=size * 0.06,
        box_colour=parse_colour(style.background_color, "config.subtitle.background_color"),
        box_opacity=style.background_opacity,
    )
    # Upright video is watched with a player's controls over its lower edge.
    margin = round(height * (0.12 if height > width else 0.05))
    return Look(style, text, width, height, margin, round(width * (0.9 if height > width else 0.84)))


def film_cues(spec: EncodeSpec, look: Look, offset_s: float, film_end_s: float) -> list[Cue]:
    """The film's cues; ``offset_s`` is the length of the cover before the first clip."""
    family, size = look.text.family, look.text.size
    return build_cues(
        spec.speech,
        offset_s=offset_s,
        film_end_s=film_end_s,
        max_width=look.max_line_width,
        measure=lambda text: line_width(text, family, size),
        drawable=lambda text: drawable(text, family),
    )


# --- burned in ----------------------------------------------------------------------------------------------


def overlay_of(cue: Cue, look: Look) -> Overlay:
    """The cue as a tile at its place in the frame."""
    tile = render_lines(list(cue.lines), look.text)
    rows, columns = tile.shape[:2]
    top = {
        "top": look.margin,
        "center": (look.height - rows) // 2,
        "bottom": look.height - look.margin - rows,
    }[look.style.position]
    top = min(max(0, top), max(0, look.height - rows))
    return Overlay(tile, (look.width - columns) // 2, top, look.width, look.height)


# --- as a file ----------------------------------------------------------------------------------------------


def write_subtitles(path: Path, cues: list[Cue], look: Look, title: str) -> str:
    """Write the file in the style's format and answer its media type."""
    name = look.style.format
    subtitles = pysubs2.SSAFile()
    for cue in cues:
        event = pysubs2.SSAEvent(start=round(cue.start_s * 1000), end=round(cue.end_s * 1000))
        event.plaintext = "\n".join(_literal(line, name) for line in cue.lines)
        event.name = cue.speaker or ""
        subtitles.append(event)
    if name == "ASS":
        _style_ass(subtitles, look, title)
        text = subtitles.to_string("ass", header_notice="")
    elif name == "VTT":
        text = _style_vtt(subtitles.to_string("vtt"), look)
    else:
        _style_srt(subtitles, look)
        text = subtitles.to_string("srt", keep_ssa_tags=True)
    path.write_text(text, encoding="utf-8")
    return _MEDIA_TYPES[name]


def _literal(text: str, name: str) -> str:
    """The text so that nothing in it is taken for markup."""
    # SSA, whose tags all formats are written through, has no escape that every player knows; the full-width
    # forms
    # look the same.
    text = text.translate({ord("{"): "｛", ord("}"): "｝", ord("\\"): "＼"})
    return html.escape(text, quote=False) if name == "VTT" else text


def _style_ass(subtitles: pysubs2.SSAFile, look: Look, title: str) -> None:
    text = look.text
    boxed = text.box_opacity > 0
    opacity = round(255 * (1 - text.box_opacity)) if boxed else 0
    back = pysubs2.Color(*text.box_colour, opacity)
    subtitles.info |= {
        "Title": " ".join(title.split()),
        "PlayResX": str(look.width),
        "PlayResY": str(look.height),
        "ScaledBorderAndShadow": "yes",
        "YCbCr Matrix": "TV.709",
    }
    subtitles.styles["Default"] = pysubs2.SSAStyle(
        fontname=text.family,
        # SSA measures the cell from ascent to descent, not the em.
        fontsize=cell_height(text.family, text.size),
        primarycolor=pysubs2.Color(*text.colour),
        outlinecolor=back if boxed else pysubs2.Color(12, 12, 16),
        backcolor=back,
        borderstyle=3 if boxed else 1,
        outline=round(text.outline, 1),
        shadow=0 if boxed else round(text.shadow, 1),
        alignment=pysubs2.Alignment(_ALIGNMENT[look.style.position]),
        marginv=look.margin,
        marginl=round(look.width * 0.05),
        marginr=round(look.width * 0.05),
    )


def _style_srt(subtitles: pysubs2.SSAFile, look: Look) -> None:
    """SubRip has no styles; players agree on an SSA tag for the place and on HTML's font tag for the
    colour."""
    red, green, blue = look.text.colour
    for event in subtitles:
        if look.text.colour != (255, 255, 255):
            event.text = f'<font color="#{red:02x}{green:02x}{blue:02x}">{event.text}</font>'
        if look.style.position != "bottom":
            event.text = f"{{\\an{_ALIGNMENT[look.style.position]}}}{event.text}"


def _style_vtt(text: str, look: Look) -> str:
    red, green, blue = look.text.colour
    box = look.text.box_colour
    css = (
        f"STYLE\n::cue {{\n  color: rgb({red}, {green}, {blue});\n"
        f"  background-color: rgba({box[0]}, {box[1]}, {box[2]}, {look.text.box_opacity:g});\n"
        f'  font-family: "{look.text.family}", sans-serif;\n'
        f"  font-size: {look.text.size / look.height * 100:.2f}vh;\n}}\n\n"
    )
    place = f" line:{_VTT_LINE[look.style.position]} align:center"
    text = re.sub(r"(?m)^(\S+ --> \S+)$", rf"\1{place}", text)
    return text.replace("WEBVTT\n\n", f"WEBVTT\n\n{css}", 1)
