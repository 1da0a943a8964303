// SPDX-License-Identifier: Apache-2.0
#include "train/trainer.h"

#include <torch/torch.h>

#include <array>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "lanerope/errors.h"
#include "train/checkpoint.h"
#include "train/distributed.h"
#include "train/files/curve_log.h"
#include "train/files/curve_page.h"
#include "train/files/model_card.h"
#include "train/group_source.h"
#include "train/initial_model.h"
#include "train/kto.h"
#include "train/model_file.h"
#include "train/objective.h"
#include "train/optimizer.h"

namespace lanerope::train {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

torch::Device device_of(const TrainConfig& config, const std::optional<Ranks>& ranks) {
  try {
    torch::Device device(config.device);
    if (ranks && device.is_cuda() && !device.has_index())
      device.set_index(static_cast<c10::DeviceIndex>(ranks->local_rank));
    if (device.is_cuda() && !torch::cuda::is_available())
      throw InvalidRequest("this libtorch has no CUDA device; set device to cpu");
    return device;
  } catch (const c10::Error&) {
    throw InvalidRequest("the configuration's device \"" + config.device + "\" is not one that torch knows");
  }
}

// What a run is made of, and what it does between two steps.
class Run {
 public:
  Run(const TrainConfig& config, const TrainCallbacks& callbacks, const std::optional<Ranks>& ranks)
      : config_(config),
        callbacks_(callbacks),
        device_(device_of(config, ranks)),
        peers_(ranks ? std::make_unique<Peers>(*ranks, device_) : nullptr),
        rank_(peers_ ? peers_->rank() : 0),
        n_ranks_(peers_ ? peers_->size() : 1),
        model_(initial_model(config)),
        options_(batch_options(model_, config)),
        encoder_(model_.vocabulary(), config),
        source_(config.data, encoder_, config.seed),
        checkpoint_path_(config.run_folder() + "/checkpoint.pt") {
    model_.to(device_);
    model_.set_compute_type(config.type);
    model_.set_recompute_above(config.recompute_above);
    optimizer_ = std::make_unique<Optimizer>(model_.trained(), config);
    if (config.stage == Stage::kto) {
      objective_ =
          make_kto(model_, config,
                   model_.knows_lanes() ? ReferenceCoupling::joint : ReferenceCoupling::independent, device_);
    } else {
      objective_ = make_likelihood(options_, device_);
    }
    if (config.stage != Stage::pretrain && encoder_.raw_prompts())
      note("questions go in as they are, since the model has no chat template");
    if (!config.dev.empty()) read_dev();
    std::filesystem::create_directories(config.run_folder());
    restore();
    if (peers_)
      peers_->agree(
          static_cast<double>(point_.step),
          "the processes found different checkpoints; the run folder must be one that all of them see");
    if (writes()) curve_ = std::make_unique<CurveLog>(config.run_folder() + "/curve.jsonl", point_.step);
  }

  bool finish() {
    begin_ = Clock::now();
    seconds_before_ = point_.seconds;
    first_step_ = point_.step;
    while (point_.step < config_.steps) {
      if (stopped()) {
        save();
        return false;
      }
      step();
      const bool last = point_.step == config_.steps;
      if (!config_.dev.empty() && config_.dev_groups > 0 && (point_.step % config_.dev_every == 0 || last))
        measure_dev();
      if (writes()) curve_->append(point_);
      report();
      if (point_.step % config_.checkpoint_every == 0 || last) save();
    }
    if (writes()) write();
    return true;
  }

 private:
  // Of several processes only the first one speaks and writes.
  bool writes() const { return rank_ == 0; }

  bool stopped() const {
    const bool here = callbacks_.stop && callbacks_.stop();
    return peers_ ? peers_->any(here) : here;
  }

  void note(const std::string& text) const {
    if (callbacks_.note && writes()) callbacks_.note(text);
  }

