// SPDX-License-Identifier: Apache-2.0
#include "hub/fetch.h"

#include <gmock/gmock.h>

#include <thread>

#include "hub/file_lock.h"
#include "tests/hub/hub_fixture.h"

namespace lanerope::hub {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

using Fetch = WithHub;

const std::string model = some_bytes(700'000, 1);
const std::string other = some_bytes(300'000, 2);

TEST_F(Fetch, FilesAreLaidOutAsTheHubsLibraryDoes) {
  hub.put("user/repo", "sub/a-Q4_K_M.gguf", model);
  const Fetched fetched = fetch_model("user/repo");
  const fs::path folder = options.settings.cache / "models--user--repo";
  const std::string commit = hub.commit("user/repo");
  ASSERT_THAT(fetched.files, ElementsAre(folder / "snapshots" / commit / "sub/a-Q4_K_M.gguf"));
  EXPECT_FALSE(fetched.was_there);
  EXPECT_EQ(bytes_of(fetched.files[0]), model);
  EXPECT_EQ(fs::read_symlink(fetched.files[0]), "../../../blobs/" + sha256_text(model));
  EXPECT_EQ(bytes_of(folder / "refs/main"), commit);
  EXPECT_FALSE(fs::exists(partial(model)));
  EXPECT_TRUE(
      fs::exists(options.settings.cache / ".locks/models--user--repo" / (sha256_text(model) + ".lock")));
}

TEST_F(Fetch, WhatIsThereIsNotFetchedAgain) {
  hub.put("user/repo", "a-Q8_0.gguf", model);
  fetch_model("user/repo");
  EXPECT_TRUE(fetch_model("user/repo:Q8_0").was_there);
  EXPECT_THAT(hub.seen_files(), SizeIs(1));
  // A new commit with the same bytes costs a link.
  hub.put("user/repo", "README.md", "text", false);
  const Fetched again = fetch_model("user/repo");
  EXPECT_TRUE(again.was_there);
  EXPECT_THAT(again.files[0].string(), HasSubstr(hub.commit("user/repo")));
  EXPECT_EQ(bytes_of(again.files[0]), model);
  EXPECT_THAT(hub.seen_files(), SizeIs(1));
}

TEST_F(Fetch, ANewCommitBringsNewBytesAndKeepsTheOld) {
  hub.put("user/repo", "a-Q8_0.gguf", model);
  const fs::path old = fetch_model("user/repo").files[0];
  hub.put("user/repo", "a-Q8_0.gguf", other);
  EXPECT_EQ(bytes_of(fetch_model("user/repo").files[0]), other);
  EXPECT_EQ(bytes_of(old), model);
}

TEST_F(Fetch, AllShardsOfASplitModel) {
  const std::vector<std::string> shards = {some_bytes(1000, 3), some_bytes(2000, 4), some_bytes(3000, 5)};
  for (size_t i = 0; i < 3; ++i)
    hub.put("user/repo", "m-Q4_K_M-0000" + std::to_string(i + 1) + "-of-00003.gguf", shards[i]);
  hub.page = 2;  // the list comes in pages, of which llama.cpp reads the first alone
  const Fetched fetched = fetch_model("user/repo");
  ASSERT_THAT(fetched.files, SizeIs(3));
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(bytes_of(fetched.files[i]), shards[i]);
  EXPECT_THAT(fetched.files[0].string(), HasSubstr("-00001-of-00003.gguf"));
}

TEST_F(Fetch, SmallFilesAreGitObjects) {
  hub.put("user/lora", "adapter.gguf", other, false);
  const Fetched fetched = fetch({.repo = "user/lora"}, Kind::adapter, options);
  EXPECT_EQ(bytes_of(fetched.files[0]), other);
  EXPECT_THAT(fs::read_symlink(fetched.files[0]).filename().string(), SizeIs(40));
}

TEST_F(Fetch, NamesWithOddCharactersAreEscaped) {
  hub.put("user/repo", "a b#1?/m%20-Q8_0.gguf", model);
  EXPECT_EQ(bytes_of(fetch_model("user/repo").files[0]), model);
}

TEST_F(Fetch, PathsOutOfTheCacheAreLeftOut) {
  hub.put("user/repo", "../../../escaped-Q4_K_M.gguf", other);
  hub.put("user/repo", "m-Q8_0.gguf", model);
  EXPECT_EQ(bytes_of(fetch_model("user/repo").files[0]), model);
  EXPECT_THAT(refusal<InvalidRequest>("user/repo:Q4_K_M"), HasSubstr("has no Q4_K_M"));
}

TEST_F(Fetch, TheTokenGoesToTheHubAndNoFurther) {
  hub.needed_token = "hf_secret";
  options.settings.token = {.value = "hf_secret", .from = "HF_TOKEN"};
  hub.put("user/repo", "m-Q8_0.gguf", model);
  fetch_model("user/repo");
  for (const Seen& seen : hub.seen_api()) EXPECT_EQ(seen.token, "hf_secret") << seen.path;
  for (const Seen& seen : hub.seen_files()) EXPECT_EQ(seen.token, "") << seen.path;
}

TEST_F(Fetch, GoesOnFromWhatAnotherRunLeft) {
  hub.put("user/repo", "m-Q8_0.gguf", model);
  write_bytes(partial(model), model.substr(0, 250'000));
  EXPECT_EQ(bytes_of(fetch_model("user/repo").files[0]), model);
  ASSERT_THAT(hub.seen_files(), SizeIs(1));
  EXPECT_EQ(hub.seen_files()[0].from, 250'000U);
  EXPECT_EQ(reports.front().resumed, 250'000U);
}

TEST_F(Fetch, WhatIsCompleteButForItsNameIsOnlyChecked) {
  hub.put("user/repo", "m-Q8_0.gguf", model);
  write_bytes(partial(model), model);
  EXPECT_EQ(bytes_of(fetch_model("user/repo").files[0]), model);
  EXPECT_THAT(hub.seen_files(), IsEmpty());
}

TEST_F(Fetch, ABlobThatIsCutIsGoneOnFrom) {
  hub.put("user/repo", "m-Q8_0.gguf", model);
  write_bytes(blob(model), model.substr(0, 1234));
  EXPECT_EQ(bytes_of(fetch_model("user/repo").files[0]), model);
  EXPECT_EQ(hub.seen_files()[0].from, 1234U);
}

TEST_F(Fetch, WrongBytesOfAnotherRunAreFetchedAnew) {
  hub.put("user/repo", "m-Q8_0.gguf", model);
  write_bytes(partial(model), std::string(250'000, 'x'));
  EXPECT_EQ(bytes_of(fetch_model("user/repo").files[0]), model);
  EXPECT_THAT(notes, ElementsAre(HasSubstr("wrong digest; fetching it once more")));
  write_bytes(partial(other), other + "more");
  hub.put("user/repo", "m-Q8_0.gguf", other);
  EXPECT_EQ(bytes_of(fetch_model("user/repo").files[0]), other);
}

TEST_F(Fetch, OfflineTakesWhatTheCacheHas) {
  hub.put("user/repo", "m-Q8_0.gguf", model);
  const Fetched fetched = fetch_model("user/repo");
  const size_t asked = hub.seen_api().size();
  options.settings.offline = true;
  EXPECT_EQ(fetch_model("user/repo:q8_0").files, fetched.files);
  EXPECT_THAT(refusal<InvalidRequest>("user/repo:Q4_0"), StartsWith("user/repo:Q4_0 is not in "));
  EXPECT_THAT(refusal<InvalidRequest>("user/none"), HasSubstr("offline nothing is fetched"));
  EXPECT_THAT(hub.seen_api(), SizeIs(asked));
}

// Other tools write the newest commit down before they have its files.
TEST_F(Fetch, OfflineFindsAnOlderCommitToo) {
  hub.put("user/repo", "m-Q8_0.gguf", model);
  const Fetched fetched = fetch_model("user/repo");
  write_bytes(options.settings.cache / "models--user--repo/refs/main", std::string(40, 'b'));
  options.settings.offline = true;
  EXPECT_EQ(fetch_model("user/repo").files, fetched.files);
}

TEST_F(Fetch, TheCacheHelpsWhereTheHubDoesNotAnswer) {
  hub.put("user/repo", "m-Q8_0.gguf", model);
  const Fetched fetched = fetch_model("user/repo");
  hub.api_faults.assign(10, Fault{.status = 503});
  EXPECT_EQ(fetch_model("user/repo").files, fetched.files);
  EXPECT_THAT(notes, SizeIs(1)) << "there is nothing to wait for";
  EXPECT_THAT(notes.back(),
              HasSubstr("trouble of its own (503); going on with what the cache has of user/repo"));
  options.fall_back = false;
  hub.api_faults.assign(10, Fault{.status = 503});
  EXPECT_THAT(refusal<SystemError>("user/repo"), HasSubstr("try again later"));
}

TEST_F(Fetch, TwoAtOnceFetchOnce) {
  hub.put("user/repo", "m-Q8_0.gguf", model);
  hub.bytes_per_second = 2'000'000;
  options.watch = {};
  std::vector<std::thread> threads;
  std::vector<std::string> got(3);
  for (std::string& bytes : got)
    threads.emplace_back([&] { bytes = bytes_of(fetch_model("user/repo").files[0]); });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& bytes : got) EXPECT_EQ(bytes, model);
  EXPECT_THAT(hub.seen_files(), SizeIs(1));
}

TEST_F(Fetch, AWaitForAnotherIsSaidAndCanBeStopped) {
  hub.put("user/repo", "m-Q8_0.gguf", model);
  const FileLock held(cache().lock("user/repo", sha256_text(model)), [] {}, [] {});
  options.watch.stopped = [this] { return !notes.empty(); };
  EXPECT_THROW(fetch_model("user/repo"), Stopped);
  EXPECT_THAT(notes, ElementsAre("another program is fetching m-Q8_0.gguf; waiting for it"));
}

TEST_F(Fetch, StoppedKeepsWhatIsThere) {
  hub.put("user/repo", "m-Q8_0.gguf", model);
  hub.bytes_per_second = 1'000'000;
  options.watch.stopped = [this] { return !reports.empty() && reports.back().done > 100'000; };
  EXPECT_THROW(fetch_model("user/repo"), Stopped);
  const auto there = fs::file_size(partial(model));
  EXPECT_GT(there, 100'000U);
  EXPECT_LT(there, model.size());
  EXPECT_EQ(bytes_of(partial(model)), model.substr(0, there));
}

TEST_F(Fetch, ReportsGoUpToTheWhole) {
  hub.put("user/repo", "m-Q8_0.gguf", model);
  hub.bytes_per_second = 2'000'000;
  fetch_model("user/repo");
  ASSERT_GT(reports.size(), 2U);
  EXPECT_TRUE(std::ranges::is_sorted(reports, {}, &Progress::done));
  EXPECT_EQ(reports.back().done, model.size());
  EXPECT_EQ(reports.back().total, model.size());
  EXPECT_TRUE(reports.back().complete);
  EXPECT_EQ(reports.back().name, "m-Q8_0.gguf");
}

}  // namespace
}  // namespace lanerope::hub
