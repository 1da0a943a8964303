// SPDX-License-Identifier: Apache-2.0
#include "eval/reliability.h"

#include <algorithm>
#include <cmath>

namespace lanerope::eval {

Reliability reliability_of(std::span<const Claim> claims) {
  constexpr size_t n_bins = 10;
  std::vector<ReliabilityBin> bins(n_bins);
  for (const Claim& claim : claims) {
    const auto index = std::min(n_bins - 1, static_cast<size_t>(std::max(claim.confidence, 0.0) * n_bins));
    bins[index].confidence += claim.confidence;
    bins[index].right += claim.right;
    ++bins[index].count;
  }
  std::erase_if(bins, [](const ReliabilityBin& bin) { return bin.count == 0; });
  Reliability reliability;
  for (ReliabilityBin& bin : bins) {
    const auto count = static_cast<double>(bin.count);
    bin.confidence /= count;
    bin.right /= count;
    reliability.error += std::abs(bin.confidence - bin.right) * count / static_cast<double>(claims.size());
  }
  reliability.bins = std::move(bins);
  return reliability;
}

}  // namespace lanerope::eval
