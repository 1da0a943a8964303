// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <vector>

#include "core/attention_plan.h"
#include "core/cell_allocator.h"
#include "lanerope/token.h"

namespace lanerope::engine {

// A run of cells that gives itself back to the allocator when its last user lets go. The allocator must
// outlive it.
class OwnedCells {
 public:
  OwnedCells(core::CellAllocator& allocator, core::SegmentView run)
      : first(run.cell), length(run.length), allocator_(allocator) {}
  ~OwnedCells() { allocator_.release(first, length); }
  OwnedCells(const OwnedCells&) = delete;
  OwnedCells& operator=(const OwnedCells&) = delete;

  const int32_t first;
  const int32_t length;

 private:
  core::CellAllocator& allocator_;
};

// A prompt in the KV cells. It may begin with cells of another prompt that starts with the same tokens:
//
//   prompt A  [ s s s s s s a a a ]          one run of cells
//   prompt B  [ s s s s s s ][ b b b b ]     A's first six, and a run of its own
struct CachedPrompt {
  struct Part {
    std::shared_ptr<const OwnedCells> cells;
    int32_t length = 0;  // of its first cells
  };
  std::vector<TokenId> tokens;
  std::vector<float> adapter_scales;  // in force while it was read
  std::vector<Part> parts;
  int32_t read = 0;                      // tokens whose keys and values are in the cells
  std::shared_ptr<CachedPrompt> source;  // whose cells it begins with, while they are still being read
  int32_t shared = 0;                    // tokens that it begins with of another prompt
  bool abandoned = false;                // nobody will read it to its end

  std::vector<core::SegmentView> segments() const;
  int32_t cell_of(int32_t token) const;  // the cell of its token number `token`
  // Tokens whose keys and values are in the cells, where `read` counts those that its source has still to
  // read.
  int32_t ready() const { return source == nullptr ? read : std::min(read, source->ready()); }
};

// All prompts in the cells: those in use, and those kept for requests that begin alike.
class PrefixCache {
 public:
  struct Options {
    bool keep = true;   // prompts that ended
    bool share = true;  // cells of prompts that begin alike
  };
  PrefixCache(core::CellAllocator& allocator, Options options) : allocator_(allocator), options_(options) {}

  // Finds room for a prompt, on top of the longest stored prefix. Its last token is always its own, since its
  // logits are wanted. Evicts kept prompts, least recently used first, as far as needed; nullptr if that does
  // not help. A prompt that does not `share` has cells of its own for all of it, for who wants logits all
  // along.
  std::shared_ptr<CachedPrompt> place(std::span<const TokenId> tokens,
                                      const std::vector<float>& adapter_scales, bool share = true);

  // A run of cells, evicting kept prompts as far as needed.
  std::shared_ptr<const OwnedCells> allocate(int32_t length);

  // The caller no longer needs the prompt; it is kept if it was read and there is a use in keeping it.
  void let_go(std::shared_ptr<CachedPrompt> prompt);

  int32_t cells_kept() const;  // free for the taking

 private:
  struct Match {
    std::shared_ptr<CachedPrompt> prompt;
    int32_t length = 0;
  };
  Match longest_match(std::span<const TokenId> tokens, const std::vector<float>& adapter_scales);
  bool evict_one();

  core::CellAllocator& allocator_;
  Options options_;
  std::list<std::weak_ptr<CachedPrompt>> in_use_;
  std::list<std::shared_ptr<CachedPrompt>> kept_;  // most recently used first
};

}  // namespace lanerope::engine
