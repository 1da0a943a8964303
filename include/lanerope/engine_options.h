// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "lanerope/names.h"
#include "lanerope/page.h"
#include "lanerope/step_watch.h"

namespace lanerope {

// How keys and values are stored. f32 is to measure exactness: plain ggml operations compute it, and
// BackEnd::kernels, asked for, refuses it. q8_0 (8 bits, one scale for 32 numbers) needs heads of a multiple
// of 32; Engine's constructor throws InvalidRequest otherwise.
enum class KvType { f16, f32, q8_0 };
template <>
std::span<const Named<KvType>> names();

struct EngineOptions {
  // Cells in all, for every group together, at least 2, rounded up to whole pages (page.h); a cell holds one
  // token's keys and values of all layers. Their memory is taken at once.
  int32_t kv_cells = 8192;
  // Pages for the whole budget of every lane are taken before a group starts, so that it is never put back.
  // Else lanes take pages as they grow, more groups run at once, and where pages run out the youngest group
  // is put back into the queue, to go on from what it has later: to the same text on the kernels' back end
  // (docs/architecture.md).
  bool reserve_budgets = false;
  // Tokens in one step, at least 1: a longer prompt is read in chunks. Live lanes are fed in any case.
  int32_t batch_rows = 512;
  // Seconds that a step in which lanes write may take: beside them prompts are read in pieces that small, of
  // 16 tokens at least. 0: no bound.
  double longest_step = 0;
  KvType kv_type = KvType::f16;
  bool keep_prefixes = true;  // prompts that ended stay in free cells for requests that begin alike
  // Prompts that begin alike share cells. Without it every prompt is read in full. On the kernels' back end
  // the text of a seeded lane is the same either way, to the last bit (docs/architecture.md, Determinism).
  bool share_prefixes = true;
  // Times each operation, for Engine::take_profile. On the CPU alone; every operation is run on its own then,
  // which costs some microseconds each.
  bool profile = false;
  // Called at each point of a step for each group, where there is one; outlives the engine. What it throws
  // ends that group, as any error there does. For tests and for limits of one's own.
  StepWatch* watch = nullptr;
};

}  // namespace lanerope
