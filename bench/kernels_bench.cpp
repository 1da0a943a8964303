// SPDX-License-Identifier: Apache-2.0
// kernels_bench [THREADS [TYPE|attention [COLUMNS...]]]: speed of the kernels on their own, as shares of what
// the machine can do at most.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include "kernels/ceilings.h"
#include "kernels/lane_attention.h"
#include "kernels/product.h"

namespace lanerope::bench {
namespace {

// The best of `runs` runs of `work(thread)` on all threads, in seconds. Threads meet by spinning.
double best_seconds(int n_threads, int runs, const std::function<void(int)>& work) {
  std::vector<double> seconds;
  std::atomic<int> arrived = 0;
  std::atomic<int> round = 0;
  const auto meet = [&] {
    const int now = round.load();
    if (arrived.fetch_add(1) + 1 == n_threads) {
      arrived = 0;
      ++round;
    } else {
      while (round.load() == now) std::this_thread::yield();
    }
  };
  const auto loop = [&](int thread) {
    for (int r = 0; r < runs; ++r) {
      // Taken before they meet: a thread that is late must not find the work done.
      const auto start = std::chrono::steady_clock::now();
      meet();
      work(thread);
      meet();
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      if (thread == 0) seconds.push_back(took.count());
    }
  };
  std::vector<std::thread> others;
  for (int t = 1; t < n_threads; ++t) others.emplace_back(loop, t);
  loop(0);
  for (std::thread& other : others) other.join();
  return *std::ranges::min_element(seconds);
}

struct Shape {
  int64_t n_in;
  int64_t n_out;
};

std::vector<int64_t> columns_to_time = {1, 2, 4, 8, 16, 32, 64, 512};

void bench_product(ggml_type type, Shape shape, const kernels::MachineCeilings& ceilings) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  const size_t row_bytes = ggml_row_size(type, shape.n_in);
  std::vector<float> row(shape.n_in);
  std::vector<std::byte> file(row_bytes * shape.n_out);
  const std::vector<float> importance(shape.n_in, 1.0F);
  for (int64_t r = 0; r < 16; ++r) {
    for (float& v : row) v = normal(random);
    ggml_quantize_chunk(type, row.data(), file.data() + r * row_bytes, 0, 1, shape.n_in, importance.data());
  }
  for (int64_t r = 16; r < shape.n_out; ++r) {
    std::copy_n(file.data() + (r % 16) * row_bytes, row_bytes, file.data() + r * row_bytes);
  }
  const kernels::PackedMatrix matrix =
      kernels::PackedMatrix::pack(type, shape.n_in, shape.n_out, file.data());
  // Copies, so that small matrices come from memory as they do in a model.
  const int copies = static_cast<int>(std::max<size_t>(1, (size_t{96} << 20) / matrix.bytes()));
  std::vector<kernels::PackedMatrix> matrices;
  for (int i = 0; i < copies; ++i)
    matrices.push_back(kernels::PackedMatrix::pack(type, shape.n_in, shape.n_out, file.data()));

