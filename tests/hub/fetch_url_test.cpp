// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/hub/hub_fixture.h"

namespace lanerope::hub {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
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

// A file of the same name at another address, which goes to the same place.
class FetchAnotherUrl : public FetchUrl {
 protected:
  FetchAnotherUrl() { hub.put("user/other", "m.gguf", other); }

  std::string other_url() const { return hub.endpoint() + "/user/other/resolve/main/m.gguf"; }
  Fetched bring_other() { return fetch_url(other_url(), {}, options); }
};

TEST_F(FetchAnotherUrl, IsFetchedInItsPlaceWithAWord) {
  for (const bool tags : {true, false}) {
    hub.tags = tags;
    EXPECT_EQ(bytes_of(bring().files[0]), model);
    const Fetched fetched = bring_other();
    EXPECT_FALSE(fetched.was_there);
    EXPECT_EQ(bytes_of(fetched.files[0]), other);
    EXPECT_THAT(notes.back(), AllOf(HasSubstr(url()), HasSubstr(other_url())));
  }
}

TEST_F(FetchAnotherUrl, IsNotMadeUpForByWhatIsThere) {
  bring_other();
  try {
    fetch_url(url("none/m.gguf"), {}, options);
    FAIL() << "another file was taken for it";
  } catch (const InvalidRequest& error) {
    EXPECT_THAT(error.what(), HasSubstr(url("none/m.gguf")));
  }
  EXPECT_TRUE(bring_other().was_there) << "what was there stays";
  EXPECT_EQ(bytes_of(bring_other().files[0]), other);
}

TEST_F(FetchAnotherUrl, IsRefusedOffline) {
  bring();
  options.settings.offline = true;
  EXPECT_TRUE(bring().was_there);
  try {
    bring_other();
    FAIL() << "another file was taken for it";
  } catch (const InvalidRequest& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr(url()), HasSubstr(other_url()), HasSubstr("--offline")));
  }
}

TEST_F(FetchUrl, AnotherQueryIsAskedForByItsTag) {
  bring();
  EXPECT_TRUE(fetch_url(url() + "?signature=new", {}, options).was_there);
  hub.tags = false;
  EXPECT_FALSE(fetch_url(url() + "?signature=newer", {}, options).was_there) << "nothing tells them apart";
}

TEST_F(FetchUrl, WithoutATagTheDateTellsWhetherItChanged) {
  hub.tags = false;
  hub.changed = "Sun, 06 Nov 1994 08:49:37 GMT";
  bring();
  EXPECT_EQ(bytes_of(options.settings.url_cache / "m.gguf.url"), url() + "\n" + hub.changed);
  EXPECT_TRUE(bring().was_there);
  EXPECT_THAT(hub.seen_files(), SizeIs(1));
  hub.put("user/repo", "m.gguf", other);
  hub.changed = "Mon, 07 Nov 1994 08:49:37 GMT";
  EXPECT_FALSE(bring().was_there);
  EXPECT_EQ(bytes_of(bring().files[0]), other);
}

TEST_F(FetchUrl, WithoutTagAndDateItStaysAndALineSaysSo) {
  hub.tags = false;
  bring();
  EXPECT_TRUE(bring().was_there);
  EXPECT_THAT(hub.seen_files(), SizeIs(1));
  EXPECT_THAT(notes.back(), HasSubstr("does not tell whether m.gguf has changed"));
}

// As llama.cpp leaves it, and lanerope did before it kept URLs.
TEST_F(FetchUrl, AFileOfWhichTheTagAloneIsKnown) {
  const fs::path target = options.settings.url_cache / "m.gguf";
  write_bytes(target, model);
  write_bytes(target.string() + ".etag", sha256_text(model));
  EXPECT_TRUE(bring().was_there);
  EXPECT_THAT(hub.seen_files(), SizeIs(0));
  EXPECT_EQ(bytes_of(target.string() + ".url"), url() + "\n") << "from now on its URL is known";
  fs::remove(target.string() + ".url");
  write_bytes(target.string() + ".etag", "");
  options.settings.offline = true;
  EXPECT_TRUE(bring().was_there);
  options.settings.offline = false;
  EXPECT_FALSE(bring().was_there) << "of which URL it is, nobody knows";
}

TEST_F(FetchUrl, AFileOfTheUsersOwnIsLeftAloneAndRefused) {
  const fs::path target = directory.path() / "mine.gguf";
  write_bytes(target, "mine");
  for (const bool offline : {false, true}) {
    options.settings.offline = offline;
    try {
      bring(target);
      FAIL() << "it was taken for the URL's";
    } catch (const InvalidRequest& error) {
      EXPECT_EQ(error.what(), target.string() + " was not fetched from " + url() +
                                  "; give -m another name or leave -mu out");
    }
  }
  EXPECT_EQ(bytes_of(target), "mine");
  EXPECT_THAT(hub.seen_files(), SizeIs(0));
}

TEST_F(FetchUrl, AShardOfTheUsersOwnIsRefusedBeforeAnyIsFetched) {
  hub.put("user/repo", "s-00001-of-00002.gguf", model);
  hub.put("user/repo", "s-00002-of-00002.gguf", other);
  const fs::path target = options.settings.url_cache / "mine" / "s.gguf";
  fs::create_directories(target.parent_path());
  write_bytes(target.parent_path() / "s-00002-of-00002.gguf", "mine");
  EXPECT_THROW(fetch_url(url("s-00001-of-00002.gguf"), target, options), InvalidRequest);
  EXPECT_FALSE(fs::exists(target.parent_path() / "s-00001-of-00002.gguf"));
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
