# SPDX-License-Identifier: Apache-2.0
"""Lanes for models of transformers, in PyTorch: to train with PEFT and TRL, and as a second implementation of the couplings.

    model = AutoModelForCausalLM.from_pretrained("HuggingFaceTB/SmolLM2-135M-Instruct")
    lanerope.hf.attach(model, coupling="lanerope", omega="ntk-by-parts")
    model = get_peft_model(model, LoraConfig(r=4, target_modules="all-linear"))
    SFTTrainer(model, args, train_dataset=traces, data_collator=lanerope.hf.LaneCollator(tokenizer)).train()

Needs ``pip install 'lanerope[hf]'``; the engine needs none of it.
"""

try:
    import torch as _torch  # noqa: F401
    import transformers as _transformers  # noqa: F401
except ImportError as error:
    raise ModuleNotFoundError("lanerope.hf needs torch and transformers: pip install 'lanerope[hf]'") from error

from .attach import attach, detach
from .collator import LaneCollator
from .coupling import LaneCoupling
from .generation import HfLane, generate
from .gguf_model import from_gguf

__all__ = ["HfLane", "LaneCollator", "LaneCoupling", "attach", "detach", "from_gguf", "generate"]