  for (const int64_t columns : columns_to_time) {
    std::vector<float> x(shape.n_in * columns);
    for (float& v : x) v = normal(random);
    std::vector<float> y(shape.n_out * columns);
    const kernels::ActivationLayout layout(matrix.form(), shape.n_in);
    std::vector<std::byte> prepared(layout.column_bytes() * columns + 64);
    std::vector<std::unique_ptr<kernels::ProductParameters>> products;
    for (const kernels::PackedMatrix& m : matrices)
      products.push_back(std::make_unique<kernels::ProductParameters>(m));
    const int used = columns > 64 ? std::min(copies, 2) : copies;
    const double prepare = best_seconds(ceilings.n_threads, 21, [&](int thread) {
      kernels::prepare_activations(products[0]->activations, {.x = x.data(),
                                                              .n_in = shape.n_in,
                                                              .n_columns = columns,
                                                              .column_stride = shape.n_in,
                                                              .prepared = prepared.data(),
                                                              .thread = thread,
                                                              .n_threads = ceilings.n_threads});
    });
    const double seconds = best_seconds(ceilings.n_threads, 15,
                                        [&](int) {
                                          for (int i = 0; i < used; ++i) {
                                            kernels::product(*products[i], {.prepared = prepared.data(),
                                                                            .n_columns = columns,
                                                                            .y = y.data(),
                                                                            .column_stride = shape.n_out,
                                                                            .n_threads = ceilings.n_threads});
                                          }
                                        }) /
                           used;
    const double macs = static_cast<double>(shape.n_in * shape.n_out * columns) / seconds;
    const double bytes = static_cast<double>(matrix.bytes()) / seconds;
    std::printf(
        "%-7s %5ld x %5ld %4ld columns %8.1f us  %6.1f GMAC/s (%4.1f %% of byte, %5.1f %% of float)  %5.1f "
        "GB/s (%5.1f %%)  prepare %.1f us\n",
        ggml_type_name(type), shape.n_in, shape.n_out, columns, seconds * 1e6, macs * 1e-9,
        100 * macs / ceilings.byte_macs, 100 * macs / ceilings.float_macs, bytes * 1e-9,
        100 * bytes / ceilings.read_bytes, prepare * 1e6);
  }
}

struct AttentionCase {
  const char* name;
  int32_t lanes;  // rows: one a lane, or all of one lane where `causal`
  int32_t prompt;
  int32_t generated;  // cells of each lane
  bool coupled;       // lanes see one another
  bool causal = false;
};

// One layer of 12 query heads and 2 KV heads of 128; its time is the mean over layers that have cells of
// their own, so that cells come from memory as they do in a model.
void bench_attention(const AttentionCase& c, const kernels::MachineCeilings& ceilings) {
  const kernels::AttentionShape shape{.n_head = 12,
                                      .n_head_kv = 2,
                                      .head_dim = 128,
                                      .n_rot = 128,
                                      .pairs = core::RopePairs::halves,
                                      .scale = 0.088F};
  auto frequencies = std::make_shared<core::ClassFrequencies>();
  for (int t = 0; t < 64; ++t) frequencies->theta.push_back(1.0 / (t + 1));
  frequencies->omega = frequencies->theta;
  core::AttentionPlan plan;
  double row_cells = 0;
  const auto add = [&](int32_t n_rows, int32_t first_query, int32_t n_lanes) {
    core::AttentionBlock block;
    block.first_row = plan.n_rows;
    block.n_rows = n_rows;
    block.frequencies = frequencies;
    const auto add_cells = [&](int32_t owner, core::CellRun run) {
      block.add_segment(owner, {.runs = {&run, 1}, .length = run.length});
    };
    add_cells(core::prompt_row, {0, c.prompt});
    for (int32_t l = 0; l < n_lanes; ++l)
      add_cells(first_query + l, {c.prompt + (first_query + l) * c.generated, c.generated});
    for (int32_t r = 0; r < n_rows; ++r) {
      const int32_t seen = c.causal ? c.prompt - n_rows + r + 1 : c.prompt;
      block.row_segments.push_back({{0, seen}, {}});
      row_cells += seen;
      for (int32_t l = 0; l < n_lanes; ++l) {
        block.row_segments.push_back({{0, c.generated}, {r - l, 0}});
        row_cells += c.generated;
      }
    }
    plan.n_rows += n_rows;
    plan.blocks.push_back(std::move(block));
  };
  if (c.causal) {
    add(c.lanes, 0, 0);
  } else if (c.coupled) {
    add(c.lanes, 0, c.lanes);
  } else {
    for (int32_t l = 0; l < c.lanes; ++l) add(1, l, 1);
  }
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  constexpr int n_layers = 28;
  const size_t layer_size = 256 * (c.prompt + c.lanes * c.generated);
  std::vector<ggml_fp16_t> keys(layer_size * n_layers);
  for (size_t i = 0; i < layer_size; ++i) keys[i] = ggml_fp32_to_fp16(normal(random));
  for (int l = 1; l < n_layers; ++l) std::copy_n(keys.begin(), layer_size, keys.begin() + l * layer_size);
  const std::vector<ggml_fp16_t> values = keys;
  std::vector<float> q(plan.n_rows * 1536);
  for (float& v : q) v = normal(random);
  std::vector<float> out(q.size());
  kernels::AttentionSchedule work(shape, n_layers);
  work.prepare(plan);
  const double prepare = best_seconds(1, 11, [&](int) { work.prepare(plan); });
  const kernels::LaneAttentionParameters parameters{&work, 0, nullptr};
  const auto view = [&](const std::vector<ggml_fp16_t>& cells, int layer) {
    return kernels::CellView{GGML_TYPE_F16,
                             reinterpret_cast<const std::byte*>(cells.data() + layer * layer_size), 512};
  };
  const auto all_layers = [&](int) {
    for (int l = 0; l < n_layers; ++l) {
      kernels::lane_attention(parameters, {.q = q.data(),
                                           .head_stride = 128,
                                           .row_stride = 1536,
                                           .keys = view(keys, l),
                                           .values = view(values, l),
                                           .out = out.data(),
                                           .n_threads = ceilings.n_threads});
    }
  };
  const double seconds = best_seconds(ceilings.n_threads, c.causal ? 3 : 15, all_layers) / n_layers;
  const double macs = row_cells * 12 * 128 * 2 / seconds;
  std::printf("attention %-38s %8.1f us  %6.1f GMAC/s (%5.1f %% of float)  prepare %.1f us\n", c.name,
              seconds * 1e6, macs * 1e-9, 100 * macs / ceilings.float_macs, prepare * 1e6);
}

}  // namespace
}  // namespace lanerope::bench

