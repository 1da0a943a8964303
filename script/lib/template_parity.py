# SPDX-License-Identifier: Apache-2.0
"""Chat templates by lanerope and by Jinja2: see script/template-parity."""
import argparse
import copy
import datetime
import glob
import json
import os
import subprocess
import sys

import jinja2
import jinja2.meta
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

NOW = 1_767_225_600  # 1 January 2026


# Jinja2 as transformers sets it up (transformers, utils/chat_template_utils.py, as of version 4.50).
class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def environment():
    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    def strftime_now(form):
        return datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc).strftime(form)

    made = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    made.filters["tojson"] = tojson
    made.globals["raise_exception"] = raise_exception
    made.globals["strftime_now"] = strftime_now
    return made


JINJA = environment()


def by_jinja2(template, dialogue, messages):
    variables = dict(dialogue.get("arguments", {}))
    prefilled = dialogue.get("continue", False)
    try:
        text = template.render(
            messages=messages,
            tools=dialogue.get("tools"),
            documents=None,
            add_generation_prompt=dialogue.get("generation_prompt", True) and not prefilled,
            bos_token=dialogue["bos"],
            eos_token=dialogue["eos"],
            **variables,
        )
    except Exception as error:  # whatever a template's own code raises
        return None, f"{type(error).__name__}: {error}"
    if prefilled:
        last = messages[-1]["content"]
        if isinstance(last, list):
            last = last[-1]["text"]
        at = text.rfind(last.strip())
        if at < 0:
            return None, "the last message is not in the text"
        lead = last.lstrip()
        text = text[: at + len(lead if text[at : at + len(lead)] == lead else last.strip())]
    return text, None


# The dialogues.
def call(name, arguments, number):
    return {"id": f"call{number:05}", "type": "function", "function": {"name": name, "arguments": arguments}}


def tool(name, about, properties):
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": about,
            "parameters": {"type": "object", "properties": properties, "required": list(properties)[:1]},
        },
    }


TOOLS = [
    tool("weather", "The weather in a town", {
        "town": {"type": "string", "description": "Its name, such as \"Zürich\""},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "description": "Of the temperature"},
    }),
    tool("add", "Adds two numbers", {"a": {"type": "number", "description": "One"}, "b": {"type": "number", "description": "Two"}}),
]

