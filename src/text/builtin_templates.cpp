// SPDX-License-Identifier: Apache-2.0
#include "text/builtin_templates.h"

#include <array>

namespace lanerope::text {

namespace {

struct Builtin {
  std::string_view name;
  std::string_view jinja;
};

// The tokenizer adds the begin token, so none of them writes it.
constexpr std::array builtins = {
    Builtin{"chatml",
            R"({%- for turn in messages -%}
{{ '<|im_start|>' + turn.role + '\n' + turn.content + '<|im_end|>\n' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %})"},
    Builtin{"llama3",
            R"({%- for turn in messages -%}
{{ '<|start_header_id|>' + turn.role + '<|end_header_id|>\n\n' + turn.content | trim + '<|eot_id|>' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %})"},
    Builtin{"deepseek-r1-distill",
            R"({%- for turn in messages -%}
{%- if turn.role == 'system' -%}
{%- if not loop.first %}{{ raise_exception('one system message, at the beginning, is all that goes in; move or join them') }}{% endif -%}
{{ turn.content }}
{%- elif turn.role == 'user' -%}
{{ '<｜User｜>' + turn.content }}
{%- else -%}
{{ '<｜Assistant｜>' + turn.content.split('</think>')[-1] + '<｜end▁of▁sentence｜>' }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<｜Assistant｜><think>\n' }}{% endif %})"},
    // In v1 "[INST]" is not a token but text, with a space before it; the tokenizer adds the first one.
    Builtin{"mistral-v1",
            R"({%- set ns = namespace(system='', begun=false) -%}
{%- for turn in messages -%}
{%- if turn.role == 'system' -%}
{%- if not loop.first %}{{ raise_exception('one system message, at the beginning, is all that goes in; move or join them') }}{% endif -%}
{%- set ns.system = turn.content + '\n\n' -%}
{%- elif turn.role == 'user' -%}
{{ (' ' if ns.begun else '') + '[INST] ' + ns.system + turn.content + ' [/INST]' }}
{%- set ns.system = '' -%}
{%- set ns.begun = true -%}
{%- else -%}
{{ ' ' + turn.content + '</s>' }}
{%- set ns.begun = true -%}
{%- endif -%}
{%- endfor -%}
{%- if ns.system %}{{ raise_exception('a user message is needed; add one') }}{% endif %})"},
    // v3 puts the system message into the last user message.
    Builtin{"mistral-v3",
            R"({%- set ns = namespace(system='', last=-1) -%}
{%- for turn in messages -%}
{%- if turn.role == 'system' -%}
{%- if not loop.first %}{{ raise_exception('one system message, at the beginning, is all that goes in; move or join them') }}{% endif -%}
{%- set ns.system = turn.content + '\n\n' -%}
{%- elif turn.role == 'user' -%}
{%- set ns.last = loop.index0 -%}
{%- endif -%}
{%- endfor -%}
{%- if ns.last < 0 %}{{ raise_exception('a user message is needed; add one') }}{% endif -%}
{%- for turn in messages -%}
{%- if turn.role == 'user' -%}
{{ '[INST] ' + (ns.system if loop.index0 == ns.last else '') + turn.content + '[/INST]' }}
{%- elif turn.role == 'assistant' -%}
{{ ' ' + turn.content | trim + '</s>' }}
{%- endif -%}
{%- endfor %})"},
    Builtin{"mistral-v3-tekken",
            R"({%- set ns = namespace(system='', last=-1) -%}
{%- for turn in messages -%}
{%- if turn.role == 'system' -%}
{%- if not loop.first %}{{ raise_exception('one system message, at the beginning, is all that goes in; move or join them') }}{% endif -%}
{%- set ns.system = turn.content + '\n\n' -%}
{%- elif turn.role == 'user' -%}
{%- set ns.last = loop.index0 -%}
{%- endif -%}
{%- endfor -%}
{%- if ns.last < 0 %}{{ raise_exception('a user message is needed; add one') }}{% endif -%}
{%- for turn in messages -%}
{%- if turn.role == 'user' -%}
{{ '[INST]' + (ns.system if loop.index0 == ns.last else '') + turn.content + '[/INST]' }}
{%- elif turn.role == 'assistant' -%}
{{ turn.content + '</s>' }}
{%- endif -%}
{%- endfor %})"},
    Builtin{"mistral-v7",
            R"({%- for turn in messages -%}
{%- if turn.role == 'system' -%}
{{ '[SYSTEM_PROMPT] ' + turn.content + '[/SYSTEM_PROMPT]' }}
{%- elif turn.role == 'user' -%}
{{ '[INST] ' + turn.content + '[/INST]' }}
{%- else -%}
{{ ' ' + turn.content + '</s>' }}
{%- endif -%}
{%- endfor %})"},
    Builtin{"mistral-v7-tekken",
            R"({%- for turn in messages -%}
{%- if turn.role == 'system' -%}
{{ '[SYSTEM_PROMPT]' + turn.content + '[/SYSTEM_PROMPT]' }}
{%- elif turn.role == 'user' -%}
{{ '[INST]' + turn.content + '[/INST]' }}
{%- else -%}
{{ turn.content + '</s>' }}
{%- endif -%}
{%- endfor %})"},
    Builtin{"gemma",
            R"({%- for turn in messages -%}
{%- if turn.role == 'system' %}{{ raise_exception('system messages are none of the roles') }}{% endif -%}
{{ '<start_of_turn>' + ('model' if turn.role == 'assistant' else turn.role) + '\n' + turn.content | trim + '<end_of_turn>\n' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %})"},
    Builtin{"phi3",
            R"({%- for turn in messages -%}
{{ '<|' + turn.role + '|>\n' + turn.content + '<|end|>\n' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %})"},
    Builtin{"phi4",
            R"({%- for turn in messages -%}
{{ '<|im_start|>' + turn.role + '<|im_sep|>' + turn.content + '<|im_end|>' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant<|im_sep|>' }}{% endif %})"},
    Builtin{"granite",
            R"({%- for turn in messages -%}
{{ '<|start_of_role|>' + turn.role + '<|end_of_role|>' + turn.content + '<|end_of_text|>\n' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|start_of_role|>assistant<|end_of_role|>' }}{% endif %})"},
    Builtin{"chatglm4",
            R"({{- '[gMASK]<sop>' }}
{%- for turn in messages -%}
{{ '<|' + turn.role + '|>\n' + turn.content }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %})"},
};

}  // namespace

std::optional<std::string_view> builtin_template(std::string_view name) {
  for (const Builtin& builtin : builtins) {
    if (builtin.name == name) return builtin.jinja;
  }
  return std::nullopt;
}

std::vector<std::string> builtin_template_names() {
  std::vector<std::string> names;
  names.reserve(builtins.size());
  for (const Builtin& builtin : builtins) names.emplace_back(builtin.name);
  return names;
}

std::string allowed_builtin_templates() {
  std::string text;
  for (const Builtin& builtin : builtins) {
    if (!text.empty()) text += ", ";
    text += builtin.name;
  }
  return text;
}

}  // namespace lanerope::text
