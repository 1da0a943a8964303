// SPDX-License-Identifier: Apache-2.0
#include "kernels/vocabulary_reduce.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "tests/kernels/ggml_reference.h"

namespace lanerope::kernels {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

// Logits with ties, a heavy head and tokens that must not be sampled.
std::vector<float> some_logits(size_t n, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 3);
  std::vector<float> logits(n);
  for (float& v : logits) v = random() % 10 == 0 ? -infinity : std::round(normal(random) * 64) / 64;
  return logits;
}

std::vector<Candidate> sorted(const std::vector<float>& logits) {
  std::vector<Candidate> all(logits.size());
  for (size_t i = 0; i < logits.size(); ++i) all[i] = {static_cast<int32_t>(i), logits[i]};
  std::ranges::stable_sort(all, [](const Candidate& a, const Candidate& b) { return a.logit > b.logit; });
  return all;
}

void expect_first(std::span<const Candidate> got, const std::vector<Candidate>& all, size_t n) {
  ASSERT_EQ(got.size(), n);
  for (size_t i = 0; i < n; ++i) ASSERT_EQ(got[i], all[i]) << i;
}

TEST(VocabularyReduce, AgreesWithSortingTheVocabulary) {
  VocabularyReduce reduce;
  for (size_t n : {1U, 2U, 15U, 16U, 17U, 63U, 64U, 65U, 300U, 5000U, 151936U}) {
    std::vector<float> logits = some_logits(n, n);
    logits[n / 2] = 1;
    const std::vector<Candidate> all = sorted(logits);
    for_each_instruction_set([&](const char*) {
      reduce.read(logits);
      EXPECT_EQ(reduce.greatest(), all[0]);
      for (int32_t k : {0, 1, 2, 40, 1000, 200000}) {
        expect_first(reduce.top(k), all, std::min<size_t>(k, n));
      }
      const auto at_least = [&](float t) {
        return std::ranges::count_if(all, [&](const Candidate& c) { return c.logit >= t; });
      };
      for (float t : {-5.0F, 0.0F, 4.0F, 1000.0F}) expect_first(reduce.above(t), all, at_least(t));
    });
  }
}

TEST(VocabularyReduce, SumsInTheLogDomain) {
  VocabularyReduce reduce;
  for (float temperature : {0.1F, 0.6F, 1.0F, 3.0F}) {
    const std::vector<float> logits = some_logits(151936, 5);
    double sum = 0;
    for (float v : logits) sum += std::exp((static_cast<double>(v) - 20) / temperature);
    for_each_instruction_set([&](const char*) {
      reduce.read(logits);
      EXPECT_NEAR(reduce.log_sum_exp(temperature), 20 / temperature + std::log(sum), 1e-5);
    });
  }
}

TEST(VocabularyReduce, MeasuresEntropy) {
  VocabularyReduce reduce;
  for (size_t n : {1U, 3U, 300U, 151936U}) {
    std::vector<float> logits = some_logits(n, 7);
    logits[0] = 2;
    double total = 0;
    for (float v : logits) total += std::exp(static_cast<double>(v));
    double entropy = 0;
    for (float v : logits) {
      const double p = std::exp(static_cast<double>(v)) / total;
      if (p > 0) entropy -= p * std::log(p);
    }
    for_each_instruction_set([&](const char*) {
      reduce.read(logits);
      EXPECT_NEAR(reduce.entropy(reduce.log_sum_exp(1)), entropy, 1e-4) << n;
    });
  }
}

TEST(VocabularyReduce, FindsTheSmallestNucleus) {
  VocabularyReduce reduce;
  const std::vector<float> logits = some_logits(20000, 6);
  const std::vector<Candidate> all = sorted(logits);
  for (float temperature : {0.3F, 1.0F, 2.0F}) {
    double total = 0;
    for (float v : logits) total += std::exp(v / static_cast<double>(temperature));
    for (float p : {0.0F, 0.3F, 0.9F, 0.95F}) {
      double sum = 0;
      size_t n = 0;
      do sum += std::exp(all[n++].logit / static_cast<double>(temperature)) / total;
      while (sum < p);
      for_each_instruction_set([&](const char*) {
        reduce.read(logits);
        expect_first(reduce.nucleus(p, temperature), all, n);
      });
    }
  }
  EXPECT_EQ(reduce.nucleus(1.1F, 1).size(), logits.size());
}

