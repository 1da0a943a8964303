// SPDX-License-Identifier: Apache-2.0
// What goes wrong between the hub and the disk: what is mended, and what is said where nothing can be.
#include <gmock/gmock.h>

#include "tests/hub/hub_fixture.h"

namespace lanerope::hub {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::string model = some_bytes(700'000, 1);

class HttpTrouble : public WithHub {
 protected:
  HttpTrouble() { hub.put("user/repo", "m-Q8_0.gguf", model); }

  std::string fetched() { return bytes_of(fetch_model("user/repo").files[0]); }

  void every_api_reply_is(const Fault& fault) { hub.api_faults.assign(10, fault); }
  // Lets the list through.
  void every_file_reply_is(const Fault& fault) { hub.file_faults.assign(10, fault); }
};

TEST_F(HttpTrouble, AConnectionThatBreaksOffIsGoneOnFrom) {
  hub.cuts = {100'000, 0, 200'000, 50'000};
  EXPECT_EQ(fetched(), model);
  std::vector<uint64_t> starts;
  for (const Seen& seen : hub.seen_files()) starts.push_back(seen.from.value_or(0));
  EXPECT_THAT(starts, ElementsAre(0, 100'000, 100'000, 300'000, 350'000));
  EXPECT_THAT(notes, Contains(AllOf(HasSubstr("broke off"), HasSubstr("; trying again in 1 s"))));
}

TEST_F(HttpTrouble, WhatNeverComesIsGivenUp) {
  hub.cuts.assign(20, 0);
  EXPECT_THAT(refusal<SystemError>("user/repo"), HasSubstr("run the same command again"));
  EXPECT_THAT(hub.seen_files(), SizeIs(4));
}

TEST_F(HttpTrouble, AServerWithoutRangesSendsTheWholeAgain) {
  hub.ranges = false;
  hub.cuts = {100'000};
  EXPECT_EQ(fetched(), model);
  EXPECT_EQ(hub.seen_files().back().from, 100'000U);
}

TEST_F(HttpTrouble, AnotherPartThanWasAskedForIsNotTaken) {
  hub.cuts = {100'000};
  const Fault other_part{.status = 206, .headers = {{"Content-Range", "bytes 5-9/700000"}}, .body = "other"};
  hub.file_faults = {std::nullopt, other_part};
  EXPECT_EQ(fetched(), model);
  EXPECT_THAT(notes, ElementsAre(HasSubstr("broke off"))) << "no wrong digest";
  EXPECT_EQ(hub.seen_files().back().from, std::nullopt);
}

TEST_F(HttpTrouble, AWrongDigestIsFetchedOnceMoreAndThenRefused) {
  hub.wrong_files = 1;
  EXPECT_EQ(fetched(), model);
  EXPECT_THAT(notes, ElementsAre("m-Q8_0.gguf came with a wrong digest; fetching it once more"));
  const std::string changed = some_bytes(5'000, 9);
  hub.put("user/repo", "m-Q8_0.gguf", changed);
  hub.wrong_files = 2;
  EXPECT_THAT(refusal<BadFile>("user/repo"), HasSubstr("with another SHA-256 than it should have, twice"));
  EXPECT_FALSE(fs::exists(blob(changed)));
  EXPECT_FALSE(fs::exists(partial(changed)));
}

TEST_F(HttpTrouble, RetryAfterIsWaitedFor) {
  hub.file_faults = {Fault{.status = 429, .headers = {{"Retry-After", "1"}}}};
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(fetched(), model);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(950));
  EXPECT_THAT(notes, ElementsAre(HasSubstr("asks for fewer requests (429); trying again in 1 s")));
}

TEST_F(HttpTrouble, ALongRetryAfterIsSaidInstead) {
  every_api_reply_is({.status = 429, .headers = {{"Retry-After", "300"}}});
  EXPECT_THAT(refusal<SystemError>("user/repo"),
              HasSubstr("asks for fewer requests (429); try again in 300 s, or with a token"));
  EXPECT_THAT(notes, IsEmpty());
}

TEST_F(HttpTrouble, ServersInTroubleAreAskedAgain) {
  hub.api_faults = {Fault{.status = 502}, std::nullopt, Fault{.status = 503}};
  hub.file_faults = {Fault{.status = 500}};
  EXPECT_EQ(fetched(), model);
  EXPECT_THAT(notes, SizeIs(3));
  hub.put("user/repo", "m-Q8_0.gguf", model + "x");
  every_file_reply_is({.status = 504});
  EXPECT_THAT(refusal<SystemError>("user/repo"), HasSubstr("trouble of its own (504); try again later"));
}

TEST_F(HttpTrouble, NoRepositoryOfThatName) {
  EXPECT_THAT(refusal<InvalidRequest>("user/none"),
              HasSubstr("has no repository user/none (404); check the name"));
  EXPECT_THAT(notes, IsEmpty());
}

TEST_F(HttpTrouble, NotShownWithoutAToken) {
  hub.needed_token = "hf_right";
  EXPECT_THAT(
      refusal<InvalidRequest>("user/repo"),
      AllOf(HasSubstr("does not show repository user/repo without a token (401)"), HasSubstr("HF_TOKEN")));
  options.settings.token = {.value = "hf_wrong", .from = "HF_TOKEN"};
  EXPECT_THAT(refusal<InvalidRequest>("user/repo"), HasSubstr("does not accept the token of HF_TOKEN (401)"));
  EXPECT_THAT(refusal<InvalidRequest>("user/repo"), Not(HasSubstr("hf_wrong")));
}

TEST_F(HttpTrouble, OnlyForThoseWhoWereLetIn) {
  every_api_reply_is({.status = 403, .headers = {{"X-Error-Code", "GatedRepo"}}});
  EXPECT_THAT(
      refusal<InvalidRequest>("user/repo"),
      AllOf(HasSubstr("is only for those who were let in (403)"), HasSubstr(hub.endpoint() + "/user/repo")));
  options.settings.token = {.value = "hf_x", .from = "--hf-token"};
  hub.api_faults.clear();
  every_file_reply_is({.status = 403});
  EXPECT_THAT(refusal<InvalidRequest>("user/repo"),
              HasSubstr("the token of --hf-token may not read file m-Q8_0.gguf in user/repo (403)"));
}

TEST_F(HttpTrouble, AListedFileThatIsGone) {
  every_file_reply_is({.status = 404});
  EXPECT_THAT(refusal<InvalidRequest>("user/repo"), HasSubstr("has no file m-Q8_0.gguf in user/repo (404)"));
}

TEST_F(HttpTrouble, OtherStatusesAreTold) {
  every_api_reply_is({.status = 418});
  EXPECT_THAT(refusal<SystemError>("user/repo"), HasSubstr("answers 418 for repository user/repo"));
}

TEST_F(HttpTrouble, WhatIsNoHub) {
  every_api_reply_is({.status = 200, .body = "<html>"});
  EXPECT_THAT(refusal<SystemError>("user/repo"), HasSubstr("does not answer as a model hub does"));
  every_api_reply_is({.status = 200, .body = "{}"});
  EXPECT_THAT(refusal<SystemError>("user/repo"), HasSubstr("tells of no branch"));
  hub.api_faults = {std::nullopt, Fault{.status = 200, .body = "{\"files\": 1}"}};
  EXPECT_THAT(refusal<SystemError>("user/repo"), HasSubstr("does not answer as a model hub does"));
}

TEST_F(HttpTrouble, AHostThatIsNotThere) {
  options.settings.endpoint = "http://127.0.0.1:1";
  EXPECT_THAT(refusal<SystemError>("user/repo"),
              AllOf(HasSubstr("127.0.0.1:1 cannot be reached"), HasSubstr("--offline")));
  EXPECT_THAT(notes, SizeIs(2));
}

TEST_F(HttpTrouble, AHostThatSaysNothing) {
  hub.bytes_per_second = 1;
  options.retry.tries = 1;
  EXPECT_THAT(refusal<SystemError>("user/repo"), HasSubstr("does not answer"));
}

TEST_F(HttpTrouble, AListThatLeadsElsewhereIsNotFollowed) {
  const std::string link = "<http://127.0.0.1:1/api>; rel=\"next\"";
  hub.api_faults = {std::nullopt, Fault{.status = 200, .headers = {{"Link", link}}, .body = "[]"}};
  EXPECT_THAT(refusal<SystemError>("user/repo"), HasSubstr("sends its list on to 127.0.0.1:1"));
}

// Writes to /dev/full fail as those to a full disk do.
TEST_F(HttpTrouble, AFullDiskIsOneSentence) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  fs::create_directories(partial(model).parent_path());
  fs::create_symlink("/dev/full", partial(model));
  EXPECT_THAT(
      refusal<SystemError>("user/repo"),
      AllOf(HasSubstr("the disk of "), HasSubstr(" is full, and 1 MB are still to come; free some space")));
}

TEST_F(HttpTrouble, TooLittleRoomIsSaidBeforeAnythingComes) {
  const std::string list = R"([{"type":"file","path":"m-Q8_0.gguf","size":4000000000000000,"lfs":{"oid":")" +
                           sha256_text(model) + R"(","size":4000000000000000}}])";
  hub.api_faults = {std::nullopt, Fault{.status = 200, .body = list}};
  EXPECT_THAT(refusal<SystemError>("user/repo"),
              AllOf(HasSubstr(" MB free, and 4000000000 MB are still to come"), HasSubstr("HF_HOME")));
  EXPECT_THAT(hub.seen_files(), IsEmpty());
}

TEST_F(HttpTrouble, MoreBytesThanListedAreRefused) {
  const std::string list =
      R"([{"type":"file","path":"m-Q8_0.gguf","lfs":{"oid":")" + sha256_text(model) + R"(","size":699999}}])";
  hub.api_faults = {std::nullopt, Fault{.status = 200, .body = list}};
  EXPECT_THAT(refusal<BadFile>("user/repo"), HasSubstr("comes with more than its 699999 bytes"));
}

TEST_F(HttpTrouble, ACacheThatCannotBeWrittenIsSaid) {
  write_bytes(options.settings.cache, "a file where the folder should be");
  EXPECT_THAT(refusal<SystemError>("user/repo"), HasSubstr("cannot be written"));
}

}  // namespace
}  // namespace lanerope::hub
