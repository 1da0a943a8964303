// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <vector>

#include "core/attention_plan.h"
#include "core/page_allocator.h"
#include "lanerope/page.h"
#include "lanerope/token.h"

namespace lanerope::engine {

// A page of the KV pool that gives itself back when its last user lets go. The allocator must outlive it.
class Page {
 public:
  Page(core::PageAllocator& allocator, int32_t number) : index(number), allocator_(allocator) {}
  ~Page() { allocator_.release(index); }
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  int32_t first_cell() const { return index * page_cells; }

  const int32_t index;
  // Prompts in use, and prompts that are kept, which lie in it: PrefixCache counts them.
  int32_t in_use = 0;
  int32_t kept = 0;

 private:
  core::PageAllocator& allocator_;
};
using PageRef = std::shared_ptr<Page>;

// A prompt in the KV cells. It may begin with pages of another prompt that starts with the same tokens:
//
//   prompt A  [ s s s s ][ s s a a ][ a . . . ]          (pages of four cells)
//   prompt B  [ s s s s ][ s s|                A's first six cells,
//                         [ b b b b ][ b . . . ]         and pages of its own
struct CachedPrompt {
  struct Part {
    PageRef page;
    int32_t length = 0;  // of its first cells
  };
  std::vector<TokenId> tokens;
  std::vector<float> adapter_scales;  // in force while it was read
  std::vector<Part> parts;
  int32_t read = 0;                      // tokens whose keys and values are in the cells
  std::shared_ptr<CachedPrompt> source;  // whose cells it begins with, while they are still being read
  int32_t shared = 0;                    // tokens that it begins with of another prompt
  bool abandoned = false;                // nobody will read it to its end

  std::vector<core::CellRun> runs() const;
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
  PrefixCache(core::PageAllocator& allocator, Options options) : allocator_(allocator), options_(options) {}

  struct Place {
    std::span<const TokenId> tokens = {};
    const std::vector<float>& adapter_scales;
    bool share = true;   // else it has cells of its own for all of it, for who wants logits all along
    int32_t spare = 0;   // pages that must be free besides
    int32_t beside = 0;  // pages that its group may come to need besides
  };
  // Finds room for a prompt, on top of the longest stored prefix. Its last token is always its own, since its
  // logits are wanted. Where it begins inside of another one's page it takes a page more; where its group
  // would not fit into the pool with that, it shares nothing. Evicts kept prompts, least recently used first,
  // as far as needed; nullptr if that does not help.
  std::shared_ptr<CachedPrompt> place(const Place& wanted);

  // Sees that so many pages are free, evicting kept prompts as far as needed.
  bool make_free(int32_t pages);
  // A page for a segment that has these already, as PageAllocator has them, evicting likewise; nullptr where
  // there is none.
  PageRef page_behind(std::span<const PageRef> pages);
  // Pages that are known to be free, in a row where there is one.
  std::vector<PageRef> pages(int32_t n);

  // The caller no longer needs the prompt that place() gave; it is kept if it was read and there is a use in
  // keeping it.
  void let_go(std::shared_ptr<CachedPrompt> prompt);

  int32_t cells_kept() const { return pages_kept_ * page_cells; }  // free for the taking

 private:
  struct Match {
    std::shared_ptr<CachedPrompt> prompt;
    int32_t length = 0;
    int32_t n_pages() const;  // in which that much of it lies
  };
  Match longest_match(std::span<const TokenId> tokens, const std::vector<float>& adapter_scales);
  bool evict_one();
  void count(const CachedPrompt& prompt, int32_t Page::* as, int32_t change);

  core::PageAllocator& allocator_;
  Options options_;
  std::list<std::weak_ptr<CachedPrompt>> in_use_;
  std::list<std::shared_ptr<CachedPrompt>> kept_;  // most recently used first
  int32_t pages_kept_ = 0;                         // in which no prompt lies that is in use
};

}  // namespace lanerope::engine
