// SPDX-License-Identifier: Apache-2.0
#include "hub/wanted.h"

#include <gtest/gtest.h>

#include "lanerope/errors.h"

namespace lanerope::hub {
namespace {

TEST(Wanted, IsARepositoryAndMaybeAQuantisationOrAFile) {
  EXPECT_EQ(parse_wanted("user/repo").repo, "user/repo");
  EXPECT_EQ(parse_wanted("user/repo").quant, "");
  EXPECT_EQ(parse_wanted("user/repo:q4_k_m").quant, "q4_k_m");
  EXPECT_EQ(parse_wanted("hf:user/repo:sub/a.gguf").file, "sub/a.gguf");
  EXPECT_EQ(parse_wanted("hf:user/repo:sub/a.gguf").quant, "");
  EXPECT_TRUE(names_hub("hf:user/repo"));
  EXPECT_FALSE(names_hub("hf/user"));
  for (const char* text : {"user/repo", "user/repo:Q8_0", "user/repo:a.gguf"})
    EXPECT_EQ(text_of(parse_wanted(text)), text);
}

TEST(Wanted, OtherThingsAreRefused) {
  for (const char* text :
       {"", "repo", "a/b/c", "/repo", "user/", "user//repo", "../repo", "user/..", "user/re po", "user/a--b",
        "-user/repo", "user/repo:", "user/repo:a:b", "user/.repo", "hf:"})
    EXPECT_THROW(parse_wanted(text), InvalidRequest) << text;
}

TEST(Wanted, RepositoriesAreFolders) {
  EXPECT_EQ(folder_of_repo("some-user/A.repo-x"), "models--some-user--A.repo-x");
  EXPECT_EQ(repo_of_folder("models--some-user--A.repo-x"), "some-user/A.repo-x");
  EXPECT_EQ(repo_of_folder("datasets--user--data"), std::nullopt);
  EXPECT_EQ(repo_of_folder("models--single"), std::nullopt);
}

}  // namespace
}  // namespace lanerope::hub
