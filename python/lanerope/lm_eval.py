# SPDX-License-Identifier: Apache-2.0
"""lm-evaluation-harness with lanes: ``lanerope-lm-eval --model lanerope --model_args model=FILE.gguf,lanes=4 --tasks ...``.

It is the harness's own command, in which the model class below is known. Log-likelihoods are those of one lane; what a task generates
is answered by lanes, which are coupled as the model was trained or as ``coupling=`` says, and the selected lane's text is the answer.
Needs ``lanerope[lm-eval]``.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, cast

from lm_eval.api.model import TemplateLM
from lm_eval.api.registry import register_model
from lm_eval.utils import get_rolling_token_windows, make_disjoint_window

from ._engine import Engine
from ._errors import InvalidRequest
from ._model import Model
from ._options import Options

_Scored = tuple[float, bool]


@register_model("lanerope")
class LaneropeLM(TemplateLM):  # type: ignore[misc]
    """A model of lanerope's for the harness.

    Args:
        model: As lanerope.Model takes it.
        adapter: A LoRA adapter.
        parallel: Groups that are computed at once.
        ggml_device: As lanerope.Model's device. The harness's own --device, which names one of PyTorch's and is always given, says nothing here.
        max_gen_toks: Tokens of a lane where a task does not say; its tag comes on top of them.
        options: Any other is one of Model.generate's, such as lanes=8,coupling=lanerope,consensus=5.
    """

    def __init__(
        self,
        model: str | None = None,
        adapter: str | None = None,
        threads: int = 0,
        parallel: int = 4,
        max_gen_toks: int = 256,
        batch_size: int | str | None = None,
        max_batch_size: int | None = None,
        device: str | None = None,
        chat_template: str = "",
        ggml_device: str = "cpu",
        **options: Any,
    ) -> None:
        super().__init__()
        if parallel < 1:
            raise InvalidRequest(f"parallel is {parallel}; at least one group must be computed at a time")
        self.model = Model(model, adapters=[adapter] if adapter else (), threads=threads, device=ggml_device, chat_template=chat_template)
        self._options = cast(Options, {key: str(value) if key == "tag" else value for key, value in options.items()})
        for key in ("budget", "max_tokens", "stop", "raw", "seed", "reserved_lanes"):
            if key in options:
                raise InvalidRequest(f"{key} is the task's to say (max_gen_toks= where it does not); leave it out of the model's arguments")
        self._parallel, self._max_gen_toks = parallel, max_gen_toks
        self._engine: Engine | None = None

    @property
    def tokenizer_name(self) -> str:
        """For the harness's cache."""
        return str(self.model.info["file"])

    @property
    def eot_token_id(self) -> int:
        """What stands before a text without context, and ends one."""
        info = self.model.info
        found = info["end_token"] if info["begin_token"] is None else info["begin_token"]
        return 0 if found is None else int(found)

    def tok_encode(self, string: str, add_special_tokens: bool | None = None, **_: Any) -> list[int]:
        """Token ids of a text."""
        return self.model.tokenize(string, add_special=add_special_tokens is not False)

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """The text of a conversation by the model's own template."""
        return self.model.chat_template(chat_history, continue_last=not add_generation_prompt)

    def chat_template(self, chat_template: bool | str = False) -> str | None:
        """Its name, for the harness's log; the model's arguments choose it."""
        return str(self.model.info["chat_template"]) if chat_template else None

    def _sized(self, cells: int) -> Engine:
        """An engine of at least so many cells."""
        if self._engine is None or self._engine.state["cells"] < cells:
            if self._engine is not None:
                self._engine.close()
            self._engine = Engine(self.model, cells=max(cells, 2048))
        return self._engine

    def _loglikelihood_tokens(self, requests: list[tuple[Any, list[int], list[int]]], **_: Any) -> list[_Scored]:
        """Continuations of one context are lanes that do not see one another."""
        found: list[_Scored] = []
        context_of = lambda request: tuple(request[1])  # noqa: E731
        for context, same in groupby(requests, key=context_of):
            found += self._score(list(context), [continuation for _, _, continuation in same])
        return found

    def _score(self, context: list[int], lanes: Sequence[list[int]]) -> Iterator[_Scored]:
        most = int(self.model.info["trained_context"])
        kept = context[max(0, len(context) + max(map(len, lanes)) - most) :]
        engine = self._sized(len(kept) + sum(map(len, lanes)))
        for lane in engine.score(kept, lanes, coupling="independent", top_logits=1):
            greedy = all(top[0][0] == token for top, token in zip(lane.top, lane.tokens.tolist()))
            yield lane.sum, greedy

    def loglikelihood_rolling(self, requests: list[Any], disable_tqdm: bool = False) -> list[float]:
        """Of whole texts, in windows of the model's context."""
        found = []
        for (string,) in (request.args for request in requests):
            windows = get_rolling_token_windows(
                token_list=self.tok_encode(string, add_special_tokens=False),
                prefix_token=self.prefix_token_id,
                max_seq_len=int(self.model.info["trained_context"]) - 1,
                context_len=1,
            )
            found.append(sum(next(self._score(list(context), [list(rest)]))[0] for context, rest in map(make_disjoint_window, windows)))
        return found

    def generate_until(self, requests: list[Any], disable_tqdm: bool = False) -> list[str]:
        """The selected lane's text of each, up to where the task says that it ends."""
        asked = [(context, self._options_for(dict(arguments))) for context, arguments in (request.args for request in requests)]
        resolved = [self.model._resolve(context, options).cells for context, options in asked]
        engine = self._sized(max(resolved, default=2) * self._parallel)
        texts: list[str] = []
        for first in range(0, len(asked), self._parallel):
            streams = [engine.submit(context, **options) for context, options in asked[first : first + self._parallel]]
            texts += [stream.result().text or "" for stream in streams]
        return texts

    def _options_for(self, arguments: dict[str, Any]) -> Options:
        """The task's arguments over the model's."""
        options: dict[str, Any] = {"raw": True, "seed": 1, "lanes": 1, "logprobs": False, **self._options}
        until = arguments.pop("until", [])
        options["stop"] = [until] if isinstance(until, str) else [text for text in until if text]
        options["max_tokens"] = int(arguments.pop("max_gen_toks", self._max_gen_toks))
        sampled, temperature = arguments.pop("do_sample", None), arguments.pop("temperature", None)
        if sampled is False:
            temperature = 0.0
        # Several lanes of the likeliest text would be one.
        if temperature is not None and (float(temperature) != 0 or options["lanes"] == 1):
            options["temperature"] = float(temperature)
        elif options["lanes"] == 1 and not sampled:
            options.setdefault("temperature", 0.0)
        for key in ("top_p", "top_k", "min_p", "repetition_penalty"):
            if key in arguments:
                options[key] = arguments.pop(key)
        if arguments:
            raise InvalidRequest(f"the task asks for {', '.join(arguments)}, which lanerope does not have")
        return cast(Options, options)


def main() -> None:
    """The harness's command."""
    from lm_eval.__main__ import cli_evaluate

    cli_evaluate()


if __name__ == "__main__":
    main()
