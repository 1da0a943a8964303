// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "lanerope/policy.h"
#include "lanerope/resolve.h"

namespace lanerope::engine {

// The settings of a policy that was resolved: each is there.
class PolicySettings {
 public:
  explicit PolicySettings(const PolicyChoice& resolved) : choice_(resolved) {}
  int32_t whole(std::string_view name) const { return static_cast<int32_t>(number(name)); }
  double number(std::string_view name) const;
  const std::string& text(std::string_view name) const;

 private:
  const PolicyChoice& choice_;
};

// Lanes that a policy may come to add. Of choices that resolve_policy() gave, as the next one.
int32_t lanes_added_by(const PolicyChoice& resolved);
std::unique_ptr<Policy> make_policy(const PolicyChoice& resolved, const ResolvedRequest& request);

}  // namespace lanerope::engine