int main(int argc, char** argv) {
  using namespace lanerope;
  using namespace lanerope::bench;
  const int n_threads = argc > 1 ? std::atoi(argv[1]) : 2;
  const kernels::MachineCeilings ceilings = kernels::measure_ceilings(n_threads);
  std::printf("%d threads: bytes %.0f GMAC/s, float %.0f GMAC/s, read %.1f GB/s, copy %.1f GB/s\n", n_threads,
              ceilings.byte_macs * 1e-9, ceilings.float_macs * 1e-9, ceilings.read_bytes * 1e-9,
              ceilings.copy_bytes * 1e-9);
  const char* only = argc > 2 ? argv[2] : "";
  if (*only == 0 || std::string_view(only) == "attention") {
    const AttentionCase cases[] = {
        {"N = 1, prompt 512", 1, 512, 64, true},
        {"N = 1, prompt 4096", 1, 4096, 64, true},
        {"N = 4, prompt 512", 4, 512, 64, true},
        {"N = 8, prompt 512", 8, 512, 64, true},
        {"N = 8, prompt 512, independent", 8, 512, 64, false},
        {"N = 8, prompt 512 + 512 each", 8, 512, 512, true},
        {"N = 8, prompt 512 + 512, independent", 8, 512, 512, false},
        {"N = 8, prompt 4096", 8, 4096, 64, true},
        {"N = 16, prompt 512", 16, 512, 64, true},
        {"512 rows of a prompt of 512", 512, 512, 0, true, true},
        {"512 rows of a prompt of 4096", 512, 4096, 0, true, true},
    };
    for (const AttentionCase& c : cases) bench_attention(c, ceilings);
  }
  if (std::string_view(only) == "attention") return 0;
  if (argc > 3) columns_to_time.clear();
  for (int i = 3; i < argc; ++i) columns_to_time.push_back(std::max(1, std::atoi(argv[i])));
  for (const ggml_type type :
       {GGML_TYPE_Q4_K,    GGML_TYPE_Q6_K,   GGML_TYPE_Q5_K,  GGML_TYPE_Q3_K,  GGML_TYPE_Q2_K,
        GGML_TYPE_IQ4_XS,  GGML_TYPE_Q4_0,   GGML_TYPE_Q4_1,  GGML_TYPE_Q5_0,  GGML_TYPE_Q5_1,
        GGML_TYPE_Q8_0,    GGML_TYPE_IQ4_NL, GGML_TYPE_MXFP4, GGML_TYPE_NVFP4, GGML_TYPE_IQ3_S,
        GGML_TYPE_IQ2_XXS, GGML_TYPE_TQ2_0,  GGML_TYPE_F16,   GGML_TYPE_BF16,  GGML_TYPE_F32}) {
    if (*only != 0 && std::string_view(only) != ggml_type_name(type)) continue;
    bench_product(type, {1536, 8960}, ceilings);
    bench_product(type, {8960, 1536}, ceilings);
  }
}
