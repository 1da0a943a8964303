// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <set>

#include "cli/choice.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/line_output.h"
#include "cli/model_flags.h"
#include "cli/output.h"
#include "data/compose.h"
#include "data/mixture.h"
#include "data/trace_file.h"
#include "eval/solved_problems.h"
#include "hub/digest.h"
#include "lanerope/errors.h"

namespace lanerope::cli {

namespace {

using Json = nlohmann::json;

constexpr auto footer =
    "FILE holds problems with answers, as lanerope eval reads them. Several of them make one question, whose "
    "parts\n"
    "lanerope eval scores one by one. With --lanes the lines hold lanes too, to train with: each lane solves "
    "its\n"
    "share of the problems, waits for the others' results and writes all answers. Solutions are then needed: "
    "FILE is\n"
    "what lanerope data rollout wrote, and those of its lanes that are right are taken.\n"
    "\n"
    "--ask plain asks one problem, alone or with a usual request behind it, and lanes write a solution and "
    "no\n"
    "more: mixed with the others, it\n"
    "keeps an adapter from listing answers where nobody asked for a list.\n"
    "\n"
    "Examples:\n"
    "  lanerope data compose gsm8k/test.jsonl -k 4 --count 300 --seed 1 -o compose-4.jsonl\n"
    "  lanerope data rollout -m model.gguf gsm8k/train.jsonl -n 1 --groups 8 -o solved.jsonl \\\n"
    "    --system \"Reason step by step, and put your final answer within \\boxed{}.\"\n"
    "  lanerope data compose solved.jsonl --part train -k 1-6 --count 4000 --lanes 1:0.2,2:0.3,4:0.5 -m "
    "model.gguf \\\n"
    "    -o lanes.jsonl\n"
    "  lanerope data compose solved.jsonl --part dev --reach 0.5 -k 4 --count 100 -o reach-4.jsonl";

struct ComposeFlags {
  std::string file;
  std::string output = "-";
  std::string problems = "4";
  int64_t count = 300;
  data::Ask ask = data::Ask::answers;
  data::Part part = data::Part::all;
  int64_t dev = 500;
  double reach = 0;
  std::string lanes;
  std::string tag = "<lane{k}>";
  std::string wait = data::LaneWriting().wait;
  std::string ready = data::LaneWriting().ready;
  int32_t longest = 330;
  uint64_t seed = 1;
  ModelSource model;
};

int32_t count_tokens(const Model& model, std::string_view text) {
  return static_cast<int32_t>(model.encode(text, {.add_special = false, .parse_special = false}).size());
}

void check_one_token(const Model& model, std::string_view flag, const std::string& text) {
  const int32_t tokens = count_tokens(model, text);
  if (tokens != 1)
    throw InvalidRequest(std::string(flag) + " \"" + text + "\" is " + std::to_string(tokens) +
                         " tokens of this model, and must be one");
}

// Options that would change nothing.
void refuse_idle(const CLI::App& app, const ComposeFlags& flags) {
  const auto refuse = [&app](const std::string& option, const std::string& needed) {
    if (app.count(option) > 0)
      throw InvalidRequest(option + " does nothing without " + needed + "; leave it out, or add that");
  };
  if (flags.lanes.empty()) {
    for (const char* option :
         {"--model", "--hf-repo", "--hf-file", "--model-url", "--tag", "--wait", "--ready", "--longest"})
      refuse(option, "--lanes");
  }
  if (flags.part == data::Part::all) refuse("--dev", "--part dev or --part train");
}

std::string sha256_of(std::string_view text) {
  hub::Digest digest(hub::DigestKind::sha256);
  digest.add(text);
  return digest.finish();
}

// The parts are those of this file: another file with some of its problems keeps others for dev.
void keep_part(std::vector<eval::SolvedProblem>& all, data::Part part, int64_t dev) {
  if (part == data::Part::all) return;
  std::vector<std::string> digests;
  digests.reserve(all.size());
  for (const eval::SolvedProblem& solved : all) digests.push_back(sha256_of(solved.problem.question));
  std::vector<std::string> sorted = digests;
  std::ranges::sort(sorted);
  if (dev >= std::ssize(sorted))
    throw InvalidRequest("--dev " + std::to_string(dev) + " keeps all " + std::to_string(sorted.size()) +
                         " problems of the file for dev; give fewer");
  const std::string first_of_train = sorted[static_cast<size_t>(dev)];
  std::vector<eval::SolvedProblem> kept;
  for (size_t i = 0; i < all.size(); ++i) {
    if ((digests[i] < first_of_train) == (part == data::Part::dev)) kept.push_back(std::move(all[i]));
  }
  all = std::move(kept);
}

// The shortest solutions first; those of more than `longest` tokens go.
void sort_solutions(std::vector<eval::SolvedProblem>& all, const Model& model, int32_t longest) {
  for (eval::SolvedProblem& solved : all) {
    std::vector<std::pair<int32_t, std::string>> sized;
    for (std::string& text : solved.problem.solutions) {
      const int32_t tokens = count_tokens(model, text);
      if (tokens <= longest) sized.emplace_back(tokens, std::move(text));
    }
    std::ranges::sort(sized);
    solved.problem.solutions.clear();
    for (auto& [tokens, text] : sized) solved.problem.solutions.push_back(std::move(text));
  }
}

// The problems that can be drawn from.
std::vector<eval::SolvedProblem> usable(const ComposeFlags& flags, const Model* model) {
  std::vector<eval::SolvedProblem> all =
      eval::read_solved(flags.file, {.wait = flags.wait, .ready = flags.ready});
  keep_part(all, flags.part, flags.dev);
  if (flags.reach > 0) {
    if (std::ranges::all_of(all, [](const eval::SolvedProblem& solved) { return solved.samples == 0; }))
      throw InvalidRequest(flags.file +
                           " holds no samples that --reach could go by; lanerope data rollout makes some");
    std::erase_if(all, [&](const eval::SolvedProblem& solved) { return !solved.in_reach(flags.reach); });
  }
  if (model == nullptr) return all;
  sort_solutions(all, *model, flags.longest);
  std::erase_if(all, [](const eval::SolvedProblem& solved) { return solved.problem.solutions.empty(); });
  if (all.empty())
    throw InvalidRequest(flags.file + " holds no right solutions of at most " +
                         std::to_string(flags.longest) +
                         " tokens to write lanes from; lanerope data rollout makes some");
  return all;
}

std::vector<data::KnownProblem> draw_problems(const std::vector<eval::SolvedProblem>& all, int32_t count,
                                              data::RandomStream& random) {
  std::set<size_t> places;
  std::vector<data::KnownProblem> drawn;
  while (std::ssize(drawn) < count) {
    const size_t place = random.below(all.size());
    if (places.insert(place).second) drawn.push_back(all[place].problem);
  }
  return drawn;
}

data::Trace trace_of(const data::Composition& composition) {
  data::Trace trace{.question = data::question_of(composition), .answer = data::answer_of(composition)};
  if (const auto parts = data::parts_of(composition); !parts.empty())
    trace.other.push_back({"parts", Json(parts).dump()});
  trace.other.push_back({"k", std::to_string(composition.problems.size())});
  return trace;
}

int run(const ComposeFlags& flags) {
  const auto sizes = data::Mixture::parse(flags.problems, {.what = "--problems", .least = 1, .largest = 64});
  if (flags.ask == data::Ask::plain && sizes.largest() > 1)
    throw InvalidRequest("--ask plain asks one problem at a time; add --problems 1");
  std::optional<data::Mixture> lanes;
  std::shared_ptr<const Model> model;
  if (!flags.lanes.empty()) {
    lanes = data::Mixture::parse(flags.lanes, {.what = "--lanes", .least = 1, .largest = 256});
    model = load_model({.source = flags.model, .back_end = BackEnd::ggml});
    check_one_token(*model, "--wait", flags.wait);
    check_one_token(*model, "--ready", flags.ready);
  }
  const std::vector<eval::SolvedProblem> all = usable(flags, model.get());
  // The questions do not depend on how many lanes answer them.
  data::RandomStream random(flags.seed);
  data::RandomStream random_lanes(flags.seed + 1);
  LineOutput output(flags.output);
  hub::Digest digest(hub::DigestKind::sha256);
  int64_t made = 0;
  for (int64_t tries = 0; made < flags.count; ++tries) {
    const int32_t k = sizes.draw(random);
    if (k > std::ssize(all))
      throw InvalidRequest(flags.file + " has " + std::to_string(all.size()) +
                           " problems to draw from, fewer than the " + std::to_string(k) + " of a question");
    if (tries > 100 * flags.count)
      throw InvalidRequest("too few problems of " + flags.file + " fit --ask " +
                           std::string(name(flags.ask)) +
                           (lanes ? ", or this model's tokens do not end at --wait and --ready"
                                  : ", which needs whole numbers"));
    const auto composition = data::compose(draw_problems(all, k, random), flags.ask, random);
    if (!composition) continue;
    data::Trace trace = trace_of(*composition);
    if (lanes) {
      const data::LaneWriting writing{.lanes = lanes->draw(random_lanes),
                                      .tag = flags.tag,
                                      .wait = flags.wait,
                                      .ready = flags.ready,
                                      .encode = [&](std::string_view text) {
                                        return model->encode(text,
                                                             {.add_special = false, .parse_special = true});
                                      }};
      auto written = data::lanes_of(*composition, writing, random_lanes);
      if (!written) continue;
      trace.lanes = std::move(*written);
    }
    const std::string line = data::trace_line(trace);
    digest.add(line);
    digest.add("\n");
    output.write(line);
    ++made;
  }
  output.finish();
  print_note(std::to_string(made) + " questions made of " + std::to_string(all.size()) +
             " problems, SHA-256 " + digest.finish());
  return exit_ok;
}

}  // namespace

Command add_data_compose(CLI::App& data) {
  auto flags = std::make_shared<ComposeFlags>();
  CLI::App* app = data.add_subcommand("compose", "Ask several problems together, and write what lanes would");
  app->footer(footer);
  app->add_option("FILE", flags->file, "Problems with answers, or samples of data rollout")->required();
  app->add_option("-o,--output", flags->output, "Where to write; - is standard output")
      ->type_name("FILE")
      ->capture_default_str();
  app->add_option("-k,--problems", flags->problems, "Problems of a question: 4, 1-6, or 2:0.4,4:0.6")
      ->type_name("MIX")
      ->capture_default_str();
  app->add_option("--count", flags->count, "Questions")->check(CLI::PositiveNumber)->capture_default_str();
  add_choice(*app, "--ask", flags->ask)
      ->description(
          "What is asked for (default: answers); a chain needs each answer for the next problem, and plain "
          "is one problem that is asked as people ask one");
  add_choice(*app, "--part", flags->part)
      ->description("Which problems (default: all); dev is kept from training");
  app->add_option("--dev", flags->dev, "Problems of the part dev")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app->add_option("--reach", flags->reach, "Only problems of which this share of the samples is right")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("SHARE");
  app->add_option("--lanes", flags->lanes, "Write lanes too, so many: 4, 1-8, or 1:0.2,4:0.8")
      ->type_name("MIX");
  app->add_option("--tag", flags->tag, "What each lane will be fed first, {k} being its number")
      ->capture_default_str();
  app->add_option("--wait", flags->wait, "Token that a lane waits with")->capture_default_str();
  app->add_option("--ready", flags->ready, "Token behind each result, which wakes lanes that wait")
      ->capture_default_str();
  app->add_option("--longest", flags->longest, "Longest solution that lanes write, in tokens")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app->add_option("-s,--seed", flags->seed, "The same one makes the same file")->capture_default_str();
  add_model_source(*app, flags->model, "Model, whose tokens --lanes counts");
  return {app, [app, flags] {
            refuse_idle(*app, *flags);
            return run(*flags);
          }};
}

}  // namespace lanerope::cli