  void report() {
    mean_loss_ = point_.step == first_step_ + 1 ? point_.loss : 0.95 * mean_loss_ + 0.05 * point_.loss;
    if (!callbacks_.step || !writes()) return;
    callbacks_.step({.step = point_.step,
                     .steps = config_.steps,
                     .first_step = first_step_,
                     .seconds = seconds_since(begin_),
                     .loss = mean_loss_,
                     .tokens_per_second = point_.tokens_per_second,
                     .extra = point_.extra});
  }

  // What a checkpoint holds: where the base is kept, what was added to it.
  std::map<std::string, torch::Tensor> kept_parameters() const {
    return model_.keeps_base() ? model_.trained() : model_.parameters();
  }

  void restore() {
    const auto found = read_checkpoint(checkpoint_path_);
    if (!found) return;
    check_goes_on(*found, config_);
    const torch::NoGradGuard no_gradients;
    for (auto& [name, tensor] : kept_parameters()) {
      const auto kept = found->parameters.find(name);
      if (kept == found->parameters.end() || kept->second.sizes() != tensor.sizes()) {
        throw InvalidRequest("the checkpoint in " + config_.run_folder() +
                             " belongs to another configuration; name another run folder or delete it");
      }
      tensor.copy_(kept->second);
    }
    optimizer_->restore(found->optimizer);
    source_.restore(found->source);
    trained_lanes_ = {found->lanes.begin(), found->lanes.end()};
    point_.step = found->step;
    point_.tokens = found->tokens;
    point_.seconds = found->seconds;
    note("going on from step " + std::to_string(found->step));
  }

  void save() {
    if (!writes()) return;
    point_.seconds = seconds_before_ + seconds_since(begin_);
    write_checkpoint(checkpoint_path_, {.step = point_.step,
                                        .tokens = point_.tokens,
                                        .seconds = point_.seconds,
                                        .config = to_json(config_).dump(),
                                        .source = source_.state(),
                                        .lanes = {trained_lanes_.begin(), trained_lanes_.end()},
                                        .parameters = kept_parameters(),
                                        .optimizer = optimizer_->state()});
  }

  void step() {
    const Clock::time_point begin = Clock::now();
    double loss = 0;
    int64_t count = 0;
    int64_t tokens = 0;
    std::map<std::string, double> extra;
    for (int32_t part = 0; part < config_.accumulate * n_ranks_; ++part) {
      const std::vector<TokenGroup> groups = source_.next_batch(config_.batch_tokens);
      for (const TokenGroup& group : groups) {
        tokens += cost(group);
        if (group.lanes.size() > 1) trained_lanes_.insert(static_cast<int32_t>(group.lanes.size()));
      }
      if (part % n_ranks_ != rank_) continue;  // another process's
      const BatchLoss batch = objective_->loss(model_, groups);
      batch.sum.backward();
      loss += batch.sum.item<double>();
      count += batch.count;
      for (const auto& [name, value] : batch.extra) extra[name] += value;
    }
    if (peers_) sum_over_peers(loss, count, extra);
    for (auto& [name, value] : extra) value /= static_cast<double>(count);
    divide_gradients(static_cast<double>(count));
    point_.learning_rate = config_.learning_rate * schedule(config_, point_.step);
    point_.gradient_norm = optimizer_->step(point_.step);
    ++point_.step;
    point_.tokens += tokens;
    point_.loss = loss / static_cast<double>(count);
    point_.seconds = seconds_before_ + seconds_since(begin_);
    point_.tokens_per_second = static_cast<double>(tokens) / seconds_since(begin);
    point_.extra = std::move(extra);
  }

  void sum_over_peers(double& loss, int64_t& count, std::map<std::string, double>& extra) {
    std::vector<torch::Tensor> gradients;
    for (auto& [name, tensor] : model_.trained()) {
      if (!tensor.grad().defined()) tensor.mutable_grad() = torch::zeros_like(tensor);
      gradients.push_back(tensor.grad());
    }
    peers_->sum(gradients);
    std::vector<double> sums = {loss, static_cast<double>(count)};
    for (const auto& [name, value] : extra) sums.push_back(value);
    peers_->sum(sums);
    loss = sums[0];
    count = static_cast<int64_t>(sums[1]);
    size_t place = 2;
    for (auto& [name, value] : extra) value = sums[place++];
  }

