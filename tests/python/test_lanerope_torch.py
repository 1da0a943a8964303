# SPDX-License-Identifier: Apache-2.0
"""lanerope_torch against definitions written out: PYTHONPATH=python pytest tests/python. Needs torch, tokenizers, gguf; no model file."""

import json
import random

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lanerope_torch import compose_lanes, evaluate, export, generate, gguf_weights, judge, measure, model, train, vocabulary  # noqa: E402
from reference import CONFIG, HEAD, OMEGA, ROWS, random_model, reference  # noqa: E402

@pytest.mark.parametrize("visibility", ["inclusive", "interleaved"])
@pytest.mark.parametrize("n", [1, 3])
def test_whole_groups_follow_the_definition(visibility, n):
    decoder, tensors = random_model()
    draw = random.Random(1)
    prompt = [draw.randrange(ROWS) for _ in range(5)]
    lanes = [[draw.randrange(ROWS) for _ in range(3 + m)] for m in range(n)]
    rows = train.to_rows(prompt, [compose_lanes.Lane(x, [True] * len(x)) for x in lanes])
    batch = train.make_batch([rows], decoder.device, decoder.dtype, visibility, multiple=16)
    omega = OMEGA.float().expand(2, -1)
    logits = decoder.logits(decoder.hidden(batch, None, omega))[0].numpy()
    expected = reference(tensors, prompt, lanes, OMEGA.numpy(), visibility)
    for row, (lane, step) in enumerate(zip(rows.lanes, rows.steps)):
        assert np.abs(logits[row] - expected[int(lane), int(step)]).max() < 2e-3


@pytest.mark.parametrize("visibility", ["inclusive", "strict", "interleaved"])
@pytest.mark.parametrize("joint", [True, False])
def test_sampled_tokens_are_those_of_the_definition(visibility, joint):
    decoder, tensors = random_model()
    prompts = [[1, 2, 3], [4, 5, 6, 7, 8], [9]]
    tags = [[10], [11, 12], []]
    groups = [generate.Group(p, tags, joint, visibility, OMEGA.float()[None]) for p in prompts]
    end = 0
    results = generate.generate(decoder, groups, generate.Sampling(budget=20, temperature=0), end)
    for prompt, written in zip(prompts, results):
        lanes = [w.rows for w in written]
        assert all(w.steps == list(range(len(w.rows))) for w in written)
        logits = reference(tensors, prompt, lanes, OMEGA.numpy(), visibility, joint)
        for m, lane in enumerate(lanes):
            assert lane[: len(tags[m])] == tags[m]
            assert end not in lane[:-1]
            for s in range(len(tags[m]), len(lane)):
                before = logits[(m, s - 1) if s > 0 else (-1, -1)]
                assert before[lane[s]] > before.max() - 1e-3


def test_groups_that_end_leave_the_others_alone(monkeypatch):
    decoder, _ = random_model()
    monkeypatch.setattr(generate.Run, "growth", 16)
    groups = [generate.Group([1 + i, 2, 3], [[10], [11]], True, "inclusive", OMEGA.float()[None]) for i in range(9)]
    sampling = generate.Sampling(budget=60, temperature=0)
    together = generate.generate(decoder, groups, sampling, end=7)
    assert len({len(lane.rows) for lanes in together for lane in lanes}) > 1
    assert together == [generate.generate(decoder, [g], sampling, end=7)[0] for g in groups]


def test_gradients_of_the_low_rank_product():
    draw = torch.Generator().manual_seed(1)
    x, w, bias, a, b = (torch.randn(*s, generator=draw, dtype=torch.float64).requires_grad_(i in (0, 3, 4)) for i, s in enumerate(((2, 5, 6), (7, 6), (7,), (3, 6), (7, 3))))
    assert torch.autograd.gradcheck(model.LoraLinear.apply, (x, w, bias, a, b))
    assert torch.autograd.gradcheck(model.SwiGlu.apply, (torch.randn(3, 8, generator=draw, dtype=torch.float64).requires_grad_(),))


