// SPDX-License-Identifier: Apache-2.0
#include "model/hyperparameters.h"

#include <cmath>
#include <cstring>
#include <string>

#include "gguf/file.h"
#include "lanerope/errors.h"
#include "model/architecture.h"

namespace lanerope::model {

namespace {

// Large enough for any model of these architectures, small enough that products of two fit 64 bits.
constexpr int64_t largest_size = 1 << 24;

class KeyReader {
 public:
  KeyReader(const gguf::File& file, std::string prefix) : file_(file), prefix_(std::move(prefix)) {}

  int32_t size(const std::string& key) const { return checked(key, file_.get<int64_t>(prefix_ + key)); }

  int32_t size_or(const std::string& key, int32_t otherwise) const {
    const auto value = file_.find<int64_t>(prefix_ + key);
    return value ? checked(key, *value) : otherwise;
  }

  float positive(const std::string& key, float otherwise) const {
    const float value = file_.find<float>(prefix_ + key).value_or(otherwise);
    if (!std::isfinite(value) || value <= 0) fail(key, "must be a positive number");
    return value;
  }

  std::string text_or(const std::string& key, const std::string& otherwise) const {
    return file_.find<std::string>(prefix_ + key).value_or(otherwise);
  }

  [[noreturn]] void fail(const std::string& key, const std::string& what) const {
    throw BadFile(file_.path() + ": " + prefix_ + key + " " + what +
                  "; the file is damaged or of another kind");
  }

 private:
  int32_t checked(const std::string& key, int64_t value) const {
    if (value < 1 || value > largest_size) fail(key, "is " + std::to_string(value) + ", which cannot be");
    return static_cast<int32_t>(value);
  }

  const gguf::File& file_;
  std::string prefix_;
};

core::RopeParameters read_rope(const gguf::File& file, const KeyReader& keys, const Hyperparameters& h) {
  core::RopeParameters rope{.dimensions = keys.size_or("rope.dimension_count", h.head_dim),
                            .pairs = h.architecture->pairs};
  if (rope.dimensions % 2 != 0 || rope.dimensions > h.head_dim) {
    keys.fail("rope.dimension_count",
              "must be even and at most the head dimension, " + std::to_string(h.head_dim));
  }
  rope.base = keys.positive("rope.freq_base", 10000.0F);
  const std::string scaling = keys.text_or("rope.scaling.type", "none");
  if (scaling == "linear") {
    rope.scaling = core::RopeScaling::linear;
  } else if (scaling == "yarn") {
    rope.scaling = core::RopeScaling::yarn;
  } else if (scaling != "none") {
    keys.fail("rope.scaling.type", "is \"" + scaling + "\", and lanerope reads none, linear and yarn");
  }
  rope.factor = keys.positive("rope.scaling.factor", keys.positive("rope.scale_linear", 1.0F));
  rope.original_context = keys.size_or("rope.scaling.original_context_length", h.trained_context);
  rope.attention_factor = keys.positive("rope.scaling.attn_factor", 1.0F);
  rope.extrapolation =
      file.find<float>(std::string(h.architecture->name) + ".rope.scaling.yarn_ext_factor").value_or(1.0F);
  rope.beta_fast = keys.positive("rope.scaling.yarn_beta_fast", 32.0F);
  rope.beta_slow = keys.positive("rope.scaling.yarn_beta_slow", 1.0F);
  if (rope.scaling == core::RopeScaling::none &&
      file.has(std::string(h.architecture->name) + ".rope.scale_linear") && rope.factor != 1.0F) {
    rope.scaling = core::RopeScaling::linear;
  }

  if (const gguf::TensorInfo* factors = file.find_tensor("rope_freqs.weight")) {
    const auto pairs = static_cast<size_t>(rope.dimensions / 2);
    if (factors->type != GGML_TYPE_F32 || factors->bytes != pairs * sizeof(float)) {
      throw BadFile(file.path() + ": tensor rope_freqs.weight must hold " + std::to_string(pairs) +
                    " f32 values");
    }
    rope.frequency_factors.resize(pairs);
    std::memcpy(rope.frequency_factors.data(), factors->data, factors->bytes);
    for (const float value : rope.frequency_factors) {
      if (!std::isfinite(value) || value <= 0) {
        throw BadFile(file.path() + ": tensor rope_freqs.weight holds a value that is not a positive number");
      }
    }
  }
  return rope;
}

}  // namespace

Hyperparameters read_hyperparameters(const gguf::File& file) {
  Hyperparameters h;
  const auto architecture = file.get<std::string>("general.architecture");
  h.architecture = find_architecture(architecture);
  if (h.architecture == nullptr) {
    throw BadFile(file.path() + ": architecture \"" + architecture +
                  "\" is not one that lanerope runs; it runs " + architecture_names());
  }
  h.name = file.find<std::string>("general.name").value_or("");

  const KeyReader keys(file, architecture + ".");
  h.n_layer = keys.size("block_count");
  if (h.n_layer > 4096) keys.fail("block_count", "is " + std::to_string(h.n_layer) + ", which cannot be");
  h.n_embd = keys.size("embedding_length");
  h.n_head = keys.size("attention.head_count");
  h.n_head_kv = keys.size_or("attention.head_count_kv", h.n_head);
  if (h.n_head % h.n_head_kv != 0)
    keys.fail("attention.head_count_kv", "does not divide attention.head_count");
  h.head_dim = keys.size_or("attention.key_length", h.n_embd / h.n_head);
  if (h.head_dim < 2 || h.head_dim > 1024) keys.fail("attention.key_length", "must be between 2 and 1024");
  if (static_cast<int64_t>(h.head_dim) * h.n_head > largest_size)
    keys.fail("attention.head_count", "is too large");
  if (keys.size_or("attention.value_length", h.head_dim) != h.head_dim) {
    keys.fail("attention.value_length", "differs from the key length, which lanerope does not support");
  }
  h.n_ffn = keys.size("feed_forward_length");
  h.trained_context = keys.size("context_length");
  h.rms_epsilon = keys.positive("attention.layer_norm_rms_epsilon", 1e-5F);
  if (keys.size_or("expert_count", 1) > 1)
    keys.fail("expert_count", "is more than 1, and lanerope runs dense models");
  h.rope = read_rope(file, keys, h);

  const gguf::TensorInfo& embedding = file.tensor("token_embd.weight");
  h.n_vocab = static_cast<int32_t>(embedding.ne[1]);
  return h;
}

}  // namespace lanerope::model
