// SPDX-License-Identifier: Apache-2.0
#include "kernels/rotation_table.h"

#include <algorithm>
#include <cmath>

namespace lanerope::kernels {
namespace {

// One layer's share of a table.
void fill_layer(float* values, std::span<const double> theta, std::span<const double> omega,
                std::span<const core::Offset> offsets) {
  const size_t width = offsets.size();
  for (size_t t = 0; t < theta.size(); ++t) {
    float* cosine = values + 2 * t * width;
    float* sine = cosine + width;
    for (size_t query = 0; query < width; ++query) {
      if (query > 0 && offsets[query] == offsets[query - 1]) {
        cosine[query] = cosine[query - 1];
        sine[query] = sine[query - 1];
        continue;
      }
      // In double, whose cos and sin reduce the angle exactly: a product of a stride may be many revolutions.
      const double phi = offsets[query].lanes * omega[t] + offsets[query].tokens * theta[t];
      cosine[query] = static_cast<float>(std::cos(phi));
      sine[query] = static_cast<float>(std::sin(phi));
    }
  }
}

}  // namespace

const RotationTable* RotationTables::find(const std::shared_ptr<const core::ClassFrequencies>& frequencies,
                                          std::span<const core::Offset> offsets) {
  if (std::ranges::all_of(offsets, &core::Offset::none)) return nullptr;
  Key key{frequencies, {}};
  key.offsets.reserve(2 * offsets.size());
  for (const core::Offset& t : offsets) key.offsets.insert(key.offsets.end(), {t.lanes, t.tokens});
  std::unique_ptr<RotationTable>& table = tables_[std::move(key)];
  if (table == nullptr) {
    const size_t pairs = frequencies->theta.size();
    const bool by_layer = frequencies->omega.size() > pairs &&
                          std::ranges::any_of(offsets, [](const core::Offset& t) { return t.lanes != 0; });
    table = std::make_unique<RotationTable>();
    table->layers = by_layer ? n_layer_ : 1;
    table->layer_size = 2 * pairs * offsets.size();
    table->values.resize(table->layers * table->layer_size);
    for (int32_t layer = 0; layer < table->layers; ++layer) {
      fill_layer(table->values.data() + layer * table->layer_size, frequencies->theta,
                 frequencies->omega_of_layer(layer), offsets);
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

}  // namespace lanerope::kernels
