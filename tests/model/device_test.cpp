// SPDX-License-Identifier: Apache-2.0
#include "model/device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lanerope/devices.h"
#include "lanerope/errors.h"
#include "lanerope/inspect.h"
#include "lanerope/model.h"
#include "tests/support/random_models.h"

namespace lanerope {
namespace {

TEST(BackEndFolder, MustExist) {
  EXPECT_THROW(set_back_end_folder("/nowhere/at/all"), InvalidRequest);
}

TEST(BackEndFolder, IsSaidBeforeBackEndsAreLookedFor) {
  ASSERT_EQ(device_names().front(), "cpu");
  EXPECT_THROW(set_back_end_folder("/"), InvalidRequest);
}

TEST(GpuLayers, NeedADeviceThatIsNotTheCpu) {
  const std::string file = support::write_model(tools::RandomModel{.n_layer = 1});
  EXPECT_THROW(Model::load({.file = file, .gpu_layers = 1}), InvalidRequest);
  EXPECT_NO_THROW(Model::load({.file = file, .gpu_layers = 0}));
}

TEST(Devices, ThatAreUnknownOrNoneArePointedOut) {
  const std::string file = support::write_model(tools::RandomModel{.n_layer = 1});
  const auto refusal = [&](const std::string& device) {
    try {
      Model::load({.file = file, .device = device});
    } catch (const InvalidRequest& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  EXPECT_EQ(refusal("none"), "none");
  EXPECT_THAT(refusal("abacus"), testing::HasSubstr("no device \"abacus\" here; ggml found: cpu"));
  EXPECT_THAT(refusal("abacus,"), testing::HasSubstr("abacus"));
  EXPECT_THAT(refusal("CPU,abacus"), testing::HasSubstr("the CPU is always there"));
}

// Whatever is said of the CPU alone changes nothing.
TEST(Devices, OverridesToTheCpuAreTaken) {
  const std::string file = support::write_model(tools::RandomModel{.n_layer = 1});
  EXPECT_NO_THROW(Model::load({.file = file, .override_tensor = "ffn_up=CPU"}));
  EXPECT_THROW(Model::load({.file = file, .override_tensor = "ffn_up=abacus"}), InvalidRequest);
}

TEST(Placement, IsDescribedWithoutLoading) {
  const std::string file = support::write_model(tools::RandomModel{.n_layer = 2});
  const PlacementInfo placement = describe_placement({.file = file}, 64, KvType::f32);
  ASSERT_EQ(placement.places.size(), 1U);
  const PlaceInfo& cpu = placement.places.front();
  EXPECT_EQ(cpu.device, "cpu");
  EXPECT_EQ(cpu.layers, (std::vector<int32_t>{0, 1}));
  EXPECT_TRUE(cpu.output);
  EXPECT_EQ(cpu.weight_bytes, describe_file(file).model->weight_bytes);
  EXPECT_EQ(cpu.kv_bytes, 2 * 64 * 2 * 2 * 32 * sizeof(float));  // layers, cells, k and v, heads of 32
  EXPECT_TRUE(placement.fits);
}

TEST(Devices, BeginWithTheCpu) {
  const std::vector<DeviceInfo> found = devices();
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front().name, "cpu");
  EXPECT_FALSE(found.front().description.empty());
}

}  // namespace
}  // namespace lanerope
