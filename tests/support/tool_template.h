// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace lanerope::support {

// A template that writes calls as Hermes does, with the control tokens that the toy vocabulary has.
inline constexpr auto hermes_template =
    "{%- if tools %}<|im_start|>system\nTools: {{ tools | tojson }}<|im_end|>{{ '\\n' }}{% endif %}"
    "{%- for message in messages %}"
    "{%- if message.role == 'tool' %}<|im_start|>user\n<tool_response>\n{{ message.content "
    "}}\n</tool_response><|im_end|>{{ '\\n' }}"
    "{%- elif message.tool_calls %}<|im_start|>assistant"
    "{%- for call in message.tool_calls %}\n<tool_call>\n{\"name\": \"{{ call.function.name }}\", "
    "\"arguments\": {{ "
    "call.function.arguments | tojson }}}\n</tool_call>{% endfor %}<|im_end|>{{ '\\n' }}"
    "{%- else %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>{{ '\\n' }}{% endif %}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

}  // namespace lanerope::support
