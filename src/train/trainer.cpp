// SPDX-License-Identifier: Apache-2.0
#include "train/trainer.h"

#include <torch/torch.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "lanerope/errors.h"
#include "train/checkpoint.h"
#include "train/files/vocabulary_file.h"
#include "train/group_source.h"
#include "train/kto.h"
#include "train/model_file.h"
#include "train/objective.h"
#include "train/optimizer.h"

namespace lanerope {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

TrainModel initial_model(const TrainConfig& config) {
  if (config.stage == Stage::pretrain)
    return {config.model, read_vocabulary_file(config.vocabulary), config.seed};
  TrainModel model(config.base);
  if (!config.adapter.empty()) {
    model.load_adapter(config.adapter);
  } else {
    if (config.lora.rank > 0) model.add_lora(config.lora, config.seed);
    if (!model.knows_lanes() || config.omega.reset) model.set_omega(config.omega);
  }
  return model;
}

torch::Device device_of(const TrainConfig& config) {
  try {
    torch::Device device(config.device);
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
  Run(const TrainConfig& config, const TrainCallbacks& callbacks)
      : config_(config),
        callbacks_(callbacks),
        device_(device_of(config)),
        options_{.visibility = config.visibility, .open = config.open},
        model_(initial_model(config)),
        encoder_(model_.vocabulary(), config),
        source_(config.data, encoder_, config.seed),
        checkpoint_path_(config.run_folder() + "/checkpoint.pt") {
    model_.set_compute_type(config.type);
    model_.to(device_);
    optimizer_ = std::make_unique<Optimizer>(model_.trained(), config);
    if (config.stage == Stage::kto) {
      const bool knows_lanes = model_.knows_lanes() || !config.adapter.empty();
      objective_ =
          make_kto(model_, config, knows_lanes ? ReferenceMask::open : ReferenceMask::closed, device_);
    } else {
      objective_ = make_likelihood(options_, device_);
    }
    if (!config.dev.empty()) dev_ = first_groups(config.dev, config.dev_groups, encoder_);
    std::filesystem::create_directories(config.run_folder());
    restore();
  }

  bool finish() {
    begin_ = Clock::now();
    seconds_before_ = progress_.seconds;
    while (progress_.step < config_.steps) {
      if (callbacks_.stop && callbacks_.stop()) {
        save();
        return false;
      }
      step();
      const bool last = progress_.step == config_.steps;
      if (!dev_.empty() && (progress_.step % config_.dev_every == 0 || last)) measure_dev();
      if (callbacks_.step) callbacks_.step(progress_);
      if (progress_.step % config_.checkpoint_every == 0 || last) save();
    }
    write();
    return true;
  }

 private:
  void note(const std::string& text) const {
    if (callbacks_.note) callbacks_.note(text);
  }

  void restore() {
    progress_.steps = config_.steps;
    const auto found = read_checkpoint(checkpoint_path_);
    if (!found) return;
    const torch::NoGradGuard no_gradients;
    for (auto& [name, tensor] : model_.parameters()) {
      const auto kept = found->parameters.find(name);
      if (kept == found->parameters.end() || kept->second.sizes() != tensor.sizes()) {
        throw InvalidRequest("the checkpoint in " + config_.run_folder() +
                             " belongs to another configuration; name another run folder or delete it");
      }
      tensor.copy_(kept->second);
    }
    optimizer_->restore(found->optimizer);
    source_.restore(found->source);
    progress_.step = found->step;
    progress_.tokens = found->tokens;
    progress_.seconds = found->seconds;
    note("going on from step " + std::to_string(found->step));
  }

  void save() {
    progress_.seconds = seconds_before_ + seconds_since(begin_);
    write_checkpoint(checkpoint_path_, {.step = progress_.step,
                                        .tokens = progress_.tokens,
                                        .seconds = progress_.seconds,
                                        .config = to_json(config_).dump(),
                                        .source = source_.state(),
                                        .parameters = model_.parameters(),
                                        .optimizer = optimizer_->state()});
  }

  void step() {
    const Clock::time_point begin = Clock::now();
    double loss = 0;
    int64_t count = 0;
    int64_t tokens = 0;
    std::map<std::string, double> extra;
    for (int32_t part = 0; part < config_.accumulate; ++part) {
      const std::vector<TokenGroup> groups = source_.next_batch(config_.batch_tokens);
      for (const TokenGroup& group : groups) {
        tokens += cost(group);
        if (group.lanes.size() > 1) trained_lanes_.insert(static_cast<int32_t>(group.lanes.size()));
      }
      const BatchLoss batch = objective_->loss(model_, groups);
      batch.sum.backward();
      loss += batch.sum.item<double>();
      count += batch.count;
      for (const auto& [name, value] : batch.extra) extra[name] += value;
    }
    for (auto& [name, value] : extra) value /= static_cast<double>(count);
    divide_gradients(static_cast<double>(count));
    progress_.learning_rate = config_.learning_rate * schedule(config_, progress_.step);
    progress_.gradient_norm = optimizer_->step(progress_.step);
    ++progress_.step;
    progress_.tokens += tokens;
    progress_.loss = loss / static_cast<double>(count);
    progress_.seconds = seconds_before_ + seconds_since(begin_);
    progress_.tokens_per_second = static_cast<double>(tokens) / seconds_since(begin);
    progress_.extra = std::move(extra);
  }

  void divide_gradients(double count) {
    const torch::NoGradGuard no_gradients;
    for (auto& [name, tensor] : model_.trained()) {
      if (tensor.grad().defined()) tensor.mutable_grad().div_(count);
    }
  }

  void measure_dev() {
    const DevResult dev = measure(model_, dev_, options_, device_);
    progress_.extra["dev_loss"] = dev.loss;
    progress_.extra["dev_tokens"] = dev.tokens;
    progress_.extra["dev_lanes"] = dev.lanes;
    progress_.extra["dev_groups"] = dev.groups;
  }

  void write() {
    ModelFileOptions options{.name = config_.name};
    if (config_.stage != Stage::pretrain) {
      options.lanes = {.omega = config_.omega,
                       .visibility = config_.visibility,
                       .tag = config_.tag,
                       .lanes = {trained_lanes_.begin(), trained_lanes_.end()}};
    }
    model_.to(torch::kCPU);
    if (model_.lora().rank > 0) {
      write_adapter_file(model_, config_.out, options);
    } else {
      write_model_file(model_, config_.out, options);
    }
    note("wrote " + config_.out);
  }

  const TrainConfig& config_;
  const TrainCallbacks& callbacks_;
  torch::Device device_;
  BatchOptions options_;
  TrainModel model_;
  GroupEncoder encoder_;
  GroupSource source_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<Objective> objective_;
  std::vector<TokenGroup> dev_;
  std::set<int32_t> trained_lanes_;
  std::string checkpoint_path_;
  TrainStep progress_;
  Clock::time_point begin_;
  double seconds_before_ = 0;
};

}  // namespace

bool train(const TrainConfig& config, const TrainCallbacks& callbacks) {
  if (config.threads > 0) at::set_num_threads(config.threads);
  Run run(config, callbacks);
  return run.finish();
}

}  // namespace lanerope
