"""Reading a story: paragraphs, headings and quotations into beats."""

import re
from dataclasses import dataclass, field

from models.draft.script import chinese
from models.draft.script.moods import emotion_of_speech
from models.draft.script.names import one_spelling
from models.draft.script.people import find_people, mentions_of
from models.draft.script.sentences import Piece, split_quotes, split_sentences
from models.draft.script.source import Beat, Line, Source
from models.draft.script.speakers import Attribution, Speakers, upright, without_lead
from models.draft.script.text import has_words, join_sentences, one_line, speech_seconds
from models.specs import Emotion, Language

MAX_LINE_S = 12.0
"""Spoken words longer than this go over several beats."""

_HEADING = re.compile(r"^#{1,6}\s+(?P<words>.+?)\s*#*$")
_TITLE_LINE = re.compile(r"^(?:《(?P<book>[^》]+)》|(?:标题|题目|片名|title)\s*[：:]\s*(?P<label>.+))$", re.IGNORECASE)
_CHAPTER = re.compile(
    r"^(?:第[一二三四五六七八九十百\d]+[章节回幕](?:\s.*|：.*)?|(?:chapter|part|act)\s+[\divxlc]+\b.*)$", re.IGNORECASE
)
_MARKER = re.compile(r"^(?:>\s+|[-*+•]\s+|\d{1,3}[.)、]\s*(?=\D))")
_EMPHASIS = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_LABEL = re.compile(r"^(?P<name>[^\s：:，,。.！!？?“”\"「」]{1,12}(?: [A-Z][\w’']+)?)\s*[：:]\s*(?P<words>\S.*)$")
_NARRATOR_LABELS = frozenset(["旁白", "画外音", "解说", "narrator", "narration", "v.o.", "vo"])
_NOT_A_SPEAKER = frozenset(
    [
        "时间",
        "地点",
        "人物",
        "场景",
        "字幕",
        "注",
        "备注",
        "背景",
        "环境",
        "主题",
        "时长",
        "note",
        "time",
        "place",
        "location",
        "scene",
        "title",
        "music",
    ]
)
_TITLE_CHARACTERS = 24


@dataclass
class _Paragraph:
    """``speaker``: the label before the words, as in a play; empty for the narrator's label, None for no label."""

    text: str
    speaker: str | None = None
    told: list[str] = field(default_factory=list)


def read(text: str, language: Language, *, verbatim: bool) -> Source:
    """A story as a source, its beats one sentence or one quotation each. ``verbatim`` keeps every word outside
    quotation marks in the narration; otherwise "he said" goes. People are found, settings are not."""
    title, paragraphs = _paragraphs(text, verbatim=verbatim)
    pieces = [([] if p.speaker else split_quotes(p.text)) for p in paragraphs]
    for paragraph, parts in zip(paragraphs, pieces, strict=True):
        for part in parts:
            if not part.spoken:
                paragraph.told += split_sentences(part.text, chinese.words)
    told = [sentence for paragraph in paragraphs for sentence in paragraph.told]
    spelling = one_spelling(paragraph.speaker for paragraph in paragraphs if paragraph.speaker)
    labels = list(dict.fromkeys(spelling.values()))
    people = find_people(told, language, labels)
    mentions = mentions_of(people, language)
    speakers = Speakers(people, mentions, language)
    beats: list[Beat] = []
    for number, (paragraph, parts) in enumerate(zip(paragraphs, pieces, strict=True)):
        if paragraph.speaker:
            speaker = speakers.next_speaker(spelling[paragraph.speaker], same_paragraph=False, told=[])
            beats += _spoken(speaker, _unquoted(paragraph.text), Emotion.NEUTRAL, number)
            continue
        beats += _ParagraphReader(number, speakers, language, verbatim=verbatim).read(parts)
    for beat in beats:
        said_by = [line.speaker for line in beat.lines if line.speaker]
        beat.people = list(dict.fromkeys([*said_by, *mentions.names(beat.narration)]))
    return Source(language, text, beats, title=title, people=people)


