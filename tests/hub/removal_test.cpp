// SPDX-License-Identifier: Apache-2.0
#include "hub/removal.h"

#include <gmock/gmock.h>

#include "hub/file_lock.h"
#include "hub/known_digest.h"
#include "tests/hub/hub_fixture.h"

namespace lanerope::hub {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const std::string small = some_bytes(1000, 1);
const std::string large = some_bytes(5000, 2);

class CachedModels : public WithHub {
 protected:
  CachedModels() {
    hub.put("user/repo", "m-Q4_0.gguf", small);
    hub.put("user/repo", "m-Q8_0.gguf", large);
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const CachedModel& model : list_cached(cache())) names.push_back(model.name);
    return names;
  }
};

TEST_F(CachedModels, AreListedByWhatTheyAreAskedForBy) {
  EXPECT_THAT(names(), IsEmpty());
  fetch_model("user/repo:Q4_0");
  fetch_model("user/repo:Q8_0");
  hub.put("user/other", "plain.gguf", large);
  fetch_model("user/other");
  const std::vector<CachedModel> models = list_cached(cache());
  EXPECT_THAT(names(), UnorderedElementsAre("user/other:plain.gguf", "user/repo:Q4_0", "user/repo:Q8_0"));
  EXPECT_EQ(models[1].bytes, small.size());
  EXPECT_EQ(models[1].sha256, sha256_text(small));
  EXPECT_TRUE(models[1].newest);
  for (const CachedModel& model : models)
    EXPECT_EQ(bytes_of(fetch_model(model.name).files[0]), bytes_of(model.file));
}

TEST_F(CachedModels, OfAnOlderCommitAndWithoutAllShardsAreMarked) {
  fetch_model("user/repo:Q4_0");
  hub.put("user/repo", "m-Q4_0.gguf", large);
  fetch_model("user/repo:Q4_0");
  for (const CachedModel& model : list_cached(cache()))
    EXPECT_EQ(model.newest, model.sha256 == sha256_text(large));
  hub.put("user/split", "s-F16-00001-of-00002.gguf", small);
  hub.put("user/split", "s-F16-00002-of-00002.gguf", large);
  const fs::path second = fetch_model("user/split").files[1];
  EXPECT_EQ(list_cached(cache()).back().bytes, small.size() + large.size());
  EXPECT_TRUE(list_cached(cache()).back().complete);
  fs::remove(second);
  EXPECT_FALSE(list_cached(cache()).back().complete);
}

TEST_F(CachedModels, OneQuantisationGoes) {
  const fs::path kept = fetch_model("user/repo:Q4_0").files[0];
  fetch_model("user/repo:Q8_0");
  const Removal removal = remove_cached(cache(), parse_wanted("user/repo:q8_0"));
  EXPECT_THAT(removal.names, ElementsAre("m-Q8_0.gguf"));
  EXPECT_EQ(removal.bytes, large.size());
  EXPECT_EQ(bytes_of(kept), small);
  EXPECT_FALSE(fs::exists(blob(large)));
}

TEST_F(CachedModels, BytesThatAnotherCommitNeedsStay) {
  fetch_model("user/repo:Q8_0");
  hub.put("user/repo", "copy-Q4_K_M.gguf", large);
  fetch_model("user/repo:Q4_K_M");
  const Removal removal = remove_cached(cache(), parse_wanted("user/repo:Q4_K_M"));
  EXPECT_EQ(removal.bytes, 0U);
  EXPECT_TRUE(fs::exists(blob(large)));
}

TEST_F(CachedModels, TheRepositoryGoesWithWhatWasFetchedInPart) {
  fetch_model("user/repo:Q4_0");
  write_bytes(partial(large), "begun");
  EXPECT_EQ(remove_cached(cache(), parse_wanted("user/repo")).bytes, small.size() + 5);
  EXPECT_FALSE(fs::exists(cache().folder("user/repo")));
  EXPECT_THROW(remove_cached(cache(), parse_wanted("user/repo")), InvalidRequest);
}

TEST_F(CachedModels, OtherToolsFilesStay) {
  const fs::path model = fetch_model("user/repo:Q4_0").files[0];
  write_bytes(model.parent_path() / "config.json", "{}");
  remove_cached(cache(), parse_wanted("user/repo"));
  EXPECT_FALSE(fs::exists(model));
  EXPECT_EQ(bytes_of(model.parent_path() / "config.json"), "{}");
}

TEST_F(CachedModels, WhatIsBeingFetchedStays) {
  fetch_model("user/repo:Q4_0");
  const FileLock held(cache().lock("user/repo", sha256_text(large)), [] {}, [] {});
  EXPECT_THROW(remove_cached(cache(), parse_wanted("user/repo")), SystemError);
}

TEST_F(CachedModels, DigestsAreKnownOrReadOnce) {
  const fs::path model = fetch_model("user/repo:Q4_0").files[0];
  fs::resize_file(blob(small), 10);  // it is the name that is believed
  EXPECT_EQ(sha256_of(model, options.settings), sha256_text(small));
  const fs::path plain = directory.path() / "plain.gguf";
  write_bytes(plain, large);
  EXPECT_EQ(sha256_of(plain, options.settings), sha256_text(large));
  EXPECT_EQ(bytes_of(options.settings.digests).substr(0, 64), sha256_text(large));
  write_bytes(options.settings.digests, std::string(64, 'e') + bytes_of(options.settings.digests).substr(64));
  EXPECT_EQ(sha256_of(plain, options.settings), std::string(64, 'e'));  // remembered, not read
  write_bytes(plain, small);
  EXPECT_EQ(sha256_of(plain, options.settings), sha256_text(small));
}

}  // namespace
}  // namespace lanerope::hub