def test_training_learns_and_moves_omega():
    decoder, _ = random_model()
    lora = model.Lora(CONFIG, 2, 4, OMEGA)
    before = lora.omega.detach().clone()
    lanes = [compose_lanes.Lane([10 + m, 5, 6, 7 + m, 8, 0], [False] + [True] * 5) for m in range(2)]
    groups = [train.to_rows([1, 2, 3], lanes), train.to_rows([4, 5], [compose_lanes.Lane([9, 8, 7, 0], [True] * 4)])]
    options = train.TrainOptions(tokens=1500, batch_tokens=64, accumulate=1, learning_rate=2e-2)
    pairs = lambda: lora.fuse_all(2, torch.float32)  # noqa: E731
    batch = train.make_batch(groups[:1], decoder.device, decoder.dtype)
    first, count = train.loss_of(decoder, lora, batch, pairs(), None)
    assert count == 10
    done = train.train(decoder, lora, groups, options, random.Random(1))
    last, _ = train.loss_of(decoder, lora, batch, pairs(), None)
    assert done["tokens"] >= 1500 and float(last.detach()) < 0.5 * float(first.detach())
    assert (lora.omega.detach() - before).abs().max() > 0


def test_logits_in_chunks_give_the_same_loss_and_gradients(monkeypatch):
    decoder, _ = random_model()
    batch = train.make_batch([train.to_rows([1, 2], [compose_lanes.Lane([9, 8, 7, 6, 5, 0], [True] * 6)])], decoder.device, decoder.dtype)
    found = []
    for limit in (10**9, 2 * ROWS):
        monkeypatch.setattr(train, "CHUNK_LOGITS", limit)
        lora = model.Lora(CONFIG, 2, 4, OMEGA)
        loss, count = train.loss_of(decoder, lora, batch, lora.fuse_all(2, torch.float32), None)
        loss.backward()
        found.append((float(loss.detach()), count, lora.b["0_attn_q"].grad))
    assert found[0][0] == pytest.approx(found[1][0]) and found[0][1] == found[1][1] == 6
    assert torch.allclose(found[0][2], found[1][2], atol=1e-6) and found[0][2].abs().max() > 0


def test_answers_are_read():
    assert judge.final_answers("so\n#### (5, 18, 7)", 3) == [5, 18, 7]
    assert judge.final_answers("#### (1,200, 3.5)", 2) == [1200, 3.5]
    assert judge.final_answers("#### 5, 18", 3) is None
    assert judge.answers_by_section("### Problem 1: 3+4\nis \\boxed{7}\n### Problem 2:\n It is 9 apples.", 2) == [7, 9]
    lanes = [("Answer 1: 5\n#### (5, 6)", 9, True, []), ("Answer 2: 6\n#### (5, 7)", 12, True, [])]
    rec = evaluate.record({"set": "s", "k": 2, "answers": ["5", "6"]}, lanes)
    assert evaluate.group_scores(rec)["answer"] == 0.75 and evaluate.group_scores(rec, 10)["answer"] == 0.5
    assert evaluate.handover(rec) == (2, 2)


def test_records_of_the_engine_are_read(tmp_path):
    asked = [{"set": "reach-2", "k": 2, "question": "?", "answers": ["5", "6"]}]
    lanes = [{"text": "Answer 1: 5 ✓\n#### (5, 6)", "length": 9, "ended": True}, {"text": "Answer 2: 6 ✓\n await\n#### (5, 7)", "length": 14, "ended": True, "sleeps": [[5, 4]]}]
    (tmp_path / "r.jsonl").write_text(json.dumps({"arm": "lanes", "question": 0, "steps": 14, "lanes": lanes}) + "\n")
    (rec,) = measure.read_arms(tmp_path / "r.jsonl", asked)["lanes"][0]
    scores = evaluate.group_scores(rec)
    assert scores["answer"] == 0.75 and scores["steps"] == 14 and scores["tokens"] == 19
    cut = evaluate.group_scores(rec, 9)
    assert cut["answer"] == 0.5 and cut["steps"] == 9 and cut["tokens"] == 9 + 5 and evaluate.handover(rec) == (2, 2)


