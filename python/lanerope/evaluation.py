# SPDX-License-Identifier: Apache-2.0
"""How often lanes are right, under several arms: ``lanerope.evaluate(model, dataset, arms)``. docs/evaluation.md has the words."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, cast

import numpy as np

from . import _core
from ._engine import Engine
from ._errors import InvalidRequest
from ._model import Model
from ._options import Options, Prompt, prepared
from ._scores import Estimate, Score, said_by, score_arm
from ._stream import Stream
from .data import Row, frame, read_rows, table


@dataclass(frozen=True)
class Question:
    """What is asked, and what is right."""

    text: str
    truth: str
    parts: tuple[str, ...] = ()
    """Where several answers are asked for: each of them. `truth` lists them, and each is scored by itself."""

    @property
    def places(self) -> tuple[str, ...]:
        """What is right in each place of an answer; one place where it is no list."""
        return self.parts or (self.truth,)


@dataclass(frozen=True)
class Evaluation:
    """What came out: a record for each group, as ``lanerope eval`` writes them."""

    questions: list[Question]
    records: list[Row]
    budget: int | None = None
    """Tokens that each lane could spend; None where that is not known."""

    @property
    def arms(self) -> list[str]:
        """Their names, in the order in which they ran."""
        return list(dict.fromkeys(record["arm"] for record in self.records))

    def rows(self) -> list[Row]:
        """A row a lane: arm, question, group, lane, text, answer, right, ended, length, mean_logprob, seconds, steps, truth. A list is
        right where all of it is."""
        rows = []
        for record in self.records:
            question = self.questions[record["question"]]
            for m, lane in enumerate(record["lanes"]):
                said = said_by(lane, question.places)
                rows.append(
                    {key: record[key] for key in ("arm", "question", "group")}
                    | {"lane": m, "right": bool(said) and all(place.right for place in said), "truth": question.truth}
                    | {key: lane.get(key) for key in ("text", "answer", "answer_from", "ended", "length", "mean_logprob")}
                    | {key: record[key] for key in ("seconds", "steps")}
                )
        return rows

    def frame(self) -> Any:
        """rows() as a pandas frame."""
        return frame(self.rows())

    def table(self) -> Any:
        """rows() as an Arrow table."""
        return table(self.rows())

    def scores(self, budgets: Sequence[int] | None = None) -> list[Score]:
        """How each arm does when each lane may spend so many tokens, at most as many as were sampled; by default at the length of the longest
        lane. Only questions that every arm has answered count."""
        of_arm: dict[str, dict[int, list[Row]]] = {arm: {} for arm in self.arms}
        for record in self.records:
            of_arm[record["arm"]].setdefault(record["question"], []).append(record)
        common = sorted(set.intersection(*(set(found) for found in of_arm.values()))) if of_arm else []
        lanes_of_all = [lane for record in self.records for lane in record["lanes"]]
        longest = max((lane["length"] for lane in lanes_of_all), default=1)
        if budgets is None:
            budgets = [longest]
        # Lanes that came to their end would have done so with any larger budget, and a lane that slept ends behind its own.
        open_ended = self.budget is None and all(lane["ended"] for lane in lanes_of_all)
        most = max(self.budget or 0, longest)
        for budget in budgets:
            if budget > most and not open_ended:
                raise InvalidRequest(f"a budget of {budget} is more than the {most} steps that lanes were sampled with; give at most that")
        scores = []
        for arm, found in of_arm.items():
            lanes = [[lane for record in found[q] for lane in record["lanes"]] for q in common]
            truths = [self.questions[q].places for q in common]
            scores += [score_arm(arm, lanes, truths, budget) for budget in budgets]
        return scores

    def scores_frame(self, budgets: Sequence[int] | None = None) -> Any:
        """scores() as a pandas frame: a row an arm and budget, with majority, pass and oracle and the ends of their 95 % intervals."""
        rows = []
        for score in self.scores(budgets):
            row: Row = {"arm": score.arm, "budget": score.budget, "questions": score.questions}
            for name in ("majority", "pass_at_1", "oracle"):
                estimate: Estimate = getattr(score, name)
                row |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
            rows.append(row | {"ended": score.ended, "mean_tokens": score.mean_tokens})
        return frame(rows)

    def save(self, folder: str | PathLike[str]) -> None:
        """records.jsonl and questions.jsonl, as read_results reads them."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        told = [] if self.budget is None else [{"settings_of": arm, "budget": str(self.budget)} for arm in self.arms]
        rows = [{"question": q.text, "answer": q.truth} | ({"parts": q.parts} if q.parts else {}) for q in self.questions]
        (target / "records.jsonl").write_text("".join(json.dumps(line) + "\n" for line in [*told, *self.records]))
        (target / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def read_results(folder: str | PathLike[str]) -> Evaluation:
    """What ``lanerope eval --out FOLDER`` wrote, or save()."""
    rows = read_rows(Path(folder) / "questions.jsonl")
    questions = [Question(str(row["question"]), str(row["answer"]), tuple(row.get("parts", ()))) for row in rows]
    lines = read_rows(Path(folder) / "records.jsonl")
    records = [line for line in lines if "lanes" in line and "question" in line]
    budgets = {line["settings_of"]: int(line["budget"]) for line in lines if "settings_of" in line and "budget" in line}
    arms = {record["arm"] for record in records}
    return Evaluation(questions, records, min((budgets[arm] for arm in arms if arm in budgets), default=None))


def evaluate(
    model: Model,
    dataset: str | PathLike[str] | Iterable[Mapping[str, Any]] | Any,
    arms: Mapping[str, Options],
    *,
    lanes_total: int = 4,
    budget: int = 256,
    parallel: int = 32,
    seed: int = 1,
    question: str = "question",
    answer: str = "answer",
    prompt: Callable[[str], Prompt] = lambda text: text,
    progress: Callable[[int, int], object] | None = None,
) -> Evaluation:
    """Asks every question under every arm.

    Args:
        dataset: A file of JSON lines, a pandas frame, an Arrow table or dicts. An answer that is a whole solution counts for what it marks.
            Where a row has a list of parts, which its answer lists, each of them is scored by itself.
        arms: Options by the name of the arm, such as {"one": {"lanes": 1}, "four": {"lanes": 4, "coupling": "lanerope"}}. What is not said
            is a temperature of 0.6 and top-p of 0.95, and else as Model.generate has it.
        lanes_total: Lanes that a question gets under each arm, in groups of the arm's lanes.
        budget: Tokens of each lane; scores for smaller ones are cut out of the same texts.
        parallel: Lanes that run at once.
        question, answer: The fields of a row that hold them.
        prompt: Makes the prompt of a question's text.
        progress: Called with groups done and groups in all.
    """
    questions = [_question(row, question, answer) for row in read_rows(dataset)]
    if not questions:
        raise InvalidRequest("there are no questions to ask")
    if not arms:
        raise InvalidRequest("there are no arms; give at least one, such as {'four': {'lanes': 4}}")
    if lanes_total < 1 or parallel < 1:
        raise InvalidRequest("lanes_total and parallel must be at least 1")
    plans = [_Arm(name, _options(name, options, budget), lanes_total, seed) for name, options in arms.items()]
    total = sum(plan.groups for plan in plans) * len(questions)
    records: list[Row] = []
    for plan in plans:
        for record in plan.run(model, questions, prompt, parallel):
            records.append(record)
            if progress is not None:
                progress(len(records), total)
    return Evaluation(questions, sorted(records, key=lambda r: (list(arms).index(r["arm"]), r["question"], r["group"])), budget)


def _question(row: Row, question: str, answer: str) -> Question:
    for key in (question, answer):
        if key not in row:
            raise InvalidRequest(f"a row has no field {key!r}; it has {', '.join(row) or 'none'}; name yours with question= and answer=")
    truth = str(row[answer])
    marked = "####" in truth or "\\boxed" in truth
    truth = (_core.find_answer(truth) if marked else None) or truth
    parts = row.get("parts")
    if not isinstance(parts, (list, tuple)) or len(parts) < 2:
        return Question(str(row[question]), truth)
    if len(_core.listed_answers(truth, len(parts))) != len(parts):
        raise InvalidRequest(f"a row's parts are {len(parts)} answers, and its answer {truth!r} does not list as many")
    return Question(str(row[question]), truth, tuple(str(part) for part in parts))


def _options(name: str, options: Options, budget: int) -> Options:
    for key in ("seed", "budget"):
        if key in options:
            raise InvalidRequest(f"the arm {name} says {key}, which is the same for all arms; say it once, as evaluate(..., {key}=...)")
    usual: Options = {"lanes": 1, "temperature": 0.6, "top_k": 0, "top_p": 0.95, "min_p": 0.0, "select": "none"}
    return cast(Options, {**usual, **options, "budget": budget})


class _Arm:
    """One arm's groups."""

    def __init__(self, name: str, options: Options, lanes_total: int, seed: int) -> None:
        lanes = options["lanes"]
        if lanes < 1:
            raise InvalidRequest(f"the arm {name} has {lanes} lanes; give it at least one")
        total = max(lanes_total, lanes)
        if total % lanes != 0:
            raise InvalidRequest(f"the arm {name} has {lanes} lanes, which do not divide the {total} lanes of a question")
        self.name, self.options, self.groups, self._seed = name, options, total // lanes, seed

    def _seed_of(self, question: Question, group: int) -> int:
        """Follows from the seed, the question's text and the group's number alone."""
        return int.from_bytes(hashlib.sha256(f"{self._seed}/{group}/{question.text}".encode()).digest()[:7], "little")

    def run(self, model: Model, questions: list[Question], prompt: Callable[[str], Prompt], parallel: int) -> Iterable[Row]:
        """Records in the order in which groups are asked."""
        at_once = max(1, parallel // self.options["lanes"])
        cells = max(_core.resolve(model._core, prompt(q.text), prepared(self.options)).cells for q in questions)
        with Engine(model, cells=max(2, cells * at_once)) as engine:
            jobs = [(q, group) for q in range(len(questions)) for group in range(self.groups)]
            running: list[tuple[int, int, Stream]] = []
            while jobs or running:
                while jobs and len(running) < at_once:
                    q, group = jobs.pop(0)
                    options = cast(Options, {**self.options, "seed": self._seed_of(questions[q], group)})
                    running.append((q, group, engine.submit(prompt(questions[q].text), **options)))
                q, group, stream = running.pop(0)
                yield {"arm": self.name, "question": q, "group": group, **_read(model, stream)}


def _read(model: Model, stream: Stream) -> Row:
    """Reads a group to its end, with the answers that each lane had settled on by its length then."""
    texts: dict[int, str] = {}
    lengths: dict[int, int] = {}
    settled: dict[int, list[tuple[int, str]]] = {}
    for event in stream:
        if event.kind != "token":
            continue
        texts[event.lane] = texts.get(event.lane, "") + event.text
        lengths[event.lane] = lengths.get(event.lane, 0) + 1
        if not any(c in event.text for c in "} $\n"):
            continue
        answer = _core.find_answer(texts[event.lane], ended=False)
        known = settled.setdefault(event.lane, [])
        if answer is not None and (not known or known[-1][1] != answer):
            known.append((lengths[event.lane], answer))
    result = stream.result()
    lanes = []
    for m, lane in enumerate(result.lanes):
        ended = lane.finish in ("end", "stop")
        end_counted = len(lane.tokens) > 0 and model.is_end(int(lane.tokens[-1]))
        lanes.append(
            {
                "text": lane.text,
                "answer": lane.answer,
                "answer_from": lane.answer_from,
                "ended": ended,
                "length": len(lane.tokens) + (1 if ended and not end_counted else 0),
                "mean_logprob": float(np.float64(lane.mean_logprob)),
                "settled": [list(item) for item in settled.get(m, [])],
            }
        )
        if lane.answer_from is None:
            del lanes[-1]["answer_from"]
    return {"seconds": result.decode_seconds, "steps": result.clock, "lanes": lanes}
