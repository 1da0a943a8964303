// SPDX-License-Identifier: Apache-2.0
#include "model/device.h"

#include <gtest/gtest.h>

#include "lanerope/errors.h"
#include "lanerope/model.h"

namespace lanerope {
namespace {

TEST(BackEndFolder, MustExist) {
  EXPECT_THROW(set_back_end_folder("/nowhere/at/all"), InvalidRequest);
}

TEST(BackEndFolder, IsSaidBeforeBackEndsAreLookedFor) {
  ASSERT_EQ(device_names().front(), "cpu");
  EXPECT_THROW(set_back_end_folder("/"), InvalidRequest);
}

}  // namespace
}  // namespace lanerope
