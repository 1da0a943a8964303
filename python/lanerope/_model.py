# SPDX-License-Identifier: Apache-2.0
"""A model, and what may be asked of it."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack

import numpy as np
import numpy.typing as npt

from . import _core
from ._engine import Engine
from ._errors import InvalidRequest
from ._options import BackEnd, Message, Options, Prompt, PromptOptions, ScoreOptions, prepared
from ._result import Attention, Result, ScoredLane
from ._stream import Event, Stream

Policy = Callable[[Stream, Event], object]
"""Called with each event of a running group; may push, fork, spawn and retire its lanes."""


def _local_file(name: str | os.PathLike[str], *, adapter: bool, token: str, offline: bool) -> str:
    text = os.fspath(name)
    if adapter and text.startswith("lanes:"):
        return bundled_adapter(text.removeprefix("lanes:"))
    if text.startswith("hf:"):
        return _core.hub_file(text, adapter, token, offline)
    if not Path(text).exists():
        raise FileNotFoundError(2, "there is no such file", text)
    return text


def _own_policy(policy: Policy | str | Sequence[str] | None, options: Options) -> Policy | None:
    """The function, if it is one; names go into the options."""
    if policy is None or callable(policy):
        return policy
    if "policies" in options:
        raise TypeError("policies are given twice, as policy and as policies")
    options["policies"] = policy
    return None


class Model:
    """A language model out of a GGUF file, with its adapters and its tokenizer. It never changes, and may be used from several threads.

    Args:
        file: A path, or "hf:user/repo[:quant]" on the model hub, fetched once. None: the small model that comes with lanerope,
            which does one made task with lanes that read one another.
        adapters: LoRA adapters in GGUF, in a list or as a dict from name to scale: paths, "hf:user/repo[:file]", or "lanes:NAME", one
            that comes with lanerope (bundled_adapter).
        device: "cpu", one of device_names(), or several with commas between them, over which layers are split: "Vulkan0,Vulkan1". By
            default the CPU, or with workers theirs and all of this machine's that are not the CPU.
        workers: Addresses "host:port" of machines that lend their devices (`lanerope rpc-worker`): RPC0, RPC1, ... A worker that is
            lost while it computes ends the process, with a sentence on standard error.
        gpu_layers: So many of the last layers go to the devices, the output being one; the others are computed on the CPU. None: all.
        tensor_split: Proportions in which layers go to the devices, one a device. By default as much as memory is free on each.
        override_tensor: "PATTERN=DEVICE,...": tensors in whose name a regular expression is found lie on that device ("CPU" or one of
            `device`).
        threads: 0 means all cores.
        chat_template: In place of the file's: the name of a built-in one, a path, or a text in Jinja.
        template_arguments: Variables for the template.
        token: For the hub; by default the environment's.
        offline: Nothing is fetched from the hub, and what the cache has is taken.
        progress: Called while loading with the share that is done, 0 to 1.

    Raises FileNotFoundError, ModelError for a file that cannot be read, ValueError for arguments that make no sense, MemoryError.
    """

    def __init__(
        self,
        file: str | os.PathLike[str] | None = None,
        *,
        adapters: Iterable[str | os.PathLike[str]] | Mapping[str, float] = (),
        device: str = "",
        workers: Sequence[str] = (),
        gpu_layers: int | None = None,
        tensor_split: Sequence[float] = (),
        override_tensor: str = "",
        threads: int = 0,
        back_end: BackEnd = "automatic",
        chat_template: str = "",
        template_arguments: str = "",
        token: str = "",
        offline: bool = False,
        progress: Callable[[float], object] | None = None,
    ) -> None:
        if isinstance(adapters, (str, os.PathLike)):
            raise TypeError("adapters must be a list of files or a dict from file to scale, not one file")
        if isinstance(workers, str):
            raise TypeError("workers must be a list of addresses, not one")
        scales = dict(adapters) if isinstance(adapters, Mapping) else {os.fspath(name): 1.0 for name in adapters}
        local = [(_local_file(name, adapter=True, token=token, offline=offline), float(scale)) for name, scale in scales.items()]
        path = bundled_model() if file is None else _local_file(file, adapter=False, token=token, offline=offline)
        if gpu_layers is not None and gpu_layers < 0:
            raise InvalidRequest("gpu_layers must be 0 or more, or None for all layers")
        self._core = _core.Model(
            path,
            local,
            device,
            list(workers),
            -1 if gpu_layers is None else gpu_layers,
            [float(share) for share in tensor_split],
            override_tensor,
            threads,
            back_end,
            chat_template,
            template_arguments,
            progress,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return "Model(closed)" if self.closed else f"Model({self.info['file']!r})"

    def close(self) -> None:
        """Lets go of the weights; groups that run keep them until they are done. Nothing may be asked afterwards."""
        self._core.close()

    @property
    def closed(self) -> bool:
        return self._core.closed

    @property
    def info(self) -> dict[str, Any]:
        """What the file says, and how it is loaded: architecture, sizes, threads, adapters, and what it was trained with for lanes."""
        return self._core.info()

    def generate(self, prompt: Prompt, *, policy: Policy | str | Sequence[str] | None = None, **options: Unpack[Options]) -> Result:
        """Answers a prompt with lanes and says what became of them. Other threads of Python's go on meanwhile, and Ctrl-C ends it.

        Without options it does what ``lanerope run`` does: four lanes of 512 tokens, which are coupled as the model was trained,
        or independent, and vote. A policy is a function of yours, or built-in ones by name: ["consensus", "prune:window=32"].
        """
        policy = _own_policy(policy, options)
        if policy is None:
            resolved = self._resolve(prompt, options)
            group = self._engine_for(resolved).submit(resolved, False)
            group.wait()
            return Stream(group).result()
        stream = self.stream(prompt, **options)
        for event in stream:
            policy(stream, event)
        return stream.result()

    async def agenerate(self, prompt: Prompt, *, policy: Policy | str | Sequence[str] | None = None, **options: Unpack[Options]) -> Result:
        """The same, while other tasks of the event loop go on."""
        policy = _own_policy(policy, options)
        stream = self.stream(prompt, **options)
        async for event in stream:
            if policy is not None:
                policy(stream, event)
        return await stream.aresult()

    def stream(self, prompt: Prompt, **options: Unpack[Options]) -> Stream:
        """The same, event by event: ``for event in stream`` or ``async for event in stream``."""
        resolved = self._resolve(prompt, options)
        return Stream(self._engine_for(resolved).submit(resolved, True))

    def attention(self, prompt: Prompt, **options: Unpack[Options]) -> Attention:
        """Answers the prompt, and says how much of each token's attention went to the prompt and to each lane."""
        options["attention"] = True
        found = self.generate(prompt, **options).attention
        assert found is not None
        return found

    def score(
        self, prompt: str | Sequence[int], lanes: Sequence[str | Sequence[int] | npt.NDArray[np.integer[Any]]], **options: Unpack[ScoreOptions]
    ) -> list[ScoredLane]:
        """Log-probabilities of lanes that are given, as texts or token ids, tags included, all at once. The prompt's text is taken
        as it is (chat_template() makes one of messages). Coupled as generate() would couple them."""
        given = prepared(options)
        kv_type = given.pop("kv_type", "f16")
        engine = _core.make_engine(self._core, _core.score_cells(self._core, prompt, lanes, given), kv_type, 512, False)
        return [ScoredLane(**lane) for lane in engine.score(self._core, prompt, lanes, given)]

    def tokenize(self, text: str, *, add_special: bool = True, parse_special: bool = True) -> list[int]:
        """A text's tokens: with what the model wants before it, and with "<|im_end|>" in the text as that token."""
        return self._core.encode(text, add_special, parse_special)

    def detokenize(self, tokens: Sequence[int]) -> str:
        """The text of tokens, special ones written out."""
        return self._core.decode(tokens)

    def piece(self, token: int) -> bytes:
        """The bytes of one token, maybe half a character."""
        return self._core.piece(token)

    def is_end(self, token: int) -> bool:
        """Whether a lane ends that draws it."""
        return self._core.is_end(token)

    def chat_template(self, messages: Sequence[Message], **options: Unpack[PromptOptions]) -> str:
        """The text that messages become by the model's chat template, up to where the answer begins."""
        if isinstance(messages, str):
            raise TypeError("chat_template takes messages, a list of dicts with role and content, not a str")
        if "raw" in options:
            raise InvalidRequest("raw belongs to prompts, not to chat_template")
        return self._core.render(messages, dict(options))

    def _resolve(self, prompt: Prompt, options: Options) -> _core.Resolved:
        return _core.resolve(self._core, prompt, prepared(options))

    def _engine_for(self, resolved: _core.Resolved) -> _core.Engine:
        return _core.make_engine(self._core, max(resolved.cells, 2), "f16", 512, False)

    def engine(self, cells: int = 8192) -> Engine:
        """An engine of this model's, for many groups at once."""
        return Engine(self, cells=cells)


def bundled_model() -> str:
    """The file of the small model that comes with lanerope."""
    return str(Path(__file__).parent / "model.gguf")


def bundled_adapter(name: str) -> str:
    """The file of an adapter that comes with lanerope and makes lanes of a downloaded model work together."""
    folder = Path(__file__).parent / "adapters"
    names = sorted(file.name.removesuffix(".gguf") for file in folder.glob("*.gguf"))
    if name not in names:
        raise InvalidRequest(f'there is no bundled adapter "{name}"; there is {", ".join(names)}')
    return str(folder / f"{name}.gguf")
