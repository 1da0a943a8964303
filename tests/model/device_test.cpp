// SPDX-License-Identifier: Apache-2.0
#include "model/device.h"

#include <gtest/gtest.h>

#include "lanerope/errors.h"
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

TEST(Devices, BeginWithTheCpu) {
  const std::vector<DeviceInfo> found = devices();
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front().name, "cpu");
  EXPECT_FALSE(found.front().description.empty());
}

}  // namespace
}  // namespace lanerope
