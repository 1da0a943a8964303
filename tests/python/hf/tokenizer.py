# SPDX-License-Identifier: Apache-2.0
"""A tokenizer of letters, as transformers has them: "a" is 98, and 0 the end."""

import tokenizers
import transformers


def letters():
    vocabulary = {"<end>": 0} | {chr(code): code + 1 for code in range(128)}
    plain = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<end>"))
    plain.pre_tokenizer = tokenizers.pre_tokenizers.Split("", "isolated")
    return transformers.PreTrainedTokenizerFast(tokenizer_object=plain, eos_token="<end>")