// A row on a device, which says its `n_top` greatest and what is true of all.
struct DeviceRow {
  DeviceRow(const std::vector<float>& row, size_t n_top) : logits(row), top(sorted(row)) {
    top.resize(std::min(n_top, top.size()));
    VocabularyReduce here;
    here.read(logits);
    summary = {.n_tokens = static_cast<int32_t>(logits.size()),
               .top = top,
               .log_sum_exp = here.log_sum_exp(1),
               .entropy = here.entropy(here.log_sum_exp(1)),
               .sum = here.sum()};
  }

  LogitRow row() {
    return {summary, [this] {
              ++brought;
              return std::span<const float>(logits);
            }};
  }

  std::vector<float> logits;
  std::vector<Candidate> top;
  LogitSummary summary;
  int brought = 0;
};

// Logits that differ from one another, so that a summary can be certain.
std::vector<float> distinct_logits(size_t n) {
  std::vector<float> logits(n);
  for (size_t i = 0; i < n; ++i) logits[i] = 6 - static_cast<float>(i) / 16;
  std::shuffle(logits.begin(), logits.end(), std::mt19937(3));
  return logits;
}

TEST(VocabularyReduce, AnswersFromADevicesSummaryWhatThatIsCertainOf) {
  DeviceRow device(distinct_logits(1000), 64);
  const std::vector<Candidate> all = sorted(device.logits);
  VocabularyReduce reduce;
  reduce.read(device.row());
  EXPECT_EQ(reduce.n_tokens(), 1000);
  EXPECT_EQ(reduce.greatest(), all[0]);
  for (const int32_t k : {0, 1, 40, 63}) expect_first(reduce.top(k), all, k);
  expect_first(reduce.above(all[50].logit), all, 51);
  EXPECT_EQ(reduce.above(100).size(), 0U);
  EXPECT_EQ(reduce.log_sum_exp(1), device.summary.log_sum_exp);
  EXPECT_EQ(reduce.entropy(reduce.log_sum_exp(1)), device.summary.entropy);
  EXPECT_EQ(reduce.sum(), device.summary.sum);
  EXPECT_EQ(reduce.logit(all[63].token), all[63].logit);
  const size_t nucleus = reduce.nucleus(0.9F, 1).size();
  EXPECT_EQ(device.brought, 0);

  VocabularyReduce here;
  here.read(device.logits);
  EXPECT_EQ(here.nucleus(0.9F, 1).size(), nucleus);
}

TEST(VocabularyReduce, BringsARowForWhatItsSummaryDoesNotSay) {
  const std::vector<float> logits = distinct_logits(1000);
  const std::vector<Candidate> all = sorted(logits);
  const auto brings = [&](const char* what, const auto& ask) {
    DeviceRow device(logits, 64);
    VocabularyReduce reduce;
    reduce.read(device.row());
    ask(reduce);
    EXPECT_EQ(device.brought, 1) << what;
    expect_first(reduce.top(100), all, 100);
    EXPECT_EQ(device.brought, 1) << what << ": once";
  };
  brings("the 64th may have equals", [&](VocabularyReduce& r) { expect_first(r.top(64), all, 64); });
  brings("so far down", [&](VocabularyReduce& r) { expect_first(r.above(all[63].logit), all, 64); });
  brings("unlikely", [&](VocabularyReduce& r) { EXPECT_EQ(r.logit(all[64].token), all[64].logit); });
  brings("a temperature", [&](VocabularyReduce& r) { EXPECT_GT(r.log_sum_exp(2), 0); });
  brings("a wide nucleus", [&](VocabularyReduce& r) { EXPECT_GT(r.nucleus(0.999F, 1).size(), 64U); });
  brings("everything", [&](VocabularyReduce& r) { EXPECT_EQ(r.all().size(), 1000U); });
}

TEST(VocabularyReduce, TakesNoSummarysWordForTokensThatAreEquallyLikely) {
  std::vector<float> logits(1000, 1);
  DeviceRow device(logits, 64);
  std::ranges::reverse(device.top);  // the device may have found any of them
  VocabularyReduce reduce;
  reduce.read(device.row());
  EXPECT_EQ(reduce.greatest(), (Candidate{0, 1}));
  expect_first(reduce.top(40), sorted(logits), 40);
  EXPECT_EQ(device.brought, 1);
}

TEST(VocabularyReduce, HoldsARowWhereNothingMayBeSampled) {
  const std::vector<float> logits(100, -infinity);
  VocabularyReduce reduce;
  for_each_instruction_set([&](const char*) {
    reduce.read(logits);
    EXPECT_EQ(reduce.greatest(), (Candidate{0, -infinity}));
    EXPECT_EQ(reduce.log_sum_exp(1), -infinity);
  });
}

}  // namespace
}  // namespace lanerope::kernels
