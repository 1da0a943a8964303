// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "lanerope/model.h"
#include "lanerope/request.h"
#include "lanerope/resolve.h"
#include "lanerope/result.h"

namespace lanerope::cli {

// What a view says about the group that it shows.
struct ViewContext {
  std::string model;
  std::string coupling;
  int32_t lanes = 1;
  int32_t budget = 0;
  int32_t prompt_tokens = 0;
  uint64_t seed = 0;
  SelectionKind selection = SelectionKind::none;
  int32_t then_budget = 0;  // of a second stage; 0: there is none
};

ViewContext view_context(const ResolvedRequest& request, const Model& model);

// Shows a group while it runs. Called by one thread, with every event of the group in order; the last one is
// group_finished, after which the view has shown the answer and is of no more use.
class View {
 public:
  View() = default;
  virtual ~View() = default;
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  virtual void show(const Event& event) = 0;
  virtual void between_steps() {}  // a moment to draw without slowing down a step
};

enum class ViewKind {
  live,    // columns in a terminal
  plain,   // lines, each with its lane's number
  json,    // one JSON line an event
  answer,  // the selected text and nothing else
};

std::unique_ptr<View> make_view(ViewKind kind, const ViewContext& context);
std::unique_ptr<View> make_live_view(const ViewContext& context);   // live_view.cpp
std::unique_ptr<View> make_plain_view(const ViewContext& context);  // plain_view.cpp

}  // namespace lanerope::cli
