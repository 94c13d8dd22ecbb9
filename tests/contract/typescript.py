"""Reads the TypeScript of an API document into the notation of interfaces.json.

The notation: an object is an object whose optional fields end in ``?``; a list is a list of its one item type;
``{"*": "any"}`` is a record; ``"'a' | 'b'"`` is one of these strings; other strings are type names: string, number,
boolean, any, or a model.
"""

import json
import re
from typing import Any

Type = Any
Interface = dict[str, Type]

_BLOCK = re.compile(r"```typescript\n(.*?)```", re.DOTALL)
_ENDPOINT = re.compile(r"^// (GET|POST|PUT|DELETE) /api/v1(/\S+)", re.MULTILINE)
_TOKEN = re.compile(r"\s+|//[^\n]*|(?P<token>'[^']*'|\w+|[{}\[\]()<>|;:,?=])")


class _Parser:
    def __init__(self, text: str, models: dict[str, Interface]) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._models = models

    def more(self) -> bool:
        return self._at < len(self._tokens)

    def _peek(self) -> str:
        return self._tokens[self._at] if self.more() else ""

    def take(self, expected: str | None = None) -> str:
        token = self._peek()
        if not token or expected not in {None, token}:
            raise ValueError(f"expected {expected}, found {self._tokens[self._at : self._at + 8]}")
        self._at += 1
        return token

    def _accept(self, token: str) -> bool:
        found = self._peek() == token
        self._at += found
        return found

    def declaration(self) -> tuple[str, str, Any]:
        """("interface" or "enum", name, what it is)."""
        kind, name = self.take(), self.take()
        if kind == "enum":
            return kind, name, self._enum()
        if self._accept("<"):
            self.take("T")
            self.take(">")
        inherited = self._type() if self._accept("extends") else {}
        if isinstance(inherited, str):
            inherited = self._models[inherited]
        return kind, name, inherited | self._object()

    def _enum(self) -> list[str]:
        values = []
        self.take("{")
        while not self._accept("}"):
            self.take()
            self.take("=")
            values.append(self.take().strip("'"))
            self._accept(",")
        return values

    def _object(self) -> Interface:
        fields = {}
        self.take("{")
        while not self._accept("}"):
            name = self.take() + ("?" if self._accept("?") else "")
            self.take(":")
            fields[name] = self._type()
            if not self._accept(";"):
                self._accept(",")
        return fields

    def _type(self) -> Type:
        options = [self._item()]
        while self._accept("|"):
            options.append(self._item())
        return options[0] if len(options) == 1 else " | ".join(options)

    def _item(self) -> Type:
        found = self._primary()
        while self._accept("["):
            self.take("]")
            found = [found]
        return found

    def _primary(self) -> Type:
        if self._peek() == "{":
            return self._object()
        if self._accept("("):
            found = self._type()
            self.take(")")
            return found
        name = self.take()
        if not self._accept("<"):
            return name
        arguments = [self._type()]
        while self._accept(","):
            arguments.append(self._type())
        self.take(">")
        if name == "Array":
            return [arguments[0]]
        if name == "Record":
            return {"*": arguments[1]}
        return {field: [arguments[0]] if part == ["T"] else part for field, part in self._models[name].items()}


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"not TypeScript: {text[at : at + 40]!r}")
        at = match.end()
        if match["token"]:
            found.append(match["token"])
    return found


def read(document: str) -> dict[str, Any]:
    """Everything that a document declares: ``endpoints``, ``events``, ``actions``, ``models`` and ``enums``."""
    contract: dict[str, Any] = {"endpoints": {}, "events": {}, "actions": {}, "models": {}, "enums": {}}
    for block in _BLOCK.findall(document):
        endpoints = list(_ENDPOINT.finditer(block))
        for match, following in zip(endpoints, [*endpoints[1:], None], strict=False):
            text = block[match.end() : following.start() if following else None]
            parts = {name.lower(): found for _, name, found in _declarations(text, contract["models"])}
            contract["endpoints"][f"{match[1]} {match[2]}"] = parts
        if not endpoints and re.search(r"^\s*(interface|enum) ", block, re.MULTILINE):
            for kind, name, found in _declarations(block, contract["models"]):
                contract["enums" if kind == "enum" else "models"][name] = found
        if '"event":' in block:
            event = _sample(block)
            contract["events"][event["event"]] = _type_of(event["data"])
        if '"action":' in block:
            action = _sample(block)
            contract["actions"][action["action"]] = _type_of(action)
    return contract


def _declarations(text: str, models: dict[str, Interface]) -> list[tuple[str, str, Any]]:
    parser = _Parser(text, models)
    found = []
    while parser.more():
        found.append(parser.declaration())
    return found


def _sample(block: str) -> dict[str, Any]:
    """A message that the document gives as an example, ``{ ... }`` in it standing for anything."""
    text = re.sub(r"\s//[^\n]*", "", "\n" + block)
    return dict(json.loads(text.replace("{ ... }", '{"*": "any"}')))


def _type_of(sample: Any) -> Type:
    if isinstance(sample, dict):
        return sample if "*" in sample else {name: _type_of(value) for name, value in sample.items()}
    if isinstance(sample, list):
        return [_type_of(sample[0])]
    return "string" if isinstance(sample, str) else "number"
