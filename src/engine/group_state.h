// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace lanerope::engine {

// How far a group has come.
enum class GroupState {
  queued,     // waits for cells, for the first time or since it was put back
  prefill,    // its prompt is being read
  refill,     // it was put back, and what its lanes had written is being read
  decode,     // its lanes write
  selecting,  // its lanes have ended and the answer is being chosen
  finished,   // or failed
};

}  // namespace lanerope::engine
