# SPDX-License-Identifier: Apache-2.0
"""The byte-level BPE of Qwen2's GGUF files, and its prompt for one user message."""

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

# tokenizer.ggml.pre = qwen2
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SYSTEM = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."
NORMAL, CONTROL, USER = 1, 3, 4


class LaneTokenizer:
    """Ids are those of the GGUF file."""

    def __init__(self, tokens, types, merges, end):
        self.end = end
        self.tokens = tokens
        self.types = types
        self.inner = Tokenizer(
            models.BPE(
                vocab={token: i for i, token in enumerate(tokens)},
                merges=[tuple(merge.split(" ")) for merge in merges],
            )
        )
        self.inner.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(SPLIT), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        self.inner.decoder = decoders.ByteLevel()
        special = [t for t, kind in zip(tokens, types) if kind == CONTROL]
        self.inner.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in special])

    @staticmethod
    def from_dict(data):
        return LaneTokenizer(data["tokens"], data["types"], data["merges"], data["end"])

    def encode(self, text):
        return self.inner.encode(text, add_special_tokens=False).ids

    def decode(self, ids):
        return self.inner.decode(list(ids), skip_special_tokens=False)

    def prompt(self, question, system=None):
        """The ids of a conversation with one user message, as the file's chat template writes it; `system` None: its own."""
        return self.encode(
            f"<|im_start|>system\n{system or SYSTEM}<|im_end|>\n<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
        )
