# SPDX-License-Identifier: Apache-2.0
"""Several problems asked together: the questions of `lanerope data compose`, GSM8K's files and frozen sets."""

import hashlib
import json
import random

N_DEV = 500

# Head, one problem, tail; {i} counts from 1.
WORDINGS = (
    ("Solve each of these problems.\n\n", "Problem {i}: {q}", "\n\nEnd with all the answers in order: #### (answer 1, answer 2, ...)"),
    ("Here are {k} problems. Solve them all.\n\n", "Problem {i}: {q}", "\n\nAt the end write one line with every answer: #### (first, second, ...)"),
    ("", "Problem {i}: {q}", "\n\nSolve all {k} problems. Finish with #### and the answers in order, in parentheses."),
    ("I have {k} questions.\n\n", "{i}. {q}", "\n\nPlease answer all of them, and list the answers at the end as #### (a, b, ...)."),
    ("Answer every question below.\n\n", "({i}) {q}", "\n\nClose with a line that starts with #### and gives all answers in parentheses, separated by commas."),
    ("Work through these {k} tasks:\n\n", "Task {i}: {q}", "\n\nYour last line must be #### followed by the list of the {k} answers in parentheses."),
)


def load_problems(path):
    """[{"question", "answer"}] of a GSM8K file; the answer is the number behind ####, without commas."""
    problems = []
    for line in open(path, encoding="utf-8"):
        record = json.loads(line)
        problems.append({"question": record["question"].strip(), "answer": record["answer"].split("####")[1].strip().replace(",", "")})
    return problems


def dev_numbers(problems):
    """The N_DEV problems of a train file that nothing is trained on: those whose question has the lowest SHA-256."""
    digest = [hashlib.sha256(p["question"].encode()).hexdigest() for p in problems]
    return set(sorted(range(len(problems)), key=lambda i: digest[i])[:N_DEV])


def compose_question(questions, wording):
    head, item, tail = WORDINGS[wording]
    k = len(questions)
    items = "\n\n".join(item.format(i=i + 1, q=q) for i, q in enumerate(questions))
    return head.format(k=k) + items + tail.format(k=k)


def test_sets(problems, numbers, seed, name, sizes=(2, 3, 4, 6), count=300):
    """[{"set", "k", "problems", "question", "answers"}]: `count` groups of each size from the problems with these numbers."""
    draw = random.Random(seed)
    groups = []
    for k in sizes:
        for _ in range(count):
            chosen = draw.sample(sorted(numbers), k)
            wording = draw.randrange(len(WORDINGS))
            groups.append(
                {
                    "set": f"{name}-{k}",
                    "k": k,
                    "problems": chosen,
                    "question": compose_question([problems[i]["question"] for i in chosen], wording),
                    "answers": [problems[i]["answer"] for i in chosen],
                }
            )
    return groups


def digest(groups):
    return hashlib.sha256(json.dumps(groups, sort_keys=True).encode()).hexdigest()
