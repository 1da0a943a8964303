# SPDX-License-Identifier: Apache-2.0
"""bench/real/mean.py: two adapters, weight by weight."""

import importlib.util
import pathlib

import numpy

FILE = pathlib.Path(__file__).parents[2] / "bench/real/mean.py"
spec = importlib.util.spec_from_file_location("mean", FILE)
mean = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mean)


def test_a_share_of_the_second_and_the_rest_of_the_first():
    before, after = numpy.array([1, 2], numpy.float32), numpy.array([3, -2], numpy.float16)
    numpy.testing.assert_array_equal(mean.mean(before, after, 0.25), numpy.array([1.5, 1], numpy.float16))
    assert mean.mean(before, after, 0.25).dtype == numpy.float16


def test_other_ranks_are_other_shapes():
    assert mean.shapes({"a": numpy.zeros((4, 8))}) != mean.shapes({"a": numpy.zeros((8, 8))})
