# SPDX-License-Identifier: Apache-2.0
"""Texts to tokens, by a tokenizer of transformers or by the engine's model."""

from typing import Any, Protocol

from .._model import Model


class Tokens(Protocol):
    """What a collator asks of a tokenizer."""

    @property
    def end(self) -> int | None:
        """The token behind what a lane writes."""

    def of_text(self, text: str) -> list[int]:
        """Those of the text and no others."""

    def of_question(self, question: str, system: str) -> list[int]:
        """A user's message in the chat template, if there is one, up to where the answer begins."""


def _messages(question: str, system: str) -> list[dict[str, str]]:
    return [*([{"role": "system", "content": system}] if system else []), {"role": "user", "content": question}]


class _OfTransformers:
    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    @property
    def end(self) -> int | None:
        found: int | None = self._tokenizer.eos_token_id
        return found

    def of_text(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def of_question(self, question: str, system: str) -> list[int]:
        if getattr(self._tokenizer, "chat_template", None) is None:
            return list(self._tokenizer(question)["input_ids"])
        return self.of_text(self._tokenizer.apply_chat_template(_messages(question, system), add_generation_prompt=True, tokenize=False))


class _OfModel:
    def __init__(self, model: Model) -> None:
        self._model = model

    @property
    def end(self) -> int | None:
        found: int | None = self._model.info["end_token"]
        return found

    def of_text(self, text: str) -> list[int]:
        return self._model.tokenize(text, add_special=False)

    def of_question(self, question: str, system: str) -> list[int]:
        if not self._model.info["chat_template"]:
            return self._model.tokenize(question)
        return self._model.tokenize(self._model.chat_template(_messages(question, system)))


def tokens_of(tokenizer: Any) -> Tokens:
    """tokenizer: of transformers, or a lanerope.Model."""
    return _OfModel(tokenizer) if isinstance(tokenizer, Model) else _OfTransformers(tokenizer)
