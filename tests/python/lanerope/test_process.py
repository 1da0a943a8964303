# SPDX-License-Identifier: Apache-2.0
"""Threads, signals and forked processes of the caller."""

import os
import signal
import subprocess
import sys
import textwrap
import threading

import pytest

import lanerope

OPTIONS = dict(lanes=4, budget=400, seed=1, ignore_end=True)


def test_other_threads_go_on_while_lanes_are_computed(slow):
    """Each of two threads waits for what the other does while a call runs: with the GIL held in it, neither would come to it."""
    started, counted = threading.Event(), threading.Event()
    done = []

    def generate():
        stream = slow.stream("abc", **OPTIONS)
        for event in stream:
            started.set()
            if counted.is_set():
                stream.cancel()
        done.append(stream.result().finish)

    thread = threading.Thread(target=generate)
    thread.start()
    assert started.wait(timeout=60)
    counted.set()
    thread.join(timeout=60)
    assert done == ["cancelled"]


@pytest.mark.parametrize(
    "call",
    [
        "model.generate('abc', **options)",
        "list(model.stream('abc', **options))",
        "model.stream('abc', **options).result()",
        "asyncio.run(model.agenerate('abc', **options))",
    ],
)
def test_ctrl_c_ends_a_call(tiny_file, slow, call):
    """The budget would take minutes; the child says that it has begun, and is interrupted."""
    program = textwrap.dedent(f"""
        import asyncio, signal, lanerope
        signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background ignores it
        model = lanerope.Model({slow.info["file"]!r}, threads=1)
        options = dict(lanes=16, budget=4000, ignore_end=True, raw=True)
        print("begun", flush=True)
        try:
            {call}
        except KeyboardInterrupt:
            print("interrupted", flush=True)
            print(len(model.generate("abc", lanes=1, budget=2, raw=True).lanes), flush=True)
    """)
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "begun\n"
    timer = threading.Timer(0.7, child.send_signal, [signal.SIGINT])
    timer.start()
    try:
        out, err = child.communicate(timeout=60)
    finally:
        child.kill()
        timer.join()
    assert out.split() == ["interrupted", "1"], err


def test_a_forked_child_is_told_and_ends(tiny):
    """Threads do not come along into a fork: computing there is refused, and objects die in peace."""
    tiny.generate("abc", lanes=2, budget=4)
    engine = tiny.engine(cells=128)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            assert tiny.tokenize("abc")  # needs no thread
            for call in (lambda: tiny.generate("abc"), lambda: engine.submit("abc", lanes=1, budget=4), lambda: engine.close()):
                try:
                    call()
                except RuntimeError as error:
                    assert "forked" in str(error)
                else:
                    raise AssertionError("a forked child computed")
            own = lanerope.Model(tiny.info["file"], threads=1)
            assert len(own.generate("abc", lanes=2, budget=4).lanes) == 2
            tiny.close()
            del engine
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert engine.submit("abc", lanes=1, budget=4).result().lanes  # the parent's go on


def test_one_model_in_several_threads(tiny):
    expected = [lane.text for lane in tiny.generate("abc", lanes=2, budget=24, seed=5).lanes]
    found = []

    def run():
        found.append([lane.text for lane in tiny.generate("abc", lanes=2, budget=24, seed=5).lanes])

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert found == [expected] * 4
