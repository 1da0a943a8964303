// SPDX-License-Identifier: Apache-2.0
// The server over two devices and the CPU at once; run by script/test-vulkan.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "lanerope/devices.h"
#include "tests/server/running_server.h"
#include "tests/support/random_models.h"

namespace lanerope::server {
namespace {

TEST(VulkanServer, SaysWhatItSaysOnTheCpuToManyClientsAtOnce) {
  const std::vector<std::string> names = device_names();
  if (std::ranges::find(names, "Vulkan1") == names.end())
    GTEST_SKIP() << "ggml found no two Vulkan devices here; run script/test-vulkan";
  const std::string file = support::write_model(tools::preset_model("tiny"));
  const Running on_cpu({}, true, support::load_model(file, BackEnd::kernels));
  const Running on_devices({.service = {.engine = {.kv_cells = 2048, .batch_rows = 64}, .most_waiting = 16}},
                           true,
                           Model::load({.file = file,
                                        .device = "Vulkan0,Vulkan1",
                                        .gpu_layers = 3,
                                        .tensor_split = {1, 1},
                                        .threads = 1}));
  const auto body = [](int k) {
    return R"({"prompt": "count )" + std::to_string(k) +
           R"(", "n": 3, "max_tokens": 12, "ignore_eos": true, "temperature": 0, "lanes": {"coupling": "groupthink"}})";
  };
  std::vector<Json> expected;
  {
    httplib::Client client = on_cpu.client();
    for (int k = 0; k < 3; ++k) expected.push_back(complete(client, body(k))["choices"]);
  }
  std::vector<Json> said(3);
  std::vector<std::thread> clients;
  for (int k = 0; k < 3; ++k) {
    clients.emplace_back([&, k] {
      httplib::Client client = on_devices.client();
      client.set_read_timeout(600);  // a driver may compile its shaders first
      said[k] = complete(client, body(k))["choices"];
    });
  }
  for (std::thread& client : clients) client.join();
  for (int k = 0; k < 3; ++k) EXPECT_EQ(said[k], expected[k]) << body(k);
  httplib::Client client = on_devices.client();
  EXPECT_EQ(Json::parse(client.Get("/props")->body)["device"], "Vulkan0,Vulkan1");
}

}  // namespace
}  // namespace lanerope::server
