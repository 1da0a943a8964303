// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace lanerope {

// Names of the devices that ggml found on this machine, "cpu" first.
std::vector<std::string> device_names();

// The same with what their drivers say of them.
struct DeviceInfo {
  std::string name = {};  // for ModelOptions::device
  std::string description = {};
  size_t memory_free = 0;  // bytes; 0 where the driver does not say
  size_t memory_total = 0;
};
std::vector<DeviceInfo> devices();

// Where ggml's back ends lie, for a program that brings its own; else they are where ggml was built to look
// for them. To be said first of all. Throws InvalidRequest where there is no such folder or back ends were
// found already.
void set_back_end_folder(const std::string& folder);

}  // namespace lanerope