def test_packed_weights_are_those_of_gguf():
    quants = pytest.importorskip("gguf.quants")
    from gguf import GGMLQuantizationType

    draw = np.random.default_rng(1)
    for kind in ("Q8_0", "Q4_1", "Q5_0", "Q4_K", "Q6_K"):
        count, size = gguf_weights.BLOCKS[kind]
        raw = draw.integers(0, 256, (6, size)).astype(np.uint8)
        expected = quants.dequantize(raw, GGMLQuantizationType[kind])
        got = gguf_weights.unpack(raw.reshape(-1), kind, (6, count))
        both = np.isfinite(expected)
        assert both.any() and np.array_equal(got[both], expected[both])


def test_adapter_file(tmp_path):
    gguf = pytest.importorskip("gguf")
    lora = model.Lora(CONFIG, 2, 4, OMEGA)
    with torch.no_grad():
        for b in lora.b.values():
            b.normal_()
    path = tmp_path / "a.gguf"
    export.write_adapter(path, lora, CONFIG, name="a", tag="<lane{k}>", lanes=[1, 2, 4], stride=256, kind=np.float32)
    reader = gguf.GGUFReader(path)
    assert reader.fields["lanerope.lanes"].contents() == [1, 2, 4]
    assert [reader.fields[f"lanerope.{name}"].contents() for name in ("wait", "ready")] == [" await", " ✓"]
    assert len(reader.fields["lanerope.omega"].contents()) == 2 * HEAD // 2
    tensors = {t.name: np.array(t.data) for t in reader.tensors}
    # A query head of the file, pair t in rows t and t + D/2, is the inner one with rows 2t and 2t + 1.
    inner = lora.b["1_attn_q"].detach().numpy()
    outer = tensors["blk.1.attn_q.weight.lora_b"]
    assert np.array_equal(outer[[0, HEAD // 2]], inner[[0, 1]])


def test_a_model_travels_in_parts(tmp_path):
    gguf = pytest.importorskip("gguf")
    draw = np.random.default_rng(1)
    writer = gguf.GGUFWriter(tmp_path / "m.gguf", "qwen2")
    for name, value in {"block_count": 1, "embedding_length": 32, "attention.head_count": 4, "attention.head_count_kv": 2, "feed_forward_length": 64, "context_length": 512}.items():
        writer.add_uint32(f"qwen2.{name}", value)
    writer.add_float32("qwen2.rope.freq_base", 1e4)
    writer.add_float32("qwen2.attention.layer_norm_rms_epsilon", 1e-6)
    writer.add_token_list(["a", "b", "ab", "<end>"])
    writer.add_token_types([1, 1, 1, 3])
    writer.add_token_merges(["a b"])
    writer.add_eos_token_id(3)
    tensors = {"token_embd.weight": (4, 32), "output.weight": (4, 32), "blk.0.ffn_down.weight": (32, 64)}
    values = {name: draw.standard_normal(shape).astype(np.float32) for name, shape in tensors.items()}
    for name, value in values.items():
        writer.add_tensor(name, value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    for rows in (None, [1, 3]):
        folder = tmp_path / f"parts{rows}"
        count = gguf_weights.write_parts(tmp_path / "m.gguf", folder, 3000, rows)
        assert count == len(list(folder.glob("weights.*"))) > 1
        assert all(f.stat().st_size <= 3000 for f in folder.glob("weights.*"))
        facts, read = gguf_weights.read_parts(folder)
        for name, value in values.items():
            expected = value if rows is None or name.startswith("blk") else value[rows]
            assert np.array_equal(gguf_weights.unpack(*read[name]), expected)
        words = vocabulary.Vocabulary(facts)
        assert words.end == (3 if rows is None else 1)
        assert words.fits("b") and words.fits("ab") == (rows is None)
