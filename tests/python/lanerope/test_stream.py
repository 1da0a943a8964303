# SPDX-License-Identifier: Apache-2.0
"""Events, and lanes that are changed while they write."""

import asyncio
import threading

import pytest

import lanerope

OPTIONS = dict(lanes=2, budget=16, seed=1, ignore_end=True)


def test_events_tell_the_same_as_the_result(tiny):
    stream = tiny.stream("abc", **OPTIONS)
    events = list(stream)
    result = stream.result()
    assert events[0].kind == "prompt_read" and events[-1].kind == "group_finished"
    for m, lane in enumerate(result.lanes):
        own = [e for e in events if e.lane == m]
        assert own[0].kind == "lane_started" and own[-1].kind == "lane_finished" and own[-1].finish == "length"
        tokens = [e for e in own if e.kind == "token"]
        assert [e.token for e in tokens] == lane.tokens.tolist()
        assert [e.step for e in tokens] == list(range(16))
        assert "".join(e.text for e in own) == lane.text
        assert [e.logprob for e in tokens] == lane.logprobs.tolist()
    assert [lane.text for lane in result.lanes] == [lane.text for lane in tiny.generate("abc", **OPTIONS).lanes]


def test_async_events_are_the_same(tiny):
    async def read():
        stream = tiny.stream("abc", **OPTIONS)
        kinds = [(e.kind, e.lane, e.token) async for e in stream]
        return kinds, await stream.aresult()

    kinds, result = asyncio.run(read())
    assert kinds == [(e.kind, e.lane, e.token) for e in tiny.stream("abc", **OPTIONS)]
    assert len(result.lanes) == 2


def test_alternatives_are_told_on_request(tiny):
    tokens = [e for e in tiny.stream("abc", top_logprobs=3, temperature=0, **OPTIONS) if e.kind == "token"]
    assert all(len(e.top) == 3 and e.top[0][1] >= e.top[1][1] for e in tokens)
    assert all(e.top[0][0] == e.token and e.top[0][1] == e.logprob for e in tokens)


def test_pushed_text_is_what_a_lane_goes_on_with(tiny):
    stream = tiny.stream("abc", **OPTIONS)
    for event in stream:
        if event.kind == "token" and event.lane == 1 and event.step == 2:
            stream.push(1, "tiles")
    lane = stream.result().lanes[1]
    assert "tiles" in lane.text and lane.generated < 16


def test_forks_spawns_and_retired_lanes(tiny):
    stream = tiny.stream("abc", reserved_lanes=2, coupling="lanerope", tag="", **OPTIONS)
    for event in stream:
        if event.kind != "token" or event.lane != 0:
            continue
        if event.step == 4:
            assert stream.fork(0, step=3, text="x") == 2
            assert stream.spawn("y") == 3
        if event.step == 8:
            stream.retire(1)
    result = stream.result()
    assert [lane.finish for lane in result.lanes][:2] == ["length", "retired"]
    assert len(result.lanes) == 4 and result.lanes[2].start_step == result.lanes[3].start_step > 0
    written = "".join(e.text for e in tiny.stream("abc", coupling="lanerope", tag="", **OPTIONS) if e.lane == 0 and e.kind == "token" and e.step < 3)
    assert result.lanes[2].text.startswith(written + "x")
    assert result.lanes[3].text.startswith("y")


def test_a_lane_that_waits_sleeps_until_another_is_ready(tiny):
    """Nothing but the texts says who waits: neither token may be drawn."""
    wait, ready = (tiny.tokenize(text, add_special=False)[0] for text in "~!")
    options = dict(lanes=2, budget=12, seed=1, ignore_end=True, coupling="lanerope", tag="", logit_bias={wait: -1e9, ready: -1e9})
    stream = tiny.stream("abc", wait="~", ready="!", lane_texts=["a~", "bcdef!"], **options)
    kinds = [(event.kind, event.lane) for event in stream]
    assert ("lane_slept", 0) in kinds and ("lane_woke", 0) in kinds
    first, second = stream.result().lanes
    assert second.steps.tolist() == list(range(12))
    assert first.steps[0] == 0 and first.steps[1] >= 5 and first.steps.shape == first.tokens.shape
    scored = tiny.score(tiny.tokenize("abc"), [first.tokens, second.tokens], coupling="lanerope", wait="~", ready="!")
    assert [len(lane.logprobs) for lane in scored] == [12, 12]


def test_cancelled_groups_keep_what_was_written(tiny):
    stream = tiny.stream("abc", **OPTIONS)
    for event in stream:
        if event.kind == "token" and event.step == 5:
            stream.cancel()
            break
    result = stream.result()
    assert result.finish == "cancelled" and 0 < len(result.lanes[0].tokens) < 16
    stream.cancel()  # nothing happens any more


