// SPDX-License-Identifier: Apache-2.0
// Four lanes answer one prompt together: four_lanes MODEL.gguf "What is 17 * 23?"
#include <lanerope/lanerope.h>

#include <cstdio>
#include <exception>
#include <vector>

namespace {

void show(const lanerope::Event& event) {
  if (event.kind == lanerope::EventKind::lane_finished) {
    std::printf("lane %d ends at step %d (%s)\n", event.lane + 1, event.step, name(event.finish).data());
  }
  if (event.kind != lanerope::EventKind::group_finished) return;
  const lanerope::GroupResult& result = *event.result;
  for (size_t lane = 0; lane < result.lanes.size(); ++lane) {
    std::printf("\n--- lane %zu\n%s\n", lane + 1, result.lanes[lane].text.c_str());
  }
  std::printf("\nselected: lane %d, confidence %.2f\n", result.selected + 1, result.confidence.value);
}

void answer(const char* model_file, const char* question) {
  const auto model = lanerope::Model::load({.file = model_file});

  lanerope::Request request{.lanes = 4, .budget = 128};
  request.coupling.kind = lanerope::CouplingKind::lanerope;
  request.sampling = {.temperature = 0.7F, .seed = 42};
  request.prompt = {.messages = {{.role = "user", .content = question}}};

  lanerope::Engine engine(model, {.kv_cells = 2048});
  engine.submit(request, {.no_template = lanerope::NoTemplate::raw_with_note});
  while (engine.step(show)) {
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: four_lanes MODEL.gguf PROMPT\n");
    return 2;
  }
  try {
    answer(argv[1], argv[2]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "four_lanes: %s\n", error.what());
    return 1;
  }
}
