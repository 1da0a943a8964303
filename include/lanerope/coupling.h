// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lanerope/names.h"

namespace lanerope {

// How lanes see one another. Couplings differ only in the extra rotation phi(m, n) of a query of lane m
// against the keys of segment n, and in the range of that segment that lane m may see (docs/couplings.md has
// the table).
enum class CouplingKind {
  independent,  // best-of-N: lanes see the prompt and themselves
  lanerope,     // phi = omega * (m - n)
  groupthink,   // phi = stride * theta * (m - n)
  hogwild,      // every lane sees [prompt, other lanes in order, itself] as one contiguous text
  // Lanes attend as independent ones do, and those at the same step exchange their hidden states in blocks
  // that were trained for that (docs/couplings.md, Bridge).
  bridge,
};

// Whether attention of one lane goes to the cells of others, as visibility, window and topology say.
constexpr bool sees_other_lanes(CouplingKind kind) {
  return kind != CouplingKind::independent && kind != CouplingKind::bridge;
}

// Where the vector omega of CouplingKind::lanerope starts from (or stays, when it is not trained).
enum class OmegaInit {
  rope,          // omega = 0: lanes are told apart by content alone
  gt,            // omega = stride * theta
  ntk,           // gt with the base changed so that the slowest pair rotates by stride / s tokens per lane
  ntk_by_parts,  // gt for pairs that rotate often within the trained context, 0 for slow ones, a ramp between
  given,         // Coupling::omega
};

// Which cells of other lanes a query at step s sees.
enum class Visibility {
  inclusive,    // step <= s
  strict,       // step < s
  interleaved,  // <= s of lanes before it, < s of lanes after it: a causal kernel over step-major tokens
};

// Which other lanes a lane sees at all.
enum class Topology {
  all,
  ring,  // the lanes before and after it, modulo N
  tree,  // its parent (m - 1) / 2 and its children 2m + 1, 2m + 2
  // Lanes [0, b), [b, 2b), ... are blocks, whose lanes see one another; the first lane of each block is its
  // speaker, and speakers see one another too. b is Coupling::block.
  blocks,
};

// What becomes of lanes that are further apart than those of any group that omega was trained with, of which
// the largest had T = Coupling::trained_lanes: what omega is multiplied with in place of m - n.
enum class FarLanes {
  extrapolated,  // m - n all the same
  clamped,       // the largest distance that was trained, T - 1
  wrapped,       // distances behind T - 1 begin again at 1
  interpolated,  // all distances shrink by (T - 1) / (N - 1), so that the longest is T - 1
};

// From which of its own tokens on a lane sees others. A lane's hand-over is the first token of its text that
// is a wait or a ready token (lanerope/sleep.h): with hand_over a lane does its own work unseeing, and reads
// when it has something to give or nothing left to do.
//
//    lane 0   Problem 1 ... Answer 1: 72 [ready] \n [wait] #### (72, 10)
//             sees itself and the prompt | sees lane 1 too
//
enum class SeesFrom { start, hand_over };

// GroupThink as published lets the prompt be one shared copy at virtual lane 0.
enum class PromptLane {
  own,    // the prompt is in every lane: phi(m, prompt) = 0
  first,  // the prompt is in lane 0: phi(m, prompt) = phi(m, 0)
};

// A coupling in full: plain values, checked by Engine::submit and Engine::score, which throw InvalidRequest.
struct Coupling {
  CouplingKind kind = CouplingKind::lanerope;
  OmegaInit init = OmegaInit::rope;
  // K of gt, ntk, ntk-by-parts and groupthink, in tokens; 0 means the lane budget.
  int32_t stride = 0;
  // With OmegaInit::given: [d / 2] for all layers, or [d / 2, n_layer], layer after layer, d being the
  // rotated part of a head. Radians a lane. Empty with any other init.
  std::vector<float> omega = {};
  Visibility visibility = Visibility::inclusive;
  Topology topology = Topology::all;
  // Of each other lane only the last `window` visible cells, that is tokens, are seen; 0 means all.
  int32_t window = 0;
  SeesFrom sees_from = SeesFrom::start;
  PromptLane prompt_lane = PromptLane::own;
  int32_t block = 8;  // lanes of a block, with Topology::blocks
  FarLanes far_lanes = FarLanes::extrapolated;
  int32_t trained_lanes = 0;  // T of FarLanes, at least 2; not read where lanes are extrapolated
};

// What a caller says of a coupling. What is unset is as the model or the adapter was trained, or as in
// Coupling{}.
struct CouplingChoice {
  std::optional<CouplingKind> kind = {};
  std::optional<OmegaInit> init = {};  // in place of the omega that was trained
  std::vector<float> omega = {};       // not empty: OmegaInit::given, with these values
  std::optional<int32_t> stride = {};
  std::optional<Visibility> visibility = {};
  std::optional<Topology> topology = {};
  std::optional<int32_t> window = {};
  std::optional<SeesFrom> sees_from = {};
  std::optional<PromptLane> prompt_lane = {};
  std::optional<int32_t> block = {};
  std::optional<FarLanes> far_lanes = {};
  std::optional<int32_t> trained_lanes =
      {};              // unset: the most that the model or the adapter was trained with
  bool force = false;  // also with another visibility than the adapter was trained with
};

// The choice that leaves nothing open.
CouplingChoice exactly(const Coupling& coupling);

// "lanerope, omega gt, stride 256, window 64": everything that is not the default.
std::string describe(const Coupling& coupling);

// The names of each enum, as names.h says.
template <>
std::span<const Named<CouplingKind>> names();
template <>
std::span<const Named<OmegaInit>> names();
template <>
std::span<const Named<Visibility>> names();
template <>
std::span<const Named<Topology>> names();
template <>
std::span<const Named<SeesFrom>> names();
template <>
std::span<const Named<PromptLane>> names();
template <>
std::span<const Named<FarLanes>> names();

}  // namespace lanerope
