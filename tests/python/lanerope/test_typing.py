# SPDX-License-Identifier: Apache-2.0
"""The names and types that the package promises are those of the library."""

import subprocess
import sys
import typing
from pathlib import Path

import lanerope
from lanerope import _core, _options

CHECKOUT = Path(__file__).parents[3]


def test_names_of_enums_are_the_librarys():
    names = _core.names()
    typed = {
        "coupling": _options.Coupling,
        "init": _options.Init,
        "visibility": _options.Visibility,
        "topology": _options.Topology,
        "far_lanes": _options.FarLanes,
        "prompt_lane": _options.PromptLane,
        "select": _options.Select,
        "vote_weight": _options.VoteWeight,
        "kv_type": _options.KvType,
        "back_end": _options.BackEnd,
    }
    for name, literal in typed.items():
        assert list(typing.get_args(literal)) == names[name], name


def test_options_are_those_that_are_read():
    assert set(typing.get_type_hints(lanerope.Options)) == set(_core.option_names())


def test_everything_public_is_documented():
    for name in lanerope.__all__:
        thing = getattr(lanerope, name)
        if isinstance(thing, type):
            assert thing.__doc__, name
            for member, value in vars(thing).items():
                if not member.startswith("_") and callable(value):
                    assert value.__doc__, f"{name}.{member}"


def test_mypy_strict_passes_on_the_package_and_the_examples():
    files = sorted(str(path) for path in (CHECKOUT / "examples").glob("*_lanes.py"))
    assert len(files) >= 2
    command = [sys.executable, "-m", "mypy", "--config-file", str(CHECKOUT / "pyproject.toml"), "--cache-dir", str(CHECKOUT / "build/mypy")]
    for what in (files, ["-p", "lanerope"]):
        done = subprocess.run([*command, *what], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
