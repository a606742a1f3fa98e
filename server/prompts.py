"""The prompts an assistant is offered: Markdown files with TOML front matter, in ``ivcoder.prompts``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Argument:
    """What a prompt asks its user for."""

    name: str
    description: str
    required: bool


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt with its text."""

    name: str
    title: str
    description: str
    arguments: tuple[Argument, ...]
    body: str

    def text(self, given: Mapping[str, str]) -> str:
        """The prompt, with what its user gave at the end."""
        parts = [f"{row.description}\n\n{given[row.name]}" for row in self.arguments if given.get(row.name)]
        return "\n\n".join([self.body, *parts])

    def missing(self, given: Mapping[str, str]) -> list[str]:
        """The required arguments that were not given."""
        return [row.name for row in self.arguments if row.required and not given.get(row.name)]


@cache
def prompts() -> Mapping[str, Prompt]:
    """Every prompt by name."""
    folder = resources.files("ivcoder.prompts")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".md")), key=lambda file: file.name)
    read = [_parse(file.read_text(encoding="utf-8")) for file in files]
    return {prompt.name: prompt for prompt in read}


def _parse(text: str) -> Prompt:
    """Split ``+++`` front matter (TOML) from the body."""
    _, front, body = text.split("+++\n", 2)
    head = tomllib.loads(front)
    arguments = tuple(Argument(**row) for row in head["arguments"])
    return Prompt(head["name"], head["title"], head["description"], arguments, body.strip())
