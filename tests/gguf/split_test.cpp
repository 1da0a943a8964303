// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include "gguf/file.h"
#include "gguf/writer.h"
#include "lanerope/errors.h"
#include "tests/support/temporary_directory.h"

namespace lanerope::gguf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class GgufOnDisk : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return directory.file(name); }

  support::TemporaryDirectory directory;
};

struct Shard {
  uint16_t number;
  uint16_t count;
  int32_t n_tensors;
  std::string tensor;
};

void write_shard(const std::string& path, const Shard& shard) {
  Writer writer(path);
  writer.set("split.no", shard.number);
  writer.set("split.count", shard.count);
  writer.set("split.tensors.count", shard.n_tensors);
  writer.add_tensor(shard.tensor, GGML_TYPE_F32, std::array<int64_t, 1>{5});
  writer.begin();
  const std::array<float, 5> data = {1, 2, 3, 4, static_cast<float>(shard.number)};
  writer.write(std::as_bytes(std::span(data)));
  writer.finish();
}

float last_value(const TensorInfo& tensor) {
  return reinterpret_cast<const float*>(tensor.data)[4];
}

TEST_F(GgufOnDisk, WritesWhatIsReadBack) {
  const std::vector<std::string> words = {"one", "", "three"};
  const std::array<float, 2> numbers = {0.5F, -2};
  const std::array<int32_t, 1> integers = {-9};
  {
    Writer writer(path("model.gguf"));
    writer.set("text", "value");
    writer.set("flag", true);
    writer.set("int", -3);
    writer.set("float", 0.25F);
    writer.set("words", std::span(words));
    writer.set("numbers", std::span<const float>(numbers));
    writer.set("integers", std::span<const int32_t>(integers));
    writer.add_tensor("odd", GGML_TYPE_F16, std::array<int64_t, 2>{3, 1});
    writer.add_tensor("next", GGML_TYPE_F32, std::array<int64_t, 1>{2});
    writer.begin();
    const std::array<ggml_fp16_t, 3> halves = {1, 2, 3};
    writer.write(std::as_bytes(std::span(halves)).first(2));
    writer.write(std::as_bytes(std::span(halves)).subspan(2));
    writer.write(std::as_bytes(std::span(numbers)));
    EXPECT_FALSE(std::filesystem::exists(path("model.gguf"))) << "it appears when it is whole";
    writer.finish();
  }
  const File file(path("model.gguf"));
  EXPECT_EQ(file.get<std::string>("text"), "value");
  EXPECT_TRUE(file.get<bool>("flag"));
  EXPECT_EQ(file.get<int>("int"), -3);
  EXPECT_EQ(file.get<float>("float"), 0.25F);
  EXPECT_THAT(file.get<std::vector<std::string>>("words"), ElementsAre("one", "", "three"));
  EXPECT_THAT(file.get<std::vector<float>>("numbers"), ElementsAre(0.5F, -2));
  EXPECT_THAT(file.get<std::vector<int32_t>>("integers"), ElementsAre(-9));
  EXPECT_EQ(reinterpret_cast<const ggml_fp16_t*>(file.tensor("odd").data)[2], 3);
  EXPECT_EQ(reinterpret_cast<const float*>(file.tensor("next").data)[1], -2);
}

TEST_F(GgufOnDisk, AnUnfinishedFileLeavesNothing) {
  {
    const Writer writer(path("model.gguf"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST_F(GgufOnDisk, AFullDiskIsASystemError) {
  // A limit on the size of files fails as a full disk does: in the middle of a write.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{.rlim_cur = 4096, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const std::vector<float> zeros(2000);
  const auto write = [&] {
    Writer writer(path("model.gguf"));
    writer.add_tensor("w", GGML_TYPE_F32, std::array<int64_t, 1>{2000});
    writer.begin();
    writer.write(std::as_bytes(std::span(zeros)));
    writer.finish();
  };
  EXPECT_THROW(write(), SystemError);
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
  EXPECT_THROW(Writer("/nonexistent/model.gguf"), SystemError);
}

TEST_F(GgufOnDisk, ASplitSetIsOneFile) {
  write_shard(path("m-00001-of-00003.gguf"), {0, 3, 3, "a"});
  write_shard(path("m-00002-of-00003.gguf"), {1, 3, 3, "b"});
  write_shard(path("m-00003-of-00003.gguf"), {2, 3, 3, "c"});
  File opened(path("m-00001-of-00003.gguf"));
  const File file = std::move(opened);
  EXPECT_EQ(file.n_shards(), 3);
  EXPECT_EQ(file.tensors().size(), 3U);
  EXPECT_EQ(file.tensor("c").shard, 2);
  EXPECT_EQ(last_value(file.tensor("a")), 0);
  EXPECT_EQ(last_value(file.tensor("b")), 1);
  EXPECT_EQ(last_value(file.tensor("c")), 2);
}

std::string refusal(const std::string& path) {
  try {
    const File file(path);
  } catch (const Error& error) {
    return error.what();
  }
  return "no refusal";
}

TEST_F(GgufOnDisk, ASplitSetMustBeWhole) {
  const std::string first = path("m-00001-of-00002.gguf");
  write_shard(first, {0, 2, 2, "a"});
  EXPECT_THAT(refusal(first), HasSubstr("m-00002-of-00002.gguf cannot be opened"));
  write_shard(path("m-00002-of-00002.gguf"), {0, 2, 2, "b"});
  EXPECT_THAT(refusal(first), HasSubstr("is not shard 2"));
  write_shard(path("m-00002-of-00002.gguf"), {1, 2, 2, "a"});
  EXPECT_THAT(refusal(first), HasSubstr(R"("a" is in two)"));
  write_shard(path("m-00002-of-00002.gguf"), {1, 2, 2, "b"});
  EXPECT_EQ(refusal(first), "no refusal");
  EXPECT_THAT(refusal(path("m-00002-of-00002.gguf")), HasSubstr("give " + first));
  write_shard(first, {0, 2, 7, "a"});
  EXPECT_THAT(refusal(first), HasSubstr("not the 7"));
  write_shard(path("renamed.gguf"), {0, 2, 2, "a"});
  EXPECT_THAT(refusal(path("renamed.gguf")), HasSubstr("-00001-of-00002.gguf"));
}

}  // namespace
}  // namespace lanerope::gguf
