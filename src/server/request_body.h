// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <httplib.h>

#include <cstddef>
#include <functional>
#include <string>

namespace lanerope::server {

// Calls `handle` with requests to POST `path` (a pattern of cpp-httplib's) once their body has been read: as
// JSON whatever its type is called (curl -d names it a form), unpacked where it was compressed, and never
// more than `most` bytes of it in memory. Larger ones are 413, broken ones 400.
void add_post(httplib::Server& http, const std::string& path, size_t most, httplib::Server::Handler handle);

}  // namespace lanerope::server
