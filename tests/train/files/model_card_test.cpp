// SPDX-License-Identifier: Apache-2.0
#include "train/files/model_card.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "lanerope/errors.h"
#include "tests/support/temporary_directory.h"
#include "train/files/whole_file.h"

namespace lanerope::train {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ModelCard written_card(const support::TemporaryDirectory& directory) {
  fs::create_directory(directory.path() / "sub");
  write_whole_file(directory.file("a.gguf"), "abc");
  write_whole_file(directory.file("sub/b.gguf"), "");
  ModelCard card{.name = "lanes", .commit = "0123abc"};
  card.files = describe_files(directory.path(), {"a.gguf", "sub/b.gguf"});
  card.stages.push_back({.config = {{"stage", "sft"}, {"learning_rate", 1e-3}, {"base", "a.gguf"}},
                         .tokens = 50'000'000'000,
                         .seconds = 1.5,
                         .begun = utc_text(1795500000),
                         .finished = utc_text(1795503600)});
  write_model_card(directory.file("model.json"), card);
  return card;
}

TEST(ModelCard, IsReadBackAsItWasWritten) {
  const support::TemporaryDirectory directory;
  const ModelCard card = written_card(directory);
  const ModelCard read = read_model_card(directory.file("model.json"));
  EXPECT_EQ(read.name, card.name);
  EXPECT_EQ(read.commit, card.commit);
  ASSERT_EQ(read.files.size(), 2u);
  EXPECT_EQ(read.files[0].name, "a.gguf");
  EXPECT_EQ(read.files[0].bytes, 3u);
  EXPECT_EQ(read.files[0].sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  ASSERT_EQ(read.stages.size(), 1u);
  EXPECT_EQ(read.stages[0].config, card.stages[0].config);
  EXPECT_EQ(read.stages[0].tokens, 50'000'000'000);
  EXPECT_EQ(read.stages[0].seconds, 1.5);
  EXPECT_EQ(read.stages[0].begun, card.stages[0].begun);
  EXPECT_EQ(read.stages[0].finished, card.stages[0].finished);
}

TEST(ModelCard, FindsEveryFileThatIsNotWhatItWas) {
  const support::TemporaryDirectory directory;
  written_card(directory);
  const std::string path = directory.file("model.json");
  EXPECT_THAT(verify_model_card(path), IsEmpty());
  write_whole_file(directory.file("a.gguf"), "abd");
  fs::remove(directory.file("sub/b.gguf"));
  EXPECT_THAT(verify_model_card(path),
              ElementsAre(AllOf(HasSubstr("a.gguf has 3 bytes"), HasSubstr("ba7816bf")),
                          HasSubstr("b.gguf is missing")));
}

TEST(ModelCard, RefusesWhatIsNoCard) {
  const support::TemporaryDirectory directory;
  const std::string path = directory.file("model.json");
  const std::string head = R"({"name": "x", "commit": "", "stages": [], "files": )";
  for (const std::string& text :
       {std::string(), std::string("[]"), head + "7}", head + R"([{"name": "a", "bytes": "3"}]})",
        head + R"([{"name": "../a", "bytes": 3, "sha256": "00"}]})",
        head + R"([{"name": "/etc/a", "bytes": 3, "sha256": "00"}]})"}) {
    write_whole_file(path, text);
    EXPECT_THROW(read_model_card(path), BadFile) << text;
  }
  EXPECT_THROW(describe_files(directory.path(), {"../a"}), InvalidRequest);
  EXPECT_THROW(describe_files(directory.path(), {"none"}), SystemError);
}

TEST(ModelCard, DatesAreUtc) {
  EXPECT_EQ(utc_text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(utc_text(951782400), "2000-02-29T00:00:00Z");
}

TEST(ModelCard, TheCommitIsWhatGitHasCheckedOut) {
  const support::TemporaryDirectory directory;
  const std::string commit(40, 'a');
  const std::string other(40, 'b');
  fs::create_directories(directory.path() / ".git/refs/heads");
  fs::create_directories(directory.path() / "src/deep");
  write_whole_file(directory.file(".git/HEAD"), "ref: refs/heads/main\n");
  write_whole_file(
      directory.file(".git/packed-refs"),
      "# pack-refs with: peeled\n" + other + " refs/heads/domain\n" + commit + " refs/heads/main\n");
  EXPECT_EQ(git_commit(directory.file("src/deep")), commit);
  write_whole_file(directory.file(".git/refs/heads/main"), other + "\n");
  EXPECT_EQ(git_commit(directory.path()), other);
  write_whole_file(directory.file(".git/HEAD"), commit + "\n");
  EXPECT_EQ(git_commit(directory.path()), commit);
}

// The models and adapters that lie in the repository are the ones that the card in their folder speaks of,
// and none lies there without.
TEST(BundledModels, AreWhatTheirCardSays) {
  const fs::path folder = LANEROPE_MODELS_DIR;
  std::map<fs::path, std::set<std::string>> present;
  if (fs::is_directory(folder)) {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      const fs::path& file = entry.path();
      if (file.extension() == ".gguf") present[file.parent_path()].insert(file.filename());
    }
  }
  if (present.empty()) GTEST_SKIP() << "no models in " << folder;
  for (const auto& [parent, names] : present) {
    const std::string card = parent / "model.json";
    ASSERT_TRUE(fs::exists(card)) << card;
    EXPECT_THAT(verify_model_card(card), IsEmpty());
    std::set<std::string> listed;
    for (const CardFile& file : read_model_card(card).files) listed.insert(file.name);
    EXPECT_EQ(listed, names) << card;
  }
}

}  // namespace
}  // namespace lanerope::train
