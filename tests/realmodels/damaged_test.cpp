// SPDX-License-Identifier: Apache-2.0
// A real file that was damaged on its way: cut off anywhere, or with one byte of its header changed. It
// either loads (a letter of a token, say, may be any letter) or is refused with one sentence; which places
// are tried is drawn from a fixed seed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include <unistd.h>

#include "lanerope/errors.h"
#include "lanerope/model.h"

namespace lanerope {
namespace {

namespace fs = std::filesystem;

constexpr int tries = 200;

class Damaged : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(LANEROPE_SMOLLM2)) GTEST_SKIP() << "script/model smollm2 brings the file";
    path_ = fs::path(testing::TempDir()) / ("lanerope-damaged-" + std::to_string(::getpid()) + ".gguf");
    fs::copy_file(LANEROPE_SMOLLM2, path_, fs::copy_options::overwrite_existing);
    fs::permissions(path_, fs::perms::owner_write, fs::perm_options::add);
    size_ = fs::file_size(path_);
    std::ifstream file(path_, std::ios::binary);
    std::string start(size_t{4} << 20, '\0');
    file.read(start.data(), static_cast<std::streamsize>(start.size()));
    // The last tensor that the header names; behind it are its shape, type and offset, and the weights.
    const size_t last = start.rfind("output_norm.weight");
    ASSERT_NE(last, std::string::npos);
    header_ = last + 48;
    start.resize(header_);
    bytes_ = std::move(start);
  }
  void TearDown() override { fs::remove(path_); }

  // The sentence that refuses the file, or "" where it loads.
  std::string refusal() const {
    try {
      Model::load({.file = path_, .threads = 1});
      return "";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()), "");
      return error.what();
    }
  }

  fs::path path_;
  uintmax_t size_ = 0;
  size_t header_ = 0;  // bytes before the weights
  std::string bytes_;  // those bytes as they were
  std::mt19937 draw_{1};
};

TEST_F(Damaged, CutOffAnywhereItIsRefused) {
  for (int k = 0; k < tries; ++k) {
    // From the whole file down, so that each cut is a mere shortening of the one before; the last half lies
    // in the header.
    const uintmax_t step = k < tries / 2 ? (size_ - header_) / (tries / 2) : header_ / (tries / 2);
    const uintmax_t from = k < tries / 2 ? size_ : header_;
    const uintmax_t end = from - step * static_cast<uintmax_t>(k % (tries / 2)) - 1 - draw_() % (step / 2);
    fs::resize_file(path_, end);
    EXPECT_THAT(refusal(), testing::HasSubstr("damaged")) << "cut behind byte " << end;
  }
}

TEST_F(Damaged, WithOneByteOfItsHeaderChangedItIsRefusedOrLoads) {
  std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
  const auto put = [&file](size_t at, char byte) {
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
    file.flush();
  };
  int refused = 0;
  for (int k = 0; k < tries; ++k) {
    // Keys, then tensors, then anywhere: names and numbers matter more than the letters of 49,152 tokens.
    const size_t part = k % 3 == 0   ? draw_() % 2000
                        : k % 3 == 1 ? header_ - 1 - draw_() % 17000
                                     : draw_() % header_;
    put(part, static_cast<char>(bytes_[part] ^ static_cast<char>(1 + draw_() % 255)));
    refused += refusal().empty() ? 0 : 1;
    put(part, bytes_[part]);
  }
  EXPECT_GT(refused, tries / 2);
  EXPECT_EQ(refusal(), "") << "every byte was put back";
}

}  // namespace
}  // namespace lanerope
