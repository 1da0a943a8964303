# SPDX-License-Identifier: Apache-2.0
"""lanerope's own reader of answers (tools/judge.cpp), called for many texts; and the reader of composed answers."""

import concurrent.futures
import re
import subprocess

NUMBER = re.compile(r"-?\$?-?\d[\d,]*(?:\.\d+)?|-?\.\d+")
HEADING = re.compile(r"(?:^|\n)[#*\s]*(?:Problem|Task|Question|Answer)?\s*\(?(\d+)[.):*]", re.IGNORECASE)


def _call(program, records):
    data = b"".join(f"{int(ended)}\0{text.replace(chr(0), ' ')}\0{truth}\0".encode() for ended, text, truth in records)
    lines = subprocess.run([program], input=data, capture_output=True, check=True).stdout.decode(errors="replace").split("\n")
    return [(line[0] == "1", line[2:]) for line in lines[: len(records)]]


def judge(program, records, workers=16):
    """[(right, answer)] of [(ended, text, truth)]."""
    size = max(1, (len(records) + workers * 4 - 1) // (workers * 4))
    parts = [records[i : i + size] for i in range(0, len(records), size)]
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return [r for part in pool.map(lambda p: _call(program, p), parts) for r in part]


def by_number(ended, text, truth):
    """(right, answer) as the program says it, by a simple rule: the last box, else the last number of a text that came to its end."""
    boxed = re.findall(r"\\boxed\{([^{}]*)\}", text)
    numbers = NUMBER.findall(boxed[-1] if boxed else text.split("####")[-1]) if boxed or ended else []
    value = number(numbers[-1]) if numbers else None
    return value is not None and value == number(truth), numbers[-1] if numbers else ""


def number(text):
    """A float, or None where the text is no number."""
    found = NUMBER.search(text)
    if not found:
        return None
    try:
        return float(found.group().replace(",", "").replace("$", ""))
    except ValueError:
        return None


def final_answers(text, k):
    """The k numbers of the last line that begins with ####, or None where there is none such or it has another count."""
    at = text.rfind("####")
    if at < 0:
        return None
    line = text[at + 4 :].split("\n")[0]
    items = re.split(r",(?!\d{3}(?!\d))|;|, ", line.strip().strip("()[]. "))
    values = [number(item) for item in items if item.strip()]
    return values if len(values) == k and None not in values else None


def answers_by_section(text, k):
    """For models that were not trained for the form: the final list, else under each problem's heading the boxed or last number."""
    found = final_answers(text, k)
    if found is not None:
        return found
    marks = [(m.start(), int(m.group(1))) for m in HEADING.finditer(text)]
    sections = {}
    for (at, i), following in zip(marks, [m[0] for m in marks[1:]] + [len(text)]):
        if 1 <= i <= k:
            sections[i] = sections.get(i, "") + text[at:following]
    values = []
    for i in range(1, k + 1):
        boxed = re.findall(r"\\boxed\{([^{}]*)\}", sections.get(i, ""))
        numbers = NUMBER.findall(boxed[-1] if boxed else sections.get(i, ""))
        values.append(number(numbers[-1]) if numbers else None)
    return values


def own_results(text):
    """{problem, from 0: number} that a trained lane wrote as "Answer i: x"."""
    return {int(i) - 1: number(x) for i, x in re.findall(r"(?:^|\n)Answer (\d+): ([^\n]*)", text)}
