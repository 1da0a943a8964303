# SPDX-License-Identifier: Apache-2.0
"""bench/real/mean.py: two adapters, weight by weight."""

import importlib.util
import pathlib

import numpy
import pytest
from gguf import GGUFReader, GGUFWriter

FILE = pathlib.Path(__file__).parents[2] / "bench/real/mean.py"
spec = importlib.util.spec_from_file_location("mean", FILE)
mean = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mean)


@pytest.fixture
def adapter(tmp_path):
    def write(name, weights):
        writer = GGUFWriter(tmp_path / name, "qwen2")
        writer.add_string("said.by", name)
        writer.add_tensor("a", weights)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return tmp_path / name

    return write


def test_a_share_of_the_second_and_the_rest_of_the_first(adapter, tmp_path):
    files = adapter("before", numpy.array([[1, 2]], numpy.float32)), adapter("after", numpy.array([[3, -2]], numpy.float16))
    mean.write_mean(files, 0.25, tmp_path / "out")
    out = GGUFReader(tmp_path / "out")
    numpy.testing.assert_array_equal(out.tensors[0].data, numpy.array([[1.5, 1]]))
    assert out.tensors[0].data.dtype == numpy.float16
    assert out.fields["said.by"].contents() == "after"
    numpy.testing.assert_array_equal(GGUFReader(files[1]).tensors[0].data, [[3, -2]])


def test_adapters_of_other_ranks_have_no_mean(adapter, tmp_path):
    files = adapter("four", numpy.zeros((4, 8), numpy.float32)), adapter("eight", numpy.zeros((8, 8), numpy.float32))
    with pytest.raises(ValueError, match="do not have the same weights"):
        mean.write_mean(files, 0.5, tmp_path / "out")
    assert not (tmp_path / "out").exists()
