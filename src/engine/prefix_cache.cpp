// SPDX-License-Identifier: Apache-2.0
#include "engine/prefix_cache.h"

#include <algorithm>

namespace lanerope::engine {

namespace {

// A shorter shared beginning (a begin token, a template's first words) is not worth a segment of its own.
constexpr int32_t least_worth_sharing = 16;

}  // namespace

std::vector<core::CellRun> CachedPrompt::runs() const {
  std::vector<core::CellRun> runs;
  for (const Part& part : parts) runs.push_back({.cell = part.page->first_cell(), .length = part.length});
  return runs;
}

int32_t CachedPrompt::cell_of(int32_t token) const {
  for (const Part& part : parts) {
    if (token < part.length) return part.page->first_cell() + token;
    token -= part.length;
  }
  return -1;
}

int32_t PrefixCache::Match::n_pages() const {
  int32_t pages = 0;
  for (int32_t token = 0; token < length; ++pages) token += prompt->parts[pages].length;
  return pages;
}

PrefixCache::Match PrefixCache::longest_match(std::span<const TokenId> tokens,
                                              const std::vector<float>& adapter_scales) {
  Match best;
  if (!options_.share) return best;
  const auto consider = [&](const std::shared_ptr<CachedPrompt>& prompt) {
    if (prompt == nullptr || prompt->abandoned || prompt->adapter_scales != adapter_scales) return;
    const auto end = std::ranges::mismatch(prompt->tokens, tokens).in2;
    const auto length = std::min<int32_t>(static_cast<int32_t>(end - tokens.begin()),
                                          static_cast<int32_t>(tokens.size()) - 1);
    if (length > best.length) best = {.prompt = prompt, .length = length};
  };
  std::erase_if(in_use_, [](const auto& weak) { return weak.expired(); });
  for (const auto& weak : in_use_) consider(weak.lock());
  for (const auto& prompt : kept_) consider(prompt);
  const bool all_but_last = best.length + 1 == static_cast<int32_t>(tokens.size());
  if (best.length < least_worth_sharing && !all_but_last) return {};
  return best;
}

std::shared_ptr<CachedPrompt> PrefixCache::place(const Place& wanted) {
  const auto n_tokens = static_cast<int32_t>(wanted.tokens.size());
  Match match = wanted.share ? longest_match(wanted.tokens, wanted.adapter_scales) : Match{};
  if (match.n_pages() + pages_of(n_tokens - match.length) + wanted.beside > allocator_.n_pages()) match = {};
  if (match.prompt != nullptr) {
    const auto kept = std::ranges::find(kept_, match.prompt);
    if (kept != kept_.end()) kept_.splice(kept_.begin(), kept_, kept);
  }
  const int32_t n_own = pages_of(n_tokens - match.length);
  if (!make_free(n_own + wanted.spare)) return nullptr;

  auto prompt = std::make_shared<CachedPrompt>();
  prompt->tokens.assign(wanted.tokens.begin(), wanted.tokens.end());
  prompt->adapter_scales = wanted.adapter_scales;
  prompt->shared = match.length;
  prompt->read = match.length;
  int32_t rest = match.length;
  if (match.prompt != nullptr) {
    if (match.prompt->ready() < match.length) prompt->source = match.prompt;
    for (const CachedPrompt::Part& part : match.prompt->parts) {
      const int32_t length = std::min(rest, part.length);
      if (length > 0) prompt->parts.push_back({.page = part.page, .length = length});
      rest -= length;
    }
  }
  rest = n_tokens - match.length;
  for (const PageRef& page : pages(n_own)) {
    prompt->parts.push_back({.page = page, .length = std::min(rest, page_cells)});
    rest -= prompt->parts.back().length;
  }
  count(*prompt, &Page::in_use, 1);
  in_use_.push_back(prompt);
  return prompt;
}

bool PrefixCache::make_free(int32_t pages) {
  while (allocator_.n_free() < pages) {
    if (!evict_one()) return false;
  }
  return true;
}

PageRef PrefixCache::page_behind(std::span<const PageRef> pages) {
  if (!make_free(1)) return nullptr;
  const int32_t behind = pages.empty() ? core::PageAllocator::nowhere : pages.back()->index;
  return std::make_shared<Page>(allocator_, *allocator_.allocate(behind));
}

std::vector<PageRef> PrefixCache::pages(int32_t n) {
  std::vector<PageRef> pages;
  const auto first = n > 0 ? allocator_.allocate_row(n) : std::nullopt;
  for (int32_t i = 0; i < n; ++i)
    pages.push_back(first ? std::make_shared<Page>(allocator_, *first + i) : page_behind(pages));
  return pages;
}

void PrefixCache::count(const CachedPrompt& prompt, int32_t Page::* as, int32_t change) {
  for (const CachedPrompt::Part& part : prompt.parts) {
    Page& page = *part.page;
    const auto only_kept = [&page] { return page.in_use == 0 && page.kept > 0 ? 1 : 0; };
    pages_kept_ -= only_kept();
    page.*as += change;
    pages_kept_ += only_kept();
  }
}

bool PrefixCache::evict_one() {
  if (kept_.empty()) return false;
  count(*kept_.back(), &Page::kept, -1);
  kept_.pop_back();
  return true;
}

void PrefixCache::let_go(std::shared_ptr<CachedPrompt> prompt) {
  prompt->read = prompt->ready();
  const bool whole = prompt->read == static_cast<int32_t>(prompt->tokens.size());
  if (!whole) prompt->abandoned = true;
  prompt->source = nullptr;
  count(*prompt, &Page::in_use, -1);
  if (!whole || !options_.keep || !options_.share) return;
  // A prompt that another one holds entirely is of no more use.
  std::erase_if(kept_, [&](const auto& other) {
    const bool same = other->adapter_scales == prompt->adapter_scales && other->tokens == prompt->tokens;
    if (same) count(*other, &Page::kept, -1);
    return same;
  });
  count(*prompt, &Page::kept, 1);
  kept_.push_front(std::move(prompt));
}

}  // namespace lanerope::engine
