// SPDX-License-Identifier: Apache-2.0
#include "cli/view.h"

#include <filesystem>

#include "cli/event_json.h"
#include "cli/output.h"
#include "cli/summary.h"

namespace lanerope::cli {

namespace {

class JsonView : public View {
 public:
  explicit JsonView(const ViewContext& context) : context_(context) {}

  void show(const Event& event) override {
    nlohmann::ordered_json line = to_json(event);
    if (line.contains("result")) {
      line["result"]["selection"] = name(context_.selection);
      line["result"]["coupling"] = context_.coupling;
      line["result"]["seed"] = context_.seed;
    }
    print_json_line(line);
  }

 private:
  ViewContext context_;
};

class AnswerView : public View {
 public:
  void show(const Event& event) override {
    if (event.kind == EventKind::group_finished) print_out(answer_text(*event.result) + "\n");
  }
};

}  // namespace

ViewContext view_context(const ResolvedRequest& request, const Model& model) {
  const ModelInfo& info = model.info();
  return {.model = info.name.empty() ? std::filesystem::path(info.file).filename().string() : info.name,
          .coupling = describe(request.coupling),
          .lanes = request.n_lanes(),
          .budget = request.budget,
          .prompt_tokens = static_cast<int32_t>(request.prompt.size()),
          .seed = request.seed,
          .selection = request.selection.kind,
          .then_budget = request.then ? request.then->budget : 0};
}

std::unique_ptr<View> make_view(ViewKind kind, const ViewContext& context) {
  switch (kind) {
    case ViewKind::live:
      return make_live_view(context);
    case ViewKind::plain:
      return make_plain_view(context);
    case ViewKind::json:
      return std::make_unique<JsonView>(context);
    case ViewKind::answer:
      return std::make_unique<AnswerView>();
  }
  return nullptr;
}

}  // namespace lanerope::cli
