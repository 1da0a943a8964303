// SPDX-License-Identifier: Apache-2.0
#include "model/placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "arch/config_keys.h"
#include "lanerope/devices.h"
#include "lanerope/errors.h"
#include "lanerope/inspect.h"
#include "tests/support/random_models.h"
#include "tests/support/refusal.h"

namespace lanerope::model {
namespace {

using support::refusal;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr int32_t cpu = cpu_device;

// A file with four layers, and what places it.
struct Four {
  explicit Four(tools::RandomModel model = {}) : path(support::write_model(with_layers(std::move(model)))) {}

  static tools::RandomModel with_layers(tools::RandomModel model) {
    model.n_layer = 4;
    return model;
  }
  Placement place(const ModelOptions& options, std::span<const DeviceInfo> devices) const {
    return place_model(options, devices, placed);
  }

  std::string path;
  gguf::File file{path};
  arch::ModelConfig config = arch::read_config(file);
  arch::TensorSource tensors{file, config};
  PlacedModel placed{.config = config, .tensors = tensors};
};

// Two devices of which one has three times as much memory as the other.
const std::vector<DeviceInfo> two = {{.name = "A0", .memory_free = size_t{3} << 30},
                                     {.name = "A1", .memory_free = size_t{1} << 30}};

TEST(SplitLayers, GivesTheLastOnesToDevicesInProportion) {
  const auto split = [](int32_t gpu_layers, std::vector<double> shares) {
    return split_layers({.n_layers = 5, .gpu_layers = gpu_layers}, shares);
  };
  EXPECT_THAT(split(5, {3, 1}), ElementsAre(0, 0, 0, 0, 1));
  EXPECT_THAT(split(5, {1, 1}), ElementsAre(0, 0, 0, 1, 1));
  EXPECT_THAT(split(3, {1, 1}), ElementsAre(cpu, cpu, 0, 0, 1));
  EXPECT_THAT(split(2, {0, 1}), ElementsAre(cpu, cpu, cpu, 1, 1));
  EXPECT_THAT(split(2, {7, 0}), ElementsAre(cpu, cpu, cpu, 0, 0));
  EXPECT_THAT(split(4, {1, 0, 1}), ElementsAre(cpu, 0, 0, 2, 2));
  EXPECT_THAT(split(99, {2}), ElementsAre(0, 0, 0, 0, 0));
  EXPECT_THAT(split(0, {2}), ElementsAre(cpu, cpu, cpu, cpu, cpu));
}

TEST(SplitLayers, IsLessThanALayerOffForAnyProportions) {
  std::mt19937 random(3);
  for (int32_t trial = 0; trial < 200; ++trial) {
    const int32_t n = 1 + static_cast<int32_t>(random() % 90);
    std::vector<double> shares(1 + random() % 5);
    for (double& share : shares) share = static_cast<double>(random() % 4);
    shares.back() += 1;
    const std::vector<int32_t> layers = split_layers({.n_layers = n, .gpu_layers = n}, shares);
    EXPECT_TRUE(std::ranges::is_sorted(layers));
    const double all = std::accumulate(shares.begin(), shares.end(), 0.0);
    for (size_t d = 0; d < shares.size(); ++d) {
      const auto n_of = static_cast<double>(std::ranges::count(layers, static_cast<int32_t>(d)));
      EXPECT_LT(std::abs(n_of - n * shares[d] / all), 1) << "device " << d << " of " << shares.size();
      EXPECT_TRUE(shares[d] > 0 || n_of == 0) << "device " << d;
    }
  }
}

TEST(Placement, FollowsTheFreeMemoryOrTheProportions) {
  const Four model;
  EXPECT_THAT(model.place({}, two).layers, ElementsAre(0, 0, 0, 0, 1));
  EXPECT_THAT(model.place({.tensor_split = {1, 4}}, two).layers, ElementsAre(0, 1, 1, 1, 1));
  EXPECT_THAT(model.place({.gpu_layers = 2}, two).layers, ElementsAre(cpu, cpu, cpu, 0, 0));
  std::vector<DeviceInfo> unknown = two;
  unknown[0].memory_free = 0;
  EXPECT_THAT(model.place({}, unknown).layers, ElementsAre(0, 0, 0, 1, 1)) << "nobody knows: equal parts";
  EXPECT_THAT(model.place({}, {}).layers, ElementsAre(cpu, cpu, cpu, cpu, cpu));
}

TEST(Placement, TakesEachTensorWhereTheFirstPatternPutsIt) {
  const Four model;
  const Placement placement = model.place(
      {.gpu_layers = 3, .override_tensor = R"(blk\.(2|3)\.ffn_(up|down)=CPU,ffn_up=A1,^token_embd=A0)"}, two);
  EXPECT_EQ(placement.of_tensor("blk.3.ffn_up.weight", 3), cpu);
  EXPECT_EQ(placement.of_tensor("blk.3.ffn_down.weight", 3), cpu);
  EXPECT_EQ(placement.of_tensor("blk.3.ffn_gate.weight", 3), placement.layers[3]);
  EXPECT_EQ(placement.of_tensor("blk.0.ffn_up.weight", 0), 1) << "a layer of the CPU's";
  EXPECT_EQ(placement.of_tensor("token_embd.weight", -1), 0);
  EXPECT_EQ(model.place({}, two).of_tensor("token_embd.weight", -1), cpu) << "rows are read on the CPU";
}

TEST(Placement, NamesAreThoseOfTheFile) {
  const Four phi3({.architecture = "phi3"});  // whose q, k and v are one matrix
  const Placement placement = phi3.place({.override_tensor = "attn_qkv=CPU"}, two);
  EXPECT_EQ(placement.of_tensor(phi3.tensors.name_in_file("blk.1.attn_k.weight"), 1), cpu);
  EXPECT_THAT(refusal([&] { phi3.place({.override_tensor = "attn_k=CPU"}, two); }), HasSubstr("no tensor"));
}

TEST(Placement, RefusesWhatItCannotDo) {
  const Four model;
  const auto refused = [&](ModelOptions options) { return refusal([&] { model.place(options, two); }); };
  EXPECT_THAT(refused({.override_tensor = "nonsense=CPU"}),
              HasSubstr("'nonsense' is in the name of no tensor"));
  EXPECT_THAT(refused({.override_tensor = "ffn_up=A7"}),
              HasSubstr("\"A7\", and the model is on CPU, A0, A1"));
  EXPECT_THAT(refused({.override_tensor = "ffn_(up=CPU"}), HasSubstr("not a regular expression"));
  EXPECT_THAT(refused({.override_tensor = "ffn_up"}), HasSubstr("not PATTERN=DEVICE"));
  EXPECT_THAT(refused({.override_tensor = "ffn_up=CPU,"}), HasSubstr("not PATTERN=DEVICE"));
  EXPECT_THAT(refused({.tensor_split = {1}}), HasSubstr("1 proportions for 2 devices"));
  EXPECT_THAT(refused({.tensor_split = {0, 0}}), HasSubstr("not all of them 0"));
  EXPECT_THAT(refused({.tensor_split = {-1, 2}}), HasSubstr("at least 0"));
  EXPECT_THAT(refused({.tensor_split = {NAN, 2}}), HasSubstr("at least 0"));
}

TEST(WantedDevices, AreAListOrTheCpu) {
  EXPECT_THAT(wanted_devices({}), ElementsAre());
  EXPECT_THAT(wanted_devices({.device = "none"}), ElementsAre());
  EXPECT_THAT(wanted_devices({.device = "A0,A1"}), ElementsAre("A0", "A1"));
  EXPECT_THAT(wanted_devices({.device = "A0,A1", .split_mode = SplitMode::none}), ElementsAre("A0"));
  EXPECT_THAT(wanted_devices({.device = "A0,A1", .split_mode = SplitMode::none, .main_gpu = 1}),
              ElementsAre("A1"));
  EXPECT_THAT(wanted_devices({.device = "A0", .main_gpu = 0}), ElementsAre("A0"));
}

TEST(WantedDevices, RefuseWhatHasNoMeaning) {
  const auto refused = [](const ModelOptions& options) { return refusal([&] { wanted_devices(options); }); };
  EXPECT_THAT(refused({.gpu_layers = 3}), HasSubstr("--gpu-layers is about devices"));
  EXPECT_THAT(refused({.tensor_split = {1}}), HasSubstr("--tensor-split is about devices"));
  EXPECT_THAT(refused({.main_gpu = 0}), HasSubstr("--main-gpu is about devices"));
  EXPECT_THAT(refused({.device = "A0,cpu"}), HasSubstr("the CPU is always there"));
  EXPECT_THAT(refused({.device = "A0,A1", .main_gpu = 1}), HasSubstr("--split-mode none"));
  EXPECT_THAT(refused({.device = "A0", .split_mode = SplitMode::none, .main_gpu = 1}),
              HasSubstr("behind the last device"));
  EXPECT_THAT(refused({.device = "A0,A1", .split_mode = SplitMode::none, .tensor_split = {1, 1}}),
              HasSubstr("--split-mode none does not"));
}

size_t sum_of(const std::vector<DeviceNeed>& needs, size_t DeviceNeed::* part) {
  size_t sum = 0;
  for (const DeviceNeed& need : needs) sum += need.*part;
  return sum;
}

TEST(Needs, AreTheFileAndTheCells) {
  for (const bool tied : {false, true}) {
    const Four model({.tied = tied});
    size_t bytes = 0;
    size_t embedding = 0;
    for (const FileTensor& tensor : describe_file(model.path).tensors) {
      bytes += tensor.bytes;
      if (tensor.name == "token_embd.weight") embedding = tensor.bytes;
    }
    const CellNeed cells{.n_cells = 100};
    const auto needed = [&](const ModelOptions& options) {
      return needs(model.place(options, two), two.size(), model.placed, cells);
    };
    const size_t kv_bytes = 4 * 100 * 2 * 2 * 32 * sizeof(uint16_t);  // layers, cells, k and v, heads of 32
    for (const int32_t gpu_layers : {0, 1, 3, 5}) {
      const std::vector<DeviceNeed> of = needed({.gpu_layers = gpu_layers});
      // A tied output on a device is there once more.
      EXPECT_EQ(sum_of(of, &DeviceNeed::weight_bytes), bytes + (tied && gpu_layers > 0 ? embedding : 0));
      EXPECT_EQ(sum_of(of, &DeviceNeed::kv_bytes), kv_bytes);
    }
    EXPECT_EQ(needed({}).front().weight_bytes, embedding) << "all that is left to the CPU";
    EXPECT_EQ(needed({.gpu_layers = 3}).front().kv_bytes, kv_bytes / 2);
  }
}

TEST(FittingGpuLayers, AreTheMostThatFit) {
  const Four model;
  const CellNeed cells{.n_cells = 1000};
  const std::vector<DeviceNeed> of_all = needs(model.place({}, two), two.size(), model.placed, cells);
  std::vector<DeviceInfo> small = two;
  EXPECT_TRUE(fits(of_all, small));
  const size_t wanted = sum_of(of_all, &DeviceNeed::weight_bytes) + sum_of(of_all, &DeviceNeed::kv_bytes);
  small[0].memory_free = wanted / 2;
  small[1].memory_free = wanted / 6;
  EXPECT_FALSE(fits(of_all, small));
  const auto fit_with = [&](int32_t gpu_layers) {
    const Placement placement = model.place({.gpu_layers = gpu_layers}, small);
    return fits(needs(placement, small.size(), model.placed, cells), small);
  };
  const std::optional<int32_t> most = fitting_gpu_layers({}, small, model.placed, cells);
  ASSERT_TRUE(most.has_value());
  EXPECT_GT(*most, 0);
  EXPECT_TRUE(fit_with(*most));
  for (int32_t more = *most + 1; more <= 5; ++more) EXPECT_FALSE(fit_with(more)) << more;

  small[1].memory_free = 1;
  EXPECT_EQ(fitting_gpu_layers({.override_tensor = "blk.0.attn_q.weight=A1"}, small, model.placed, cells),
            std::nullopt)
      << "that tensor goes there whatever the number of layers is";
}

TEST(SplitsExperts, WhereAnOverridePartsThoseOfOneLayer) {
  const Four model({.architecture = "qwen3moe"});
  const auto splits = [&](const std::string& overrides) {
    return splits_experts(model.place({.override_tensor = overrides}, two), model.placed);
  };
  EXPECT_FALSE(splits(""));
  EXPECT_FALSE(splits("ffn_.*_exps=CPU"));
  EXPECT_FALSE(splits("blk\\.1\\.ffn_.*_exps=CPU"));
  EXPECT_TRUE(splits("ffn_up_exps=CPU"));
  EXPECT_TRUE(splits("ffn_(up|down)_exps=CPU"));
}

}  // namespace
}  // namespace lanerope::model
