// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace lanerope {

// How far the fetch of one file is.
struct HubProgress {
  std::string file = {};  // its name, without folders
  uint64_t done = 0;      // bytes
  std::optional<uint64_t> total = {};
  bool complete = false;  // the last call for this file
};

// How the model hub is asked. What is not said here the environment says (docs/models.md).
struct HubOptions {
  std::string token = {};  // empty: HF_TOKEN, or the file of the hub's tools
  bool offline = false;    // nothing is fetched; what the cache has is taken
  // Called on the thread that fetches; any may be empty.
  std::function<void(const HubProgress&)> progress = {};  // some times a second
  std::function<void(const std::string&)> note = {};      // a line for a person
  std::function<bool()> stopped = {};                     // asked often; true ends the fetch with SystemError
};

// Whether a name stands for something on the hub: "hf:user/repo".
bool names_hub(std::string_view name);

// The file of a model "hf:user/repo[:quant]", of a split one the first shard, or of an adapter
// "hf:user/repo[:file]", fetched where it is not in the cache; a name that stands for nothing on the hub
// comes back as it is. Throws InvalidRequest (no such repository or file, not let in), BadFile (wrong digest)
// or SystemError (network, disk). These two are in the target lanerope::hub, which needs libcurl and OpenSSL.
std::string hub_model(const std::string& name, const HubOptions& options = {});
std::string hub_adapter(const std::string& name, const HubOptions& options = {});

}  // namespace lanerope