  void divide_gradients(double count) {
    const torch::NoGradGuard no_gradients;
    for (auto& [name, tensor] : model_.trained()) {
      if (tensor.grad().defined()) tensor.mutable_grad().div_(count);
    }
  }

  // The groups to measure, of several processes this one's share.
  void read_dev() {
    const std::vector<TokenGroup> all = first_groups(config_.dev, config_.dev_groups, encoder_);
    for (size_t i = rank_; i < all.size(); i += n_ranks_) dev_.push_back(all[i]);
  }

  void measure_dev() {
    DevResult dev;
    if (!dev_.empty()) dev = measure(model_, dev_, options_, device_);
    if (peers_) {
      std::array<double, 7> sums = {dev.loss * dev.n_tokens,
                                    dev.tokens * dev.n_tokens,
                                    dev.n_tokens,
                                    dev.lanes * dev.n_lanes,
                                    dev.n_lanes,
                                    dev.groups * dev.n_groups,
                                    dev.n_groups};
      peers_->sum(sums);
      dev = {.loss = sums[0] / sums[2],
             .tokens = sums[1] / sums[2],
             .lanes = sums[3] / sums[4],
             .groups = sums[5] / sums[6]};
    }
    point_.extra["dev_loss"] = dev.loss;
    point_.extra["dev_tokens"] = dev.tokens;
    point_.extra["dev_lanes"] = dev.lanes;
    point_.extra["dev_groups"] = dev.groups;
  }

  void write() {
    ModelFileOptions options{.name = config_.name};
    if (config_.stage != Stage::pretrain) {
      options.lanes = {.visibility = config_.visibility,
                       .sees_from = config_.sees_from,
                       .prompt_lane = config_.prompt_lane,
                       .tag = config_.tag,
                       .wait = config_.wait,
                       .ready = config_.ready,
                       .lanes = {trained_lanes_.begin(), trained_lanes_.end()}};
    }
    model_.to(torch::kCPU);
    const bool bridges = model_.config().bridge.any();
    if (model_.lora().rank > 0 && !bridges) {
      write_adapter_file(model_, config_.out, options);
    } else if (model_.keeps_base()) {
      TrainModel whole(config_.base);  // this model's weights were brought to the type of products
      whole.adopt(model_);
      write_model_file(whole, config_.out, options);
    } else {
      write_model_file(model_, config_.out, options);
    }
    const std::string folder = config_.run_folder();
    write_curve_page_file(folder + "/curve.html", std::array{CurveLogName{.path = folder + "/curve.jsonl"}});
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
    const nlohmann::json stage = {{"config", to_json(config_)},
                                  {"tokens", point_.tokens},
                                  {"seconds", point_.seconds},
                                  {"finished", utc_text(now.count())}};
    std::ofstream(folder + "/stage.json") << stage.dump(2) << "\n";
    note("wrote " + config_.out);
  }

  const TrainConfig& config_;
  const TrainCallbacks& callbacks_;
  torch::Device device_;
  std::unique_ptr<Peers> peers_;  // where there are several processes
  int32_t rank_;
  int32_t n_ranks_;
  TrainModel model_;
  BatchOptions options_;
  GroupEncoder encoder_;
  GroupSource source_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<Objective> objective_;
  std::vector<TokenGroup> dev_;
  std::set<int32_t> trained_lanes_;
  std::string checkpoint_path_;
  std::unique_ptr<CurveLog> curve_;
  CurvePoint point_;
  double mean_loss_ = 0;  // over the last twenty steps or so
  int64_t first_step_ = 0;
  Clock::time_point begin_;
  double seconds_before_ = 0;
};

}  // namespace

bool train(const TrainConfig& config, const TrainCallbacks& callbacks) {
  if (config.threads > 0) at::set_num_threads(config.threads);
  Run run(config, callbacks, ranks_from_environment());
  return run.finish();
}

}  // namespace lanerope::train
