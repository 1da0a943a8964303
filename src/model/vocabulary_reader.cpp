// SPDX-License-Identifier: Apache-2.0
#include "model/vocabulary_reader.h"

#include "gguf/file.h"

namespace lanerope::model {

text::VocabularyData read_vocabulary(const gguf::File& file) {
  text::VocabularyData data;
  data.model = file.get<std::string>("tokenizer.ggml.model");
  data.pre = file.find<std::string>("tokenizer.ggml.pre").value_or("");
  data.tokens = file.get<std::vector<std::string>>("tokenizer.ggml.tokens");
  data.scores = file.find<std::vector<float>>("tokenizer.ggml.scores").value_or(std::vector<float>{});
  data.types = file.find<std::vector<int32_t>>("tokenizer.ggml.token_type").value_or(std::vector<int32_t>{});
  data.merges =
      file.find<std::vector<std::string>>("tokenizer.ggml.merges").value_or(std::vector<std::string>{});
  data.bos = file.find<int64_t>("tokenizer.ggml.bos_token_id");
  data.eos = file.find<int64_t>("tokenizer.ggml.eos_token_id");
  data.eot = file.find<int64_t>("tokenizer.ggml.eot_token_id");
  data.eom = file.find<int64_t>("tokenizer.ggml.eom_token_id");
  data.unknown = file.find<int64_t>("tokenizer.ggml.unknown_token_id");
  data.pad = file.find<int64_t>("tokenizer.ggml.padding_token_id");
  data.add_bos = file.find<bool>("tokenizer.ggml.add_bos_token");
  data.add_eos = file.find<bool>("tokenizer.ggml.add_eos_token");
  data.add_space_prefix = file.find<bool>("tokenizer.ggml.add_space_prefix");
  data.chat_template = file.find<std::string>("tokenizer.chat_template").value_or("");
  return data;
}

}  // namespace lanerope::model
