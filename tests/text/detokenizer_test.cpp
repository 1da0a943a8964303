// SPDX-License-Identifier: Apache-2.0
#include "text/detokenizer.h"

#include <gtest/gtest.h>

#include "lanerope/errors.h"
#include "tests/text/toy_vocabulary.h"

namespace lanerope::text {
namespace {

std::shared_ptr<const Vocabulary> shared(VocabularyData data) {
  return std::make_shared<const Vocabulary>(std::move(data));
}

TEST(Detokenizer, ACharacterAppearsWithItsLastByte) {
  Detokenizer stream(shared(toy_bpe()), {});
  EXPECT_EQ(stream.push(0xF0), "");
  EXPECT_EQ(stream.push(0x9F), "");
  EXPECT_EQ(stream.push(0x98), "");
  EXPECT_EQ(stream.push(0x80), "\U0001F600");
  EXPECT_EQ(stream.push(258), " the");
  EXPECT_EQ(stream.flush(), "");
}

TEST(Detokenizer, ABrokenCharacterIsReplacedAsSoonAsItIsLost) {
  Detokenizer stream(shared(toy_bpe()), {});
  EXPECT_EQ(stream.push(0xE2), "");
  EXPECT_EQ(stream.push('x'), "\uFFFDx");
  EXPECT_EQ(stream.push(0x80), "\uFFFD");
  EXPECT_EQ(stream.push(0xC3), "");
  EXPECT_EQ(stream.flush(), "\uFFFD");
}

TEST(Detokenizer, AControlTokenIsNoText) {
  Detokenizer hidden(shared(toy_bpe()), {});
  EXPECT_EQ(hidden.push(264), "");
  Detokenizer shown(shared(toy_bpe()), {.special = true});
  EXPECT_EQ(shown.push(264), "<|im_end|>");
}

TEST(Detokenizer, TheFirstSpaceOfALaneStays) {
  Detokenizer stream(shared(toy_sentencepiece()), {});
  EXPECT_EQ(stream.push(265), " ab");
}

TEST(Detokenizer, AnIdOutsideTheVocabularyIsAnInvalidRequest) {
  Detokenizer stream(shared(toy_bpe()), {});
  EXPECT_THROW(stream.push(100000), InvalidRequest);
}

}  // namespace
}  // namespace lanerope::text
