# SPDX-License-Identifier: Apache-2.0
"""Text to rows of the embedding matrix and back.

A model may be carried with some of its rows only. That is for training on texts that are known: a model that samples from a
part of its vocabulary writes worse than it can (docs/lanerope_torch.md).
"""

from .tokenizer import LaneTokenizer


class Vocabulary:
    def __init__(self, facts):
        self.tokenizer = LaneTokenizer.from_dict(facts["vocabulary"])
        self.rows = facts.get("rows") or list(range(len(self.tokenizer.tokens)))
        self.row_of = {token: row for row, token in enumerate(self.rows)}
        self.end = self.row_of[self.tokenizer.end]

    def encode(self, text):
        """Rows; KeyError for a text that holds a token which is not among them."""
        return [self.row_of[i] for i in self.tokenizer.encode(text)]

    def fits(self, text):
        return all(i in self.row_of for i in self.tokenizer.encode(text))

    def prompt(self, question, system=None):
        return [self.row_of[i] for i in self.tokenizer.prompt(question, system)]

    def tags(self, n, tag="<lane{k}>"):
        """The rows that each of n lanes is fed first; nothing where a lane is alone."""
        return [self.encode(tag.format(k=m + 1)) for m in range(n)] if n > 1 else [[]]

    def decode_all(self, lanes):
        return self.tokenizer.inner.decode_batch([[self.rows[r] for r in lane] for lane in lanes], skip_special_tokens=False)
