// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hwy/highway.h>

#include "tests/kernels/ggml_reference.h"

namespace lanerope::kernels {
namespace {

using ::testing::IsSupersetOf;

// Which ones the other tests mean when they say "for each instruction set".
std::set<std::string> those_of_this_machine() {
  std::set<std::string> names;
  for_each_instruction_set([&](const char* name) {
    names.insert(name);
    std::cout << "instruction set: " << name << "\n";
  });
  return names;
}

TEST(InstructionSets, IncludePlainCodeAndTheOneThatEveryMachineHas) {
  EXPECT_THAT(those_of_this_machine(), IsSupersetOf({"EMU128", HWY_ARCH_X86       ? "SSE2"
                                                               : HWY_ARCH_ARM_A64 ? "NEON_WITHOUT_AES"
                                                                                  : "EMU128"}));
}

#ifdef LANEROPE_EMULATED
TEST(InstructionSets, AreAllThereWhereTheMachineIsEmulated) {
  EXPECT_THAT(those_of_this_machine(), IsSupersetOf({"EMU128", "NEON_WITHOUT_AES", "NEON", "NEON_BF16"}));
}
#endif

}  // namespace
}  // namespace lanerope::kernels
