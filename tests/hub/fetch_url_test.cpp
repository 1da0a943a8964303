// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/hub/hub_fixture.h"

namespace lanerope::hub {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

const std::string model = some_bytes(700'000, 1);
const std::string other = some_bytes(300'000, 2);

class FetchUrl : public WithHub {
 protected:
  FetchUrl() { hub.put("user/repo", "m.gguf", model); }

  std::string url(const std::string& name = "m.gguf") const {
    return hub.endpoint() + "/user/repo/resolve/main/" + name;
  }
  Fetched bring(const fs::path& target = {}) { return fetch_url(url(), target, options); }
};

TEST_F(FetchUrl, GoesToTheCacheOfUrlsWithItsEtagBesideIt) {
  const Fetched fetched = bring();
  ASSERT_THAT(fetched.files, ElementsAre(options.settings.url_cache / "m.gguf"));
  EXPECT_EQ(bytes_of(fetched.files[0]), model);
  EXPECT_EQ(bytes_of(fetched.files[0].string() + ".etag"), sha256_text(model));
}

TEST_F(FetchUrl, GoesWhereToldTo) {
  const fs::path target = directory.path() / "sub/name.gguf";
  EXPECT_THAT(bring(target).files, ElementsAre(target));
  EXPECT_EQ(bytes_of(target), model);
}

TEST_F(FetchUrl, IsFetchedAgainOnlyWhereItChanged) {
  bring();
  EXPECT_TRUE(bring().was_there);
  EXPECT_THAT(hub.seen_files(), SizeIs(1));
  hub.put("user/repo", "m.gguf", other);
  EXPECT_FALSE(bring().was_there);
  EXPECT_EQ(bytes_of(bring().files[0]), other);
}

TEST_F(FetchUrl, AFileOfTheUsersOwnIsLeftAlone) {
  const fs::path target = directory.path() / "mine.gguf";
  write_bytes(target, "mine");
  EXPECT_TRUE(bring(target).was_there);
  EXPECT_EQ(bytes_of(target), "mine");
}

TEST_F(FetchUrl, GoesOnWhereItIsStillTheSameFile) {
  const fs::path partial = options.settings.url_cache / "m.gguf.incomplete";
  write_bytes(partial, model.substr(0, 300'000));
  write_bytes(partial.string() + ".etag", sha256_text(model));
  EXPECT_EQ(bytes_of(bring().files[0]), model);
  EXPECT_EQ(hub.seen_files()[0].from, 300'000U);
  EXPECT_FALSE(fs::exists(partial.string() + ".etag"));
}

TEST_F(FetchUrl, BeginsAnewWhereItIsAnother) {
  const fs::path partial = options.settings.url_cache / "m.gguf.incomplete";
  write_bytes(partial, other.substr(0, 1000));
  write_bytes(partial.string() + ".etag", sha256_text(other));
  EXPECT_EQ(bytes_of(bring().files[0]), model);
  write_bytes(partial, other.substr(0, 1000));  // of nobody knows what
  hub.put("user/repo", "m.gguf", other);
  EXPECT_EQ(bytes_of(bring().files[0]), other);
  EXPECT_THAT(notes, testing::IsEmpty()) << "seen by its tag, not by a wrong digest";
}

TEST_F(FetchUrl, CutsAndWrongBytesAreMended) {
  hub.cuts = {200'000};
  hub.wrong_files = 0;
  EXPECT_EQ(bytes_of(bring().files[0]), model);
  hub.put("user/repo", "m.gguf", other);
  hub.wrong_files = 1;
  EXPECT_EQ(bytes_of(bring().files[0]), other);
}

TEST_F(FetchUrl, AllShards) {
  hub.put("user/repo", "s-00001-of-00002.gguf", model);
  hub.put("user/repo", "s-00002-of-00002.gguf", other);
  const Fetched fetched = fetch_url(url("s-00001-of-00002.gguf") + "?download=true", {}, options);
  ASSERT_THAT(fetched.files, SizeIs(2));
  EXPECT_EQ(bytes_of(fetched.files[0]), model);
  EXPECT_EQ(bytes_of(fetched.files[1]), other);
}

TEST_F(FetchUrl, OfflineAndWithoutAHubWhatIsThereServes) {
  bring();
  hub.api_faults.assign(10, Fault{.status = 500});
  EXPECT_TRUE(bring().was_there);
  EXPECT_THAT(notes.back(), HasSubstr("going on with"));
  options.settings.offline = true;
  EXPECT_TRUE(bring().was_there);
  EXPECT_THROW(bring(directory.path() / "none.gguf"), InvalidRequest);
}

TEST_F(FetchUrl, TheTokenOfTheHubStaysWithTheHub) {
  options.settings.token = {.value = "hf_x", .from = "HF_TOKEN"};
  bring();
  EXPECT_EQ(hub.seen_api().back().token, "hf_x");
  options.settings.endpoint = "https://hub.example";
  hub.put("user/repo", "m.gguf", other);
  bring();
  EXPECT_EQ(hub.seen_api().back().token, "");
  options.settings.token.from = "--hf-token";  // said on the command line, for this
  bring();
  EXPECT_EQ(hub.seen_api().back().token, "hf_x");
}

TEST_F(FetchUrl, WhatIsNoUrlOfAFile) {
  for (const char* text : {"m.gguf", "ftp://host/m.gguf", "http://host", "http://host/", "http://host/.."})
    EXPECT_THROW(fetch_url(text, {}, options), InvalidRequest) << text;
}

}  // namespace
}  // namespace lanerope::hub
