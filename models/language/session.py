"""One task of the writer: its calls of the model, their seeds and progress, and what every request holds."""

from collections.abc import Sequence
from typing import Any

from models.draft.script.text import one_line
from models.interfaces import Report
from models.language import schemas
from models.language.constraint import Schema
from models.language.generation import Conversation, seed_of
from models.language.prompts import Prompts
from models.language.reading import Material, split
from models.options import WriterOptions
from models.specs import Character, Scene, ScriptSpec, ScriptStep

_LEAST_ROOM = 128  # tokens; a context that the request itself fills still reads this much
_NOTED_CHARACTERS = 8000
_ORDER = list(ScriptStep)


class Session:
    def __init__(
        self,
        spec: ScriptSpec,
        material: Material,
        conversation: Conversation,
        prompts: Prompts,
        options: WriterOptions,
        report: Report,
    ) -> None:
        self.spec, self.material, self.options = spec, material, options
        self.language = material.language
        self._conversation, self._prompts, self._report = conversation, prompts, report
        self._expected = self._done = 0
        self._fraction = 0.0
        self._documents: str | None = None

    def expect(self, calls: int) -> None:
        """So many more calls will be made."""
        self._expected += calls

    def ask(self, template: str, schema: Schema, **values: object) -> dict[str, Any]:
        """One call. Raises what the report raises, and BadOutputError."""
        request = self._prompts.request(self.language, template, **self._common(template), **values)
        prompt = self._conversation.prompt(self._prompts.request(self.language, "role"), request)
        spec = self.spec
        answer = self._conversation.ask(
            prompt,
            schema,
            seed=seed_of(spec.seed, spec.take, spec.step, template, self._done),
            on_token=self._on_token,
        )
        self._done += 1
        self._note(prompt)
        return answer

    def _on_token(self, tokens: int, budget: int) -> None:
        share = self._done + tokens / budget
        self._fraction = max(self._fraction, share / max(self._expected, self._done + 1))
        self._report(min(self._fraction, 1.0))

    def _note(self, prompt: str) -> None:
        half = _NOTED_CHARACTERS // 2
        self._report.note(
            prompt=prompt if len(prompt) <= _NOTED_CHARACTERS else f"{prompt[:half]}\n[…]\n{prompt[-half:]}",
            prompts=self._prompts.version,
            language=self.language,
            seed=self.spec.seed,
            take=self.spec.take,
            temperature=self.options.temperature,
            top_p=self.options.top_p,
            max_new_tokens=self.options.max_new_tokens,
            calls=self._done,
        )

    # --- reading ---------------------------------------------------------------------------------------------------

    def room(self, template: str, **values: object) -> int:
        """Tokens of material that fit into a request beside everything else."""
        bare = self._prompts.request(self.language, template, **self._common(template), **{**values, "material": ""})
        role = self._prompts.request(self.language, "role")
        taken = self._conversation.tokens_of(self._conversation.prompt(role, bare))
        return max(self.options.context_tokens - taken, _LEAST_ROOM)

    def parts(self, text: str, room: int, least: int = 1) -> list[str]:
        return split(text, self._conversation.tokens_of, room, least)

    def told(self, text: str, room: int) -> str:
        """The text, or notes on its parts where it is longer than the room."""
        if self._conversation.tokens_of(text) <= room:
            return text
        parts = self.parts(text, self.room("digest", limit=0))
        self.expect(len(parts))
        # Even notes written in the rarest characters fit together: no token is less than a third of a character.
        limit = max(room // len(parts) // 3, 16)
        schema = schemas.record(notes={"type": "string", "maxLength": limit})
        notes = [one_line(self.ask("digest", schema, material=part, limit=limit)["notes"]) for part in parts]
        joined = "\n".join([self.section("notes"), *(note for note in notes if note)])
        return self.parts(joined, room)[0]

    # --- what a request holds --------------------------------------------------------------------------------------

    def section(self, name: str, /, **values: object) -> str:
        return self._prompts.section(self.language, name, **values)

    def _common(self, template: str) -> dict[str, str]:
        if template == "digest":
            return {}
        return {"given": self._given(), "wishes": self._wishes()}

    def _wishes(self) -> str:
        wishes = []
        if self.spec.take:
            wishes.append(self.section("take", number=self.spec.take + 1))
        if self.spec.instruction.strip():
            wishes.append(self.section("instruction", text=self.spec.instruction.strip()))
        return "\n\n".join(wishes)

    def _given(self) -> str:
        """What is known of the film: the user's settings and what the steps before this one made."""
        spec = self.spec
        step = _ORDER.index(spec.step)
        parts = [self.section(spec.input_type), self.section(spec.input_mode)]
        seconds = spec.target_duration_s
        parts.append(self.section("duration", seconds=f"{seconds:g}") if seconds else self.section("smart_duration"))
        shape = "wide" if spec.aspect > 1.05 else "tall" if spec.aspect < 0.95 else "square"
        parts.append(self.section(shape, ratio=f"{spec.aspect:.2f}"))
        if spec.storyline and (step > 0 or spec.rewrite is not None):
            told = spec.storyline
            parts.append(
                self.section("storyline", title=told.title, genre=told.genre, tone=told.tone, summary=told.summary)
            )
        style, name = (spec.art_style, "style") if step > 1 and spec.art_style else (spec.fixed_style, "fixed_style")
        if style is not None:
            words = [style.description, style.prompt_template, *style.visual_keywords, *style.palette]
            parts.append(self.section(name, name=style.style_name, about=", ".join(filter(None, words))))
        if self.material.source is not None and self.material.source.style:
            parts.append(self.section("author_style", words=self.material.source.style))
        if spec.fixed_protagonist is not None:
            fixed = spec.fixed_protagonist
            parts.append(self.section("protagonist", name=fixed.name, about=about_character(fixed)))
        if step > 2:
            people = [f"- {person.name}: {about_character(person)}" for person in spec.characters]
            parts.append(
                self.section("characters", list="\n".join(people)) if people else self.section("no_characters")
            )
        if step > 3 and spec.scenes:
            places = [f"- {place.name}: {_about_scene(place)}" for place in spec.scenes]
            parts.append(self.section("scenes", list="\n".join(places)))
        if documents := self._background():
            parts.append(self.section("documents", text=documents))
        return "\n".join(parts)

    def _background(self) -> str:
        """The documents, or notes on them where they are long."""
        if self._documents is None:
            self._documents = self.told("\n\n".join(self.material.documents), self.options.context_tokens // 4)
        return self._documents


def about_character(character: Character) -> str:
    traits = ", ".join(character.personality)
    words = [character.gender, character.age, character.description, traits, character.appearance]
    return "; ".join(word for word in words if word)


def _about_scene(scene: Scene) -> str:
    words: Sequence[str] = [scene.scene_type, scene.description, scene.atmosphere, scene.lighting, scene.camera_angle]
    return "; ".join(word for word in words if word)
