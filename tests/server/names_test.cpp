// SPDX-License-Identifier: Apache-2.0
// The API's description lists the names of enums; they are those of the one table (core/names.cpp).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lanerope/coupling.h"
#include "lanerope/request.h"
#include "lanerope/result.h"
#include "server/page_assets.h"

namespace lanerope::server {
namespace {

using Json = nlohmann::json;

Json schemas() {
  const auto assets = page_assets();
  const auto file = std::ranges::find(assets, "/openapi.json", &PageAsset::path);
  return Json::parse(file->content)["components"]["schemas"];
}

template <typename Enum>
std::vector<std::string> all_names(std::vector<Enum> without = {}) {
  std::vector<std::string> list;
  for (const Named<Enum>& named : names<Enum>()) {
    if (std::ranges::find(without, named.value) == without.end()) list.emplace_back(named.name);
  }
  return list;
}

void expect_names(const Json& field, const std::vector<std::string>& expected) {
  EXPECT_THAT(field["enum"].get<std::vector<std::string>>(), ::testing::UnorderedElementsAreArray(expected))
      << field;
}

TEST(Names, OfTheApisDescriptionAreThoseOfTheOneTable) {
  const Json all = schemas();
  const Json& lanes = all["LanesRequest"]["properties"];
  expect_names(lanes["coupling"], all_names<CouplingKind>());
  expect_names(lanes["init"], all_names<OmegaInit>({OmegaInit::given}));
  expect_names(lanes["visibility"], all_names<Visibility>());
  expect_names(lanes["topology"], all_names<Topology>());
  expect_names(lanes["sees_from"], all_names<SeesFrom>());
  expect_names(lanes["prompt_lane"], all_names<PromptLane>());
  expect_names(lanes["far_lanes"], all_names<FarLanes>());
  expect_names(lanes["select"], all_names<SelectionKind>());
  const Json& coupling = all["Coupling"]["properties"];
  expect_names(coupling["kind"], all_names<CouplingKind>());
  expect_names(coupling["init"], all_names<OmegaInit>());
  expect_names(all["LaneReply"]["properties"]["finish"], all_names<FinishReason>());
  const Json& reply = all["LanesReply"]["properties"];
  expect_names(reply["select"], all_names<SelectionKind>());
  expect_names(reply["confidence_kind"], all_names<ConfidenceKind>());
}

// The page takes its choices from /props, so that a name is typed nowhere in web/ as one of a list.
TEST(Names, AreNotListedInThePage) {
  for (const PageAsset& asset : page_assets()) {
    if (asset.path != "/") continue;
    for (const std::string& name : all_names<CouplingKind>())
      EXPECT_EQ(asset.content.find("<option value=\"" + name), std::string_view::npos) << name;
  }
}

}  // namespace
}  // namespace lanerope::server
