// SPDX-License-Identifier: Apache-2.0
#include "kernels/rotation_table.h"

#include <algorithm>
#include <cmath>

namespace lanerope {
namespace {

// One layer's share of a table.
void fill_layer(float* values, std::span<const double> theta, std::span<const double> omega,
                std::span<const Turns> turns) {
  const size_t width = turns.size();
  for (size_t t = 0; t < theta.size(); ++t) {
    float* cosine = values + 2 * t * width;
    float* sine = cosine + width;
    for (size_t lane = 0; lane < width; ++lane) {
      if (lane > 0 && turns[lane] == turns[lane - 1]) {
        cosine[lane] = cosine[lane - 1];
        sine[lane] = sine[lane - 1];
        continue;
      }
      // In double, whose cos and sin reduce the angle exactly: a product of a stride may be many turns.
      const double phi = turns[lane].lane * omega[t] + turns[lane].token * theta[t];
      cosine[lane] = static_cast<float>(std::cos(phi));
      sine[lane] = static_cast<float>(std::sin(phi));
    }
  }
}

}  // namespace

const RotationTable* RotationTables::find(const std::shared_ptr<const LaneFrequencies>& frequencies,
                                          std::span<const Turns> turns) {
  if (std::ranges::all_of(turns, &Turns::none)) return nullptr;
  Key key{frequencies, {}};
  key.turns.reserve(2 * turns.size());
  for (const Turns& t : turns) key.turns.insert(key.turns.end(), {t.lane, t.token});
  std::unique_ptr<RotationTable>& table = tables_[std::move(key)];
  if (table == nullptr) {
    const size_t pairs = frequencies->theta.size();
    const bool by_layer = frequencies->omega.size() > pairs &&
                          std::ranges::any_of(turns, [](const Turns& t) { return t.lane != 0; });
    table = std::make_unique<RotationTable>();
    table->layers = by_layer ? n_layer_ : 1;
    table->layer_size = 2 * pairs * turns.size();
    table->values.resize(table->layers * table->layer_size);
    for (int32_t layer = 0; layer < table->layers; ++layer) {
      fill_layer(table->values.data() + layer * table->layer_size, frequencies->theta,
                 frequencies->omega_of_layer(layer), turns);
    }
  }
  table->last_used = step_;
  return table.get();
}

void RotationTables::next_step() {
  constexpr uint64_t kept_steps = 4;
  ++step_;
  std::erase_if(tables_, [&](const auto& entry) { return entry.second->last_used + kept_steps < step_; });
}

}  // namespace lanerope