class _ParagraphReader:
    """Builds the beats of one paragraph, narration and quotations in turn."""

    def __init__(self, number: int, speakers: Speakers, language: Language, *, verbatim: bool) -> None:
        self.number = number
        self.speakers = speakers
        self.language: Language = language
        self.verbatim = verbatim
        self.beats: list[Beat] = []
        self._told: list[str] = []  # sentences since the last quotation, not yet beats
        self._spoke = False

    def read(self, pieces: list[Piece]) -> list[Beat]:
        for index, piece in enumerate(pieces):
            if not piece.spoken:
                self._told += split_sentences(piece.text, chinese.words)
                continue
            after = pieces[index + 1 : index + 2]
            if after and not after[0].spoken:
                # Told ahead of its turn: the words after a quotation may say whose it was.
                following = split_sentences(after[0].text, chinese.words)
                taken = self._quote(piece.text, following, leads_on=len(following) == 1 and index + 2 < len(pieces))
                pieces[index + 1] = Piece(join_sentences(following[1:] if taken else following), False)
            else:
                self._quote(piece.text, [], leads_on=False)
        for sentence in self._told:
            self._tell(sentence)
        return self.beats

    def _tell(self, sentence: str) -> None:
        self.speakers.hear(sentence)
        self.beats.append(Beat(narration=one_line(sentence), paragraph=self.number))

    def _quote(self, words: str, following: list[str], *, leads_on: bool) -> bool:
        """Add a quotation; returns whether the sentence after it spoke of it and is used up. ``leads_on``: that
        sentence may lead to another quotation instead."""
        told, self._told = self._told, []
        lead = self.speakers.attribution(told[-1], before=True) if told else None
        for sentence in told if lead is None else told[:-1]:
            self._tell(sentence)
        tail = None
        if following and not (leads_on and lead) and (lead is None or lead.speaker is None):
            tail = self.speakers.attribution(following[0], before=False)
        around = [a for a in (lead, tail) if a is not None]
        named = next((a.speaker for a in around if a.speaker), None)
        speaker = self.speakers.next_speaker(named, same_paragraph=self._spoke, told=told)
        self._spoke = True
        narration = []
        if lead is not None:
            self.speakers.hear(told[-1])
            narration += self._attributed(lead, told[-1], speaker)
        if tail is not None:
            after = following[0] if self.verbatim else upright(following[0], self.language)
            narration += self._attributed(tail, after, speaker)
        emotion = next((a.emotion for a in around if a.emotion != Emotion.NEUTRAL), Emotion.NEUTRAL)
        beats = _spoken(speaker, words, emotion, self.number)
        beats[0].narration = join_sentences([*narration, beats[0].narration])
        self.beats += beats
        return tail is not None

    def _attributed(self, attribution: Attribution, sentence: str, speaker: str | None) -> list[str]:
        """What is narrated of "she said": nothing where it says no more than whose voice is heard."""
        if speaker is None or self.verbatim:
            return [one_line(sentence)]
        return [] if attribution.is_bare else [without_lead(one_line(sentence), self.language)]


def _spoken(speaker: str | None, words: str, emotion: Emotion, paragraph: int) -> list[Beat]:
    """A quotation as beats; what nobody is known to say is narrated."""
    groups: list[str] = []
    for sentence in split_sentences(words, chinese.words):
        if groups and speech_seconds(groups[-1]) + speech_seconds(sentence) <= MAX_LINE_S:
            groups[-1] = one_line(f"{groups[-1]} {sentence}")
        else:
            groups.append(one_line(sentence))
    beats = []
    for group in groups:
        if speaker is None:
            beats.append(Beat(narration=group, paragraph=paragraph, is_quoted=True))
            continue
        felt = emotion if emotion != Emotion.NEUTRAL else emotion_of_speech(group)
        beats.append(Beat(lines=[Line(speaker, _full_stop(group), felt)], paragraph=paragraph))
    return beats


def _full_stop(words: str) -> str:
    """Spoken words on their own end in a full stop where the quotation had a comma."""
    if words.endswith("，"):
        return f"{words[:-1]}。"
    return f"{words[:-1]}." if words.endswith(",") else words


def _paragraphs(text: str, *, verbatim: bool) -> tuple[str, list[_Paragraph]]:
    lines = [line.strip() for line in text.split("\n")]
    title = ""
    labelled = [match for line in lines if (match := _LABEL.match(line)) and _may_speak(match.group("name"))]
    is_play = len(labelled) >= 2 and len(labelled) * 3 >= sum(1 for line in lines if has_words(line))
    paragraphs: list[_Paragraph] = []
    first = True
    for index, line in enumerate(lines):
        if not has_words(line):
            continue
        heading = _HEADING.match(line)
        titled = _TITLE_LINE.match(line)
        is_first, first = first, False
        if heading or _CHAPTER.match(line):
            if heading and not title:
                title = heading.group("words")
            continue
        if titled:
            title = title or titled.group("book") or titled.group("label")
            continue
        if is_first and not verbatim and _looks_like_title(line, lines[index + 1 :]):
            title = line.strip("*_ ")
            continue
        words = _EMPHASIS.sub(r"\2", _MARKER.sub("", line))
        label = _LABEL.match(words)
        if label and label.group("name").lower() in _NARRATOR_LABELS:
            paragraphs.append(_Paragraph(label.group("words")))
        elif label and is_play and _may_speak(label.group("name")):
            paragraphs.append(_Paragraph(label.group("words"), speaker=label.group("name")))
        else:
            paragraphs.append(_Paragraph(words))
    if not paragraphs and title:
        paragraphs.append(_Paragraph(title))
    return title, paragraphs


def _looks_like_title(line: str, rest: list[str]) -> bool:
    """A short first line without an end mark, set apart by a blank line from a longer text."""
    if not rest or rest[0] or len(line) > _TITLE_CHARACTERS * (1 if "\u3400" <= line[0] <= "\u9fff" else 2):
        return False
    return line[-1] not in '。！？!?…，,：:；;.”」"' and sum(len(other) for other in rest) > 3 * len(line)


def _may_speak(name: str) -> bool:
    return name.lower() not in _NOT_A_SPEAKER and name.lower() not in _NARRATOR_LABELS and has_words(name)


def _unquoted(words: str) -> str:
    return words.strip().strip('“”"「」')
