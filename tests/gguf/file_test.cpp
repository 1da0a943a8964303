// SPDX-License-Identifier: Apache-2.0
#include "gguf/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "lanerope/errors.h"
#include "tests/gguf/gguf_bytes.h"
#include "tests/support/refusal.h"

namespace lanerope::gguf {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

File read(const GgufBytes& bytes) {
  return File::view(bytes.bytes(), "model.gguf");
}

// The sentence that a BadFile carries.
std::string refusal(const std::function<void()>& action) {
  return support::refusal<BadFile>(action);
}
std::string refusal(const GgufBytes& bytes) {
  return refusal([&] { read(bytes); });
}

GgufBytes good_file() {
  GgufBytes bytes;
  bytes.header(2, 3);
  bytes.string("general.architecture").number<uint32_t>(GGUF_TYPE_STRING).string("qwen2");
  bytes.entry<uint32_t>("qwen2.block_count", GGUF_TYPE_UINT32, 28);
  bytes.entry<float>("qwen2.rope.freq_base", GGUF_TYPE_FLOAT32, 10000.0F);
  bytes.tensor("output_norm.weight", {6}, GGML_TYPE_F32, 0);
  bytes.tensor("token_embd.weight", {64, 3}, GGML_TYPE_Q8_0, 32);
  return bytes.data(32 + 6 * 34);
}

TEST(File, ReadsKeysAndTensorsInPlace) {
  const GgufBytes bytes = good_file();
  const File file = read(bytes);
  EXPECT_EQ(file.get<std::string>("general.architecture"), "qwen2");
  EXPECT_EQ(file.get<int32_t>("qwen2.block_count"), 28);
  EXPECT_EQ(file.get<float>("qwen2.rope.freq_base"), 10000.0F);
  EXPECT_THAT(file.keys(), ElementsAre("general.architecture", "qwen2.block_count", "qwen2.rope.freq_base"));

  ASSERT_EQ(file.tensors().size(), 2U);
  const TensorInfo& embedding = file.tensor("token_embd.weight");
  EXPECT_EQ(embedding.type, GGML_TYPE_Q8_0);
  EXPECT_THAT(embedding.ne, ElementsAre(64, 3, 1, 1));
  EXPECT_EQ(embedding.bytes, 6U * 34U);
  EXPECT_EQ(embedding.data + embedding.bytes, bytes.bytes().data() + bytes.bytes().size());
  EXPECT_EQ(file.find_tensor("output.weight"), nullptr);
}

TEST(File, ReadsVersion2) {
  GgufBytes bytes;
  bytes.header(0, 1, 2).entry<int32_t>("key", GGUF_TYPE_INT32, 5);
  EXPECT_EQ(read(bytes).get<int>("key"), 5);
}

TEST(File, ConvertsIntegersThatFitAndNoOthers) {
  GgufBytes bytes;
  bytes.header(0, 3);
  bytes.entry<uint8_t>("small", GGUF_TYPE_UINT8, 200);
  bytes.entry<int64_t>("negative", GGUF_TYPE_INT64, -1);
  bytes.entry<uint64_t>("huge", GGUF_TYPE_UINT64, 1ULL << 63U);
  const File file = read(bytes);
  EXPECT_EQ(file.get<int64_t>("small"), 200);
  EXPECT_EQ(file.get<int8_t>("negative"), -1);
  EXPECT_EQ(file.get<uint64_t>("huge"), 1ULL << 63U);
  EXPECT_THROW(file.get<int8_t>("small"), BadFile);
  EXPECT_THROW(file.get<uint64_t>("negative"), BadFile);
  EXPECT_THROW(file.get<int64_t>("huge"), BadFile);
  EXPECT_THROW(file.get<float>("small"), BadFile);
  EXPECT_THROW(file.get<bool>("small"), BadFile);
}

TEST(File, ReadsArrays) {
  GgufBytes bytes;
  bytes.header(0, 3);
  bytes.string("tokens")
      .number<uint32_t>(GGUF_TYPE_ARRAY)
      .number<uint32_t>(GGUF_TYPE_STRING)
      .number<uint64_t>(3);
  bytes.string("a").string("").string("c");
  bytes.string("types")
      .number<uint32_t>(GGUF_TYPE_ARRAY)
      .number<uint32_t>(GGUF_TYPE_INT16)
      .number<uint64_t>(2);
  bytes.number<int16_t>(-7).number<int16_t>(8);
  bytes.string("none")
      .number<uint32_t>(GGUF_TYPE_ARRAY)
      .number<uint32_t>(GGUF_TYPE_FLOAT32)
      .number<uint64_t>(0);
  const File file = read(bytes);
  EXPECT_THAT(file.get<std::vector<std::string_view>>("tokens"), ElementsAre("a", "", "c"));
  EXPECT_THAT(file.get<std::vector<int32_t>>("types"), ElementsAre(-7, 8));
  EXPECT_THAT(file.get<std::vector<float>>("none"), ElementsAre());
  EXPECT_THROW(file.get<std::vector<std::string>>("types"), BadFile);
  EXPECT_THROW(file.get<std::vector<int32_t>>("tokens"), BadFile);
  EXPECT_THROW(file.get<int32_t>("types"), BadFile);
  EXPECT_THROW(file.get<std::vector<uint32_t>>("types"), BadFile) << "-7 has no place in it";
}

TEST(File, NamesTheKeyThatIsMissingOrOfTheWrongType) {
  const GgufBytes bytes = good_file();
  const File file = read(bytes);
  EXPECT_EQ(file.find<int32_t>("qwen2.vocab_size"), std::nullopt);
  EXPECT_THAT(refusal([&] { file.get<int32_t>("qwen2.vocab_size"); }),
              AllOf(StartsWith("model.gguf"), HasSubstr(R"("qwen2.vocab_size")")));
  EXPECT_THAT(refusal([&] { file.find<int32_t>("general.architecture"); }),
              AllOf(HasSubstr(R"("general.architecture")"), HasSubstr("not an integer")));
  EXPECT_THAT(refusal([&] { file.tensor("output.weight"); }), HasSubstr(R"("output.weight")"));
}

TEST(File, RefusesNumbersThatAreNotFinite) {
  GgufBytes bytes;
  bytes.header(0, 3);
  bytes.entry<float>("nan", GGUF_TYPE_FLOAT32, std::nanf(""));
  bytes.entry<double>("large", GGUF_TYPE_FLOAT64, 1e300);
  bytes.entry<uint8_t>("maybe", GGUF_TYPE_BOOL, 2);
  const File file = read(bytes);
  EXPECT_THAT(refusal([&] { file.get<float>("nan"); }), HasSubstr("finite"));
  EXPECT_THROW(file.get<float>("large"), BadFile);
  EXPECT_EQ(file.get<double>("large"), 1e300);
  EXPECT_THROW(file.get<bool>("maybe"), BadFile);
}

TEST(File, RefusesEveryTruncation) {
  const std::vector<std::byte> whole = good_file().bytes();
  for (size_t size = 0; size < whole.size(); ++size) {
    // A copy of the exact size, so that the address sanitizer sees a read behind it.
    const std::vector<std::byte> part(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_THAT(refusal([&] { File::view(part, "part.gguf"); }), StartsWith("part.gguf")) << size;
  }
}

struct Hostile {
  const char* name;
  GgufBytes bytes;
  const char* culprit;
};
std::ostream& operator<<(std::ostream& out, const Hostile& hostile) {
  return out << hostile.name;
}

class HostileFile : public testing::TestWithParam<Hostile> {};

TEST_P(HostileFile, IsRefusedInOneSentenceThatNamesTheCulprit) {
  const std::string sentence = refusal(GetParam().bytes);
  EXPECT_THAT(sentence, AllOf(StartsWith("model.gguf"), HasSubstr(GetParam().culprit), Not(HasSubstr("\n"))));
}

GgufBytes with_tensor(std::vector<int64_t> ne, uint32_t type, uint64_t offset) {
  GgufBytes bytes;
  return bytes.header(1, 0).tensor("w", std::move(ne), type, offset).data(4096);
}

GgufBytes with_alignment(uint32_t alignment) {
  GgufBytes bytes;
  return bytes.header(0, 1).entry("general.alignment", GGUF_TYPE_UINT32, alignment);
}

std::vector<Hostile> hostile_files() {
  constexpr int64_t huge = 1LL << 62U;
  constexpr auto most = std::numeric_limits<uint64_t>::max();
  return {
      {"NoGguf", GgufBytes().raw("GGML").number<uint32_t>(3), "not a GGUF file"},
      {"Version1", GgufBytes().header(0, 0, 1), "version 1"},
      {"BigEndian", GgufBytes().header(0, 0, 0x03000000), "big-endian"},
      {"TooManyTensors", GgufBytes().header(most, 0), "number of tensors"},
      {"TooManyKeys", GgufBytes().header(0, most / 2), "number of keys"},
      {"KeyTooLong", GgufBytes().header(0, 1).number(most).data(64), "key 0"},
      {"EmptyKey", GgufBytes().header(0, 1).entry<uint64_t>("", GGUF_TYPE_UINT64, 0), "key 0"},
      {"KeyTwice",
       GgufBytes()
           .header(0, 2)
           .entry('a' + std::string("b"), GGUF_TYPE_INT8, '1')
           .entry("ab", GGUF_TYPE_INT8, '2')
           .data(64),
       R"("ab" is there twice)"},
      {"UnknownValueType", GgufBytes().header(0, 1).entry<uint64_t>("k", GGUF_TYPE_COUNT, 0),
       "unknown type 13"},
      {"ArrayOfArrays",
       GgufBytes().header(0, 1).entry<uint32_t>("k", GGUF_TYPE_ARRAY, GGUF_TYPE_ARRAY).data(64),
       "array of arrays"},
      {"ArrayCountOverflows",
       GgufBytes()
           .header(0, 1)
           .entry<uint32_t>("k", GGUF_TYPE_ARRAY, GGUF_TYPE_UINT64)
           .number(most / 8 + 2)
           .data(64),
       R"("k" is larger than the file can hold)"},
      {"StringCountOverflows",
       GgufBytes().header(0, 1).entry<uint32_t>("k", GGUF_TYPE_ARRAY, GGUF_TYPE_STRING).number(most).data(64),
       R"("k")"},
      {"StringTooLong", GgufBytes().header(0, 1).entry<uint64_t>("k", GGUF_TYPE_STRING, 1000),
       R"("k" reaches beyond)"},
      {"AlignmentZero", with_alignment(0), "general.alignment"},
      {"AlignmentOdd", with_alignment(48), "general.alignment"},
      {"AlignmentHuge", with_alignment(1U << 31U), "general.alignment"},
      {"AlignmentOfAnotherType",
       GgufBytes().header(0, 1).entry<uint8_t>("general.alignment", GGUF_TYPE_UINT8, 32).data(64),
       "general.alignment"},
      {"NoDimensions", with_tensor({}, GGML_TYPE_F32, 0), "0 dimensions"},
      {"FiveDimensions", with_tensor({1, 1, 1, 1, 1}, GGML_TYPE_F32, 0), "5 dimensions"},
      {"NegativeDimension", with_tensor({-4}, GGML_TYPE_F32, 0), "not positive"},
      {"EmptyDimension", with_tensor({4, 0}, GGML_TYPE_F32, 0), "not positive"},
      {"ElementsOverflow", with_tensor({4, huge, 4}, GGML_TYPE_F32, 0), R"("w" overflows)"},
      {"BytesOverflow", with_tensor({huge, 1}, GGML_TYPE_F64, 0), R"("w" overflows)"},
      {"RemovedType", with_tensor({32}, 4, 0), "unknown type 4"},
      {"UnknownType", with_tensor({32}, GGML_TYPE_COUNT, 0), "unknown type"},
      {"NegativeType", with_tensor({32}, 0xffffffffU, 0), "unknown type"},
      {"RowNotOfWholeBlocks", with_tensor({48, 2}, GGML_TYPE_Q4_0, 0), "no multiple of the 32"},
      {"OffsetNotAligned", with_tensor({8}, GGML_TYPE_F32, 4), "not aligned"},
      {"BeyondTheEnd", with_tensor({1025}, GGML_TYPE_F32, 0), R"("w" reaches beyond)"},
      {"OffsetBeyondTheEnd", with_tensor({1}, GGML_TYPE_F32, most - 31), R"("w" reaches beyond)"},
      {"LongName", GgufBytes().header(1, 0).tensor(std::string(64, 'n'), {1}, GGML_TYPE_F32, 0).data(64),
       "tensor 0"},
      {"ControlCharactersInName",
       GgufBytes().header(1, 0).tensor("a\n\x1b[1m", {-1}, GGML_TYPE_F32, 0).data(64), R"("a\x0A\x1B[1m")"},
      {"TensorTwice",
       GgufBytes()
           .header(2, 0)
           .tensor("w", {1}, GGML_TYPE_F32, 0)
           .tensor("w", {1}, GGML_TYPE_F32, 32)
           .data(64),
       R"("w" is there twice)"},
      {"TensorsOverlap",
       GgufBytes()
           .header(2, 0)
           .tensor("v", {8}, GGML_TYPE_F32, 32)
           .tensor("w", {9}, GGML_TYPE_F32, 0)
           .data(64),
       R"("w" and "v" overlap)"},
      {"PartOfASplitSet",
       GgufBytes().header(0, 1).entry<uint16_t>("split.count", GGUF_TYPE_UINT16, 2).data(64), "split set"},
  };
}

INSTANTIATE_TEST_SUITE_P(File, HostileFile, testing::ValuesIn(hostile_files()),
                         [](const auto& param_info) { return std::string(param_info.param.name); });

TEST(File, RefusesWhatIsNoFile) {
  EXPECT_THROW(File("/nonexistent/model.gguf"), SystemError);
  EXPECT_THROW(File("/tmp"), BadFile);
  EXPECT_THROW(File("/dev/null"), BadFile);
}

}  // namespace
}  // namespace lanerope::gguf
