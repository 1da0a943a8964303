// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace lanerope::cli {

// The bundled model, looked for beside the program, where it was installed to, and in a checkout's models/.
// Throws InvalidRequest where there is none.
std::string default_model_file();

// Adapters that come with lanerope, for models that people download: "lanes:NAME" names one.
inline constexpr std::string_view bundled_adapter_prefix = "lanes:";
// The file of the adapter of that name, without the prefix, looked for in the same places. Throws
// InvalidRequest with the names that there are.
std::string bundled_adapter_file(std::string_view name);
// The name of the adapter that was trained for exactly this model's file, or nothing. Reads the file where
// its size is that of such a model and its digest is not known yet.
std::string bundled_adapter_for(const std::string& model_file);

}  // namespace lanerope::cli
