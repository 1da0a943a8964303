// SPDX-License-Identifier: Apache-2.0
#include "kernels/ceilings.h"

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/ceilings.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as it wants.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lanerope::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

const hn::CappedTag<float, 16> df;
const hn::RebindToSigned<decltype(df)> di32;
const hn::Repartition<int8_t, decltype(df)> di8;
const hn::Repartition<uint8_t, decltype(df)> du8;

// Returns the multiply-adds done; `values` [64] keeps the compiler from knowing them.
int64_t run_byte_macs(int rounds, uint8_t* values) {
  const auto w = hn::LoadU(du8, values);
  const auto x = hn::BitCast(di8, w);
  hn::Vec<decltype(di32)> sum[10];
  for (auto& s : sum) s = hn::Zero(di32);
  for (int r = 0; r < rounds; ++r) {
    for (auto& s : sum) s = hn::SumOfMulQuadAccumulate(di32, w, x, s);
  }
  for (int i = 1; i < 10; ++i) sum[0] = hn::Xor(sum[0], sum[i]);
  hn::StoreU(hn::BitCast(du8, sum[0]), du8, values);
  return int64_t{rounds} * 10 * static_cast<int64_t>(hn::Lanes(du8));
}

int64_t run_float_macs(int rounds, uint8_t* values) {
  const auto w = hn::BitCast(df, hn::LoadU(du8, values));
  hn::Vec<decltype(df)> sum[10];
  for (auto& s : sum) s = w;
  for (int r = 0; r < rounds; ++r) {
    for (auto& s : sum) s = hn::MulAdd(w, w, s);
  }
  for (int i = 1; i < 10; ++i) sum[0] = hn::Add(sum[0], sum[i]);
  hn::StoreU(hn::BitCast(du8, sum[0]), du8, values);
  return int64_t{rounds} * 10 * static_cast<int64_t>(hn::Lanes(df));
}

void read_all(const uint8_t* from, size_t bytes, uint8_t* values) {
  auto a = hn::Zero(du8);
  auto b = a;
  const size_t step = hn::Lanes(du8);
  for (size_t i = 0; i + 2 * step <= bytes; i += 2 * step) {
    a = hn::Xor(a, hn::LoadU(du8, from + i));
    b = hn::Xor(b, hn::LoadU(du8, from + i + step));
  }
  hn::StoreU(hn::Xor(a, b), du8, values);
}

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lanerope::kernels {

HWY_EXPORT(run_byte_macs);
HWY_EXPORT(run_float_macs);
HWY_EXPORT(read_all);

namespace {

// The best of several runs of `work(thread)` on all threads at once, in seconds.
double best_seconds(int n_threads, const std::function<void(int)>& work) {
  constexpr int runs = 7;
  double best = 1e30;
  std::barrier barrier(n_threads);
  const auto loop = [&](int thread) {
    for (int r = 0; r < runs; ++r) {
      barrier.arrive_and_wait();
      const auto start = std::chrono::steady_clock::now();
      work(thread);
      barrier.arrive_and_wait();
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      if (thread == 0) best = std::min(best, took.count());
    }
  };
  std::vector<std::thread> others;
  for (int t = 1; t < n_threads; ++t) others.emplace_back(loop, t);
  loop(0);
  for (std::thread& other : others) other.join();
  return best;
}

}  // namespace

MachineCeilings measure_ceilings(int n_threads) {
  MachineCeilings ceilings{.n_threads = n_threads};
  std::vector<std::vector<uint8_t>> values(n_threads, std::vector<uint8_t>(256));
  int64_t macs = 0;
  double seconds = best_seconds(n_threads, [&](int thread) {
    const int64_t done = HWY_DYNAMIC_DISPATCH(run_byte_macs)(2000000, values[thread].data());
    if (thread == 0) macs = done;
  });
  ceilings.byte_macs = static_cast<double>(macs) * n_threads / seconds;
  seconds = best_seconds(n_threads, [&](int thread) {
    const int64_t done = HWY_DYNAMIC_DISPATCH(run_float_macs)(2000000, values[thread].data());
    if (thread == 0) macs = done;
  });
  ceilings.float_macs = static_cast<double>(macs) * n_threads / seconds;

  const size_t half = size_t{128} << 20;
  std::vector<uint8_t> memory(2 * half, 1);
  const size_t share = 2 * half / n_threads;
  seconds = best_seconds(n_threads, [&](int thread) {
    HWY_DYNAMIC_DISPATCH(read_all)(memory.data() + thread * share, share, values[thread].data());
  });
  ceilings.read_bytes = static_cast<double>(share) * n_threads / seconds;
  seconds = best_seconds(n_threads, [&](int thread) {
    std::memcpy(memory.data() + thread * (share / 2), memory.data() + half + thread * (share / 2), share / 2);
  });
  ceilings.copy_bytes = 2.0 * static_cast<double>(share / 2) * n_threads / seconds;
  return ceilings;
}

}  // namespace lanerope::kernels
#endif
