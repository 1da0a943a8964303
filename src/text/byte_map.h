// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace lanerope::text {

// Byte-level BPE writes each byte of a token as one printable character: the printable ones of Latin-1 as
// themselves, the 68 others as U+0100 and up, in order. So "\n" is U+010A and " " is U+0120. Source: the
// GPT-2 tokenizer (Radford et al. 2019).
//
// The bytes of a text so written. Characters outside the map, which some vocabularies have, stay as they are.
std::string unmap_bytes(std::string_view text);

// The other way: any bytes as such characters.
std::string map_bytes(std::string_view bytes);

}  // namespace lanerope::text