def test_a_policy_sees_every_event(tiny):
    seen = []

    def until_five(stream, event):
        seen.append(event.kind)
        if event.kind == "token" and event.step == 5 and event.lane == 0:
            stream.retire(1)

    result = tiny.generate("abc", policy=until_five, **OPTIONS)
    assert seen[-1] == "group_finished" and result.lanes[1].finish == "retired"
    again = asyncio.run(tiny.agenerate("abc", policy=until_five, **OPTIONS))
    assert [lane.text for lane in again.lanes] == [lane.text for lane in result.lanes]


def test_built_in_policies_are_asked_for_by_name(tiny):
    result = tiny.generate("abc", policy=["budget:tokens=20"], **OPTIONS)
    assert sum(len(lane.tokens) for lane in result.lanes) == 20
    (act,) = result.acts
    assert (act.policy, act.kind, act.lane, act.reason) == ("budget", "end", -1, "20 of 20 tokens are spent")
    events = [event for event in tiny.stream("abc", policies="budget:tokens=20", **OPTIONS) if event.kind == "policy"]
    assert [(event.act.policy, event.act.step) for event in events] == [("budget", act.step)]
    assert asyncio.run(tiny.agenerate("abc", policy="budget:tokens=20", **OPTIONS)).acts == result.acts
    assert tiny.generate("abc", **OPTIONS).acts == ()
    with pytest.raises(TypeError, match="given twice"):
        tiny.generate("abc", policy="consensus", policies="prune", **OPTIONS)


def test_a_probe_reads_cell_by_cell(tiny):
    stream = tiny.stream("abcdef", hold=True, **OPTIONS)
    stream.result()
    probe = stream.probe(1, 3)
    tokens = sum(n for _, _, n in probe.parts)
    assert probe.weights.shape == (tiny.info["n_layer"], tiny.info["n_head"], tokens)
    assert abs(probe.weights.sum(-1) - 1).max() < 1e-3
    assert probe.parts[0][0] == -1 and probe.parts[-1] == (1, 0, 4)


def test_two_iterations_at_once_are_refused(tiny):
    stream = tiny.stream("abc", **OPTIONS)
    with pytest.raises(RuntimeError, match="being read already"):
        for _ in stream:
            for _ in stream:
                pass
    for event in stream:  # the loop before is over
        break
    assert [e.kind for e in stream][-1] == "group_finished"
    assert list(stream) == []


def test_many_groups_share_an_engine(tiny):
    prompts = [f"prompt {i}" for i in range(6)]
    alone = [tiny.generate(p, **OPTIONS) for p in prompts]
    with lanerope.Engine(tiny, cells=448) as engine:  # room for some of them at a time
        together = [s.result() for s in [engine.submit(p, **OPTIONS) for p in prompts]]
        assert engine.state["groups"] == 0 and engine.state["cells"] == 448
    for a, b in zip(alone, together):
        assert [lane.text for lane in a.lanes] == [lane.text for lane in b.lanes]


def test_groups_are_read_by_threads_and_by_tasks(tiny):
    prompts = [f"prompt {i}" for i in range(4)]
    alone = [[lane.text for lane in tiny.generate(p, **OPTIONS).lanes] for p in prompts]
    with tiny.engine(cells=1024) as engine:
        found = {}

        def read(i):
            stream = engine.submit(prompts[i], **OPTIONS)
            assert [e.kind for e in stream][-1] == "group_finished"
            found[i] = [lane.text for lane in stream.result().lanes]

        threads = [threading.Thread(target=read, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert [found[i] for i in range(4)] == alone

        async def all_of_them():
            return await asyncio.gather(*(engine.submit(p, **OPTIONS).aresult() for p in prompts))

        assert [[lane.text for lane in result.lanes] for result in asyncio.run(all_of_them())] == alone


def test_a_stream_that_nobody_holds_gives_its_cells_back(tiny):
    with tiny.engine(cells=192) as engine:
        stream = engine.submit("abc", lanes=2, budget=28, ignore_end=True)
        next(iter(stream))
        del stream
        assert engine.submit("abd", lanes=2, budget=28, seed=1).result().lanes  # fits only in place of the first


def test_lanes_call_the_calculator_by_notes(tiny):
    """Nothing but the sign is drawn behind the text."""
    (sign,) = tiny.tokenize("=", add_special=False)
    options = dict(lanes=1, budget=32, seed=1, tag="", lane_texts=["<<48/2"], logit_bias={sign: 1e3})
    stream = tiny.stream("abc", lane_tools="notes", **options)
    called, returned = (event for event in stream if event.kind in ("tool_called", "tool_returned"))
    assert (called.tool.returned, returned.tool.returned, returned.tool.result) == (False, True, "24")
    result = stream.result()
    (run,) = result.tool_runs
    assert (run.lane, run.tool, run.arguments, run.note, run.result) == (0, "calculator", '{"expression":"48/2"}', True, "24")
    assert result.lanes[0].text.startswith("<<48/2=24>>")
    assert tiny.generate("abc", **options).tool_runs == ()
    with pytest.raises(ValueError, match="no tool"):
        tiny.generate("abc", lane_tools="abacus", **options)