SYSTEM = {"role": "system", "content": "You are brief."}
ASK = {"role": "user", "content": "What is 2 + 3?"}
TURNS = [ASK, {"role": "assistant", "content": "It is 5."}, {"role": "user", "content": "And times 4?"}]
CALLED = [
    {"role": "user", "content": "How warm is it in Zürich?"},
    {"role": "assistant", "content": "", "tool_calls": [call("weather", {"town": "Zürich", "unit": "celsius"}, 1)]},
    {"role": "tool", "tool_call_id": "call00001", "name": "weather", "content": "{\"degrees\": 21}"},
]
TWICE = [
    {"role": "user", "content": "Add 1 and 2, and 3 and 4."},
    {"role": "assistant", "content": "", "tool_calls": [call("add", {"a": 1, "b": 2}, 1), call("add", {"a": 3, "b": 4}, 2)]},
    {"role": "tool", "tool_call_id": "call00001", "name": "add", "content": "3"},
    {"role": "tool", "tool_call_id": "call00002", "name": "add", "content": "7"},
]
REASONED = [
    ASK,
    {"role": "assistant", "content": "It is 5.", "reasoning_content": "Two and three make five."},
    {"role": "user", "content": "And times 4?"},
]
WROTE_REASONS = [
    ASK,
    {"role": "assistant", "content": "<think>\nTwo and three.\n</think>\n\nIt is 5."},
    {"role": "user", "content": "And times 4?"},
]
ODD = [
    {"role": "system", "content": "\n\tYou are brief. \n"},
    {"role": "user", "content": "  What is\r\n 2 + 3? \n\n"},
    {"role": "assistant", "content": " \n It is 5.\t "},
    {"role": "user", "content": "\u00a0 And times 4?\u3000\n"},
]
HARD = [
    {"role": "user", "content": "“Quotes”, 'it''s', \"so\", \\n, {{ braces }} {% if %} <|im_end|> 日本語 🦙 é </s> 0.1"},
]
PARTS = [{"role": "user", "content": [{"type": "text", "text": "What is"}, {"type": "text", "text": "2 + 3?"}]}]
IMAGE = [{"role": "user", "content": [{"type": "text", "text": "What is this?"},
                                      {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]}]

DIALOGUES = {
    "question": {"messages": [ASK]},
    "system": {"messages": [SYSTEM, ASK]},
    "turns": {"messages": TURNS},
    "system and turns": {"messages": [SYSTEM, *TURNS]},
    "history": {"messages": TURNS, "generation_prompt": False},
    "odd whitespace": {"messages": ODD},
    "hard characters": {"messages": HARD},
    "late system": {"messages": [ASK, {"role": "assistant", "content": "It is 5."}, SYSTEM, {"role": "user", "content": "And?"}]},
    "parts": {"messages": PARTS},
    "image": {"messages": IMAGE},
    "tools": {"messages": [SYSTEM, ASK], "tools": TOOLS},
    "call and result": {"messages": CALLED, "tools": TOOLS},
    "two calls": {"messages": TWICE, "tools": TOOLS},
    "reasoning": {"messages": REASONED},
    "written reasoning": {"messages": WROTE_REASONS},
    "thinking on": {"messages": TURNS, "thinking": True},
    "thinking off": {"messages": TURNS, "thinking": False},
    "prefilled": {"messages": [ASK, {"role": "assistant", "content": "The answer is "}], "continue": True},
}


# The same conversation in the forms that templates want: what lanerope makes of it where they differ.
def as_text(value):
    return json.dumps(value, ensure_ascii=False)


def text_arguments(messages):
    for message in messages:
        for one in message.get("tool_calls", []):
            one["function"]["arguments"] = as_text(one["function"]["arguments"])
    return messages


def list_contents(messages):
    for message in messages:
        if isinstance(message.get("content"), str):
            message["content"] = [{"type": "text", "text": message["content"]}]
    return messages


def text_contents(messages):
    for message in messages:
        if isinstance(message.get("content"), list):
            message["content"] = "\n".join(part.get("text", "") for part in message["content"])
    return messages


def merged_system(messages):
    if messages[0]["role"] != "system" or len(messages) < 2 or not isinstance(messages[1]["content"], str):
        return messages
    messages[1]["content"] = messages[0]["content"] + "\n" + messages[1]["content"]
    return messages[1:]


def single_calls(messages):
    made = []
    for message in messages:
        calls = message.get("tool_calls", [])
        if len(calls) < 2:
            made.append(message)
            continue
        for one in calls:
            made.append(dict(message, tool_calls=[one]))
            made += [other for other in messages if other.get("tool_call_id") == one["id"]]
        return made
    return made


def renamed_reasoning(messages):
    for message in messages:
        if "reasoning_content" in message:
            message["thinking"] = message["reasoning_content"]
    return messages


FORMS = {
    "arguments as text": [text_arguments],
    "contents as lists": [list_contents],
    "contents as texts": [text_contents],
    "system message in the user's": [merged_system],
    "a message for each call": [single_calls],
    "reasoning under its other name": [renamed_reasoning],
    "arguments as text, contents as lists": [text_arguments, list_contents],
    "system message in the user's, arguments as text": [merged_system, text_arguments],
    "system message in the user's, contents as lists": [merged_system, list_contents],
}


def in_form(messages, steps):
    messages = copy.deepcopy(messages)
    for step in steps:
        messages = step(messages)
    return messages


def first_difference(a, b):
    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    return f"Jinja2 {a[max(0, at - 20):at + 40]!r}, lanerope {b[max(0, at - 20):at + 40]!r}"


def lost_of(messages, tools, text):
    """What of a conversation is not in its text: a word of it, or None."""
    for message in messages:
        content = message["content"]
        words = content.split() if isinstance(content, str) else [part["text"] for part in content if "text" in part]
        words += [one["function"]["name"] for one in message.get("tool_calls", [])]
        if message["role"] != "assistant" or message.get("tool_calls"):
            for word in words:
                if word not in text:
                    return word
    return next((word for word in ("fahrenheit",) if tools and word not in text), None)


def judge(template, name, dialogue, reply):
    """A verdict, and what there is to say about it."""
    messages = dialogue["messages"]
    wanted, why = by_jinja2(template, dialogue, copy.deepcopy(messages))
    if "error" in reply:
        if name == "image":
            return "image refused", reply["error"]
        if wanted is None:
            return "both refuse", f"{reply['error']} (Jinja2: {why})"
        lost = lost_of(messages, dialogue.get("tools"), wanted)
        return ("refused, Jinja2 drops it", f"{lost!r}: {reply['error']}") if lost else ("refused", reply["error"])
    if wanted == reply["text"]:
        return "equal", ""
    for form, steps in FORMS.items():
        other, _ = by_jinja2(template, dialogue, in_form(messages, steps))
        if other == reply["text"]:
            return "equal in another form", f"{form} (as sent: {why or 'another text'})"
    if wanted is None:
        return "goes on", f"{why}; lanerope writes {reply['text'][:60]!r}..."
    return "different", first_difference(wanted, reply["text"])


class Program:
    def __init__(self, command):
        self.process = subprocess.Popen(command.split(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"render_template died of {json.dumps(request)[:300]}")
        return json.loads(line)


def request_of(path, dialogue):
    request = {"template": path, "messages": in_form(dialogue["messages"], [text_arguments]), "now": NOW}
    for key in ("tools", "arguments", "continue", "generation_prompt", "bos", "eos"):
        if key in dialogue:
            request[key] = dialogue[key]
    return request


VERDICTS = [
    "equal", "equal in another form", "both refuse", "image refused", "refused, Jinja2 drops it", "refused", "goes on", "different",
    "not asked",
]


def compare(program, path):
    counts = dict.fromkeys(VERDICTS, 0)
    notes = []
    about = program.ask({"template": path, "bos": "<BOS>", "eos": "<EOS>"})
    if "error" in about:
        return counts, [("-", "unreadable", about["error"])], {}
    source = about["source"]
    if not source:
        return None
    template = JINJA.from_string(source)
    for name, dialogue in DIALOGUES.items():
        dialogue = dict(dialogue, bos="<BOS>", eos="<EOS>")
        if path.endswith(".gguf"):
            dialogue.update(bos=about.get("bos", ""), eos=about.get("eos", ""))
        if "thinking" in dialogue:
            variables = jinja2.meta.find_undeclared_variables(JINJA.parse(source))
            switch = next((word for word in ("enable_thinking", "thinking") if word in variables), None)
            if switch is None:
                counts["not asked"] += 1
                continue
            dialogue["arguments"] = {switch: dialogue["thinking"]}
        reply = program.ask(request_of(path, dialogue))
        verdict, note = judge(template, name, dialogue, reply)
        counts[verdict] += 1
        if verdict != "equal":
            notes.append((name, verdict, note))
    return counts, notes, about["capabilities"]


def main():
    parser = argparse.ArgumentParser()
    for option in ("--program", "--templates", "--models"):
        parser.add_argument(option, required=True)
    parser.add_argument("--table", help="write the counts and the differences as Markdown")
    parser.add_argument("template", nargs="*")
    options = parser.parse_args()
    paths = options.template or sorted(glob.glob(f"{options.templates}/*.jinja")) + sorted(glob.glob(f"{options.models}/*.gguf"))
    program = Program(options.program)
    rows, total = [], dict.fromkeys(VERDICTS, 0)
    for path in paths:
        result = compare(program, path)
        if result is None:
            print(f"{os.path.basename(path)}: no chat template")
            continue
        counts, notes, capabilities = result
        for verdict in VERDICTS:
            total[verdict] += counts[verdict]
        rows.append((os.path.basename(path), counts, notes, capabilities))
        print(os.path.basename(path), " ".join(f"{k}: {v}" for k, v in counts.items() if v))
        for name, verdict, note in notes:
            print(f"    {name}: {verdict}: {note}")
    print("\nall:", ", ".join(f"{k} {v}" for k, v in total.items()))
    if options.table:
        write_table(options.table, rows, total)


def write_table(path, rows, total):
    with open(path, "w", encoding="utf-8") as file:
        file.write("| template | " + " | ".join(VERDICTS) + " |\n|" + "---|" * (len(VERDICTS) + 1) + "\n")
        for name, counts, _, _ in rows:
            file.write(f"| {name.removesuffix('.jinja')} | " + " | ".join(str(counts[v] or "") for v in VERDICTS) + " |\n")
        file.write("| **all** | " + " | ".join(f"**{total[v]}**" for v in VERDICTS) + " |\n")


main()
