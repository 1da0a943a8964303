// SPDX-License-Identifier: Apache-2.0
#include "text/pre_tokenizer_patterns.h"

#include <array>

namespace lanerope::text {

namespace {

struct Name {
  std::string_view name;
  std::string_view pattern;
};

// Letters that have a case, as DeepSeek LLM's tokenizer lists them.
constexpr std::string_view cased_letters =
    R"([A-Za-z\x{B5}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1BA}\x{1BC}-\x{1BF}\x{1C4}-\x{293}\x{295}-)"
    R"(\x{2AF}\x{370}-\x{373}\x{376}\x{377}\x{37B}-\x{37D}\x{37F}\x{386}\x{388}-\x{38A}\x{38C})"
    R"(\x{38E}-\x{3A1}\x{3A3}-\x{3F5}\x{3F7}-\x{481}\x{48A}-\x{52F}\x{531}-\x{556}\x{10A0}-\x{10C5})"
    R"(\x{13A0}-\x{13F5}\x{13F8}-\x{13FD}\x{1C90}-\x{1CBA}\x{1CBD}-\x{1CBF}\x{1D00}-\x{1D2B})"
    R"(\x{1D6B}-\x{1D77}\x{1D79}-\x{1D9A}\x{1E00}-\x{1F15}\x{1F18}-\x{1F1D}\x{1F20}-\x{1F45})"
    R"(\x{1F48}-\x{1F4D}\x{1F50}-\x{1F57}\x{1F59}\x{1F5B}\x{1F5D}\x{1F5F}-\x{1F7D}\x{1F80}-\x{1FB4})"
    R"(\x{1FB6}-\x{1FBC}\x{1FBE}\x{1FC2}-\x{1FC4}\x{1FC6}-\x{1FCC}\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1FDB})"
    R"(\x{1FE0}-\x{1FEC}\x{1FF2}-\x{1FF4}\x{1FF6}-\x{1FFC}\x{2102}\x{2107}\x{210A}-\x{2113}\x{2115})"
    R"(\x{2119}-\x{211D}\x{2124}\x{2126}\x{2128}\x{212A}-\x{212D}\x{212F}-\x{2134}\x{2139}\x{213C}-)"
    R"(\x{213F}\x{2145}-\x{2149}\x{214E}\x{2183}\x{2184}\x{2C00}-\x{2C7B}\x{2C7E}-\x{2CE4}\x{2CEB}-)"
    R"(\x{2CEE}\x{2CF2}\x{2CF3}\x{A640}-\x{A66D}\x{A680}-\x{A69B}\x{A722}-\x{A76F}\x{A771}-\x{A787})"
    R"(\x{A78B}-\x{A78E}\x{AB70}-\x{ABBF}\x{FB00}-\x{FB06}\x{FB13}-\x{FB17}\x{FF21}-\x{FF3A})"
    R"(\x{FF41}-\x{FF5A}\x{10400}-\x{1044F}\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}\x{10C80}-\x{10CB2})"
    R"(\x{10CC0}-\x{10CF2}\x{118A0}-\x{118DF}\x{1E900}-\x{1E943}])";

// Chinese, Japanese, Thai, Lao, Khmer, Burmese and Korean, whose words have no spaces between them.
constexpr std::string_view without_spaces =
    R"([\x{4E00}-\x{9FFF}\x{3400}-\x{4DBF}\x{8C48}-\x{FAFF}\x{3040}-\x{309F}\x{30A0}-\x{30FF})"
    R"(\x{FF65}-\x{FF9F}\x{2F00}-\x{2FDF}\x{E40}-\x{E7F}\x{E80}-\x{EFF}\x{1780}-\x{17FF}\x{1000}-)"
    R"(\x{109F}\x{AA60}-\x{AA7F}\x{A9E0}-\x{A9FF}\x{AC00}-\x{D7AF}\x{1100}-\x{11FF}])";

// White space is Unicode's: PCRE2's \s would take U+180E as well, which is none.
constexpr auto names = std::to_array<Name>({
    {"«C»", R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]))"},  // contractions
    {"«W»", R"(«Y»\p{L}+)"},  // a word and what stands before it
    {"«Y»", R"([^\r\n\p{L}\p{N}]?)"},
    {"«P»", R"( ?[^\s\p{L}\p{N}]+[\r\n]*)"},  // punctuation
    {"«Q»", R"( ?[^\s\p{L}\p{N}]+[\r\n/]*)"},
    {"«S»", R"(\s*[\r\n]+|\s+(?!\S)|\s+)"},  // white space
    {"«G»", R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S))"},
    // Words that begin and end at changes of case.
    {"«V»", R"(«Y»«A»*«B»+«C»?|«Y»«A»+«B»*«C»?)"},
    {"«A»", R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])"},
    {"«B»", R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])"},
    {"«H»", R"((?!\p{sc:Han}))"},
    {"«D»", R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+)"
            R"(| ?[\p{P}\p{S}]+[\r\n]*|«S»)"},
    {"«K»", R"([\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}])"},  // Han, Hiragana, Katakana
    {"«cased»", cased_letters},
    {"«scripts»", without_spaces},
    {R"(\S)", R"(\P{WSpace})"},
    {R"(\s)", R"(\p{WSpace})"},
});

using Passes = std::span<const std::string_view>;

// clang-format off
constexpr std::string_view llama[] = {R"(«C»|«W»|\p{N}{1,3}|«P»|«S»)"};
constexpr std::string_view qwen2[] = {R"(«C»|«W»|\p{N}|«P»|«S»)"};
constexpr std::string_view ufakzeka[] = {R"(«W»|\p{N}|«P»|«S»)"};
constexpr std::string_view qwen35[] = {R"(«C»|«Y»[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|«S»)"};
constexpr std::string_view laguna[] = {R"([^\n]+|[\n]+)", qwen2[0]};
constexpr std::string_view minicpm5[] = {R"(\p{N}{1,3})", R"(«C»|«W»|\p{N}+|«P»|«S»)"};
constexpr std::string_view seed_coder[] = {R"(«C»|«W»|\p{N}| ?[^\s\p{L}\p{N}\r\n]+|«S»)"};
constexpr std::string_view bailingmoe[] = {R"(«C»|«W»|\p{N}|«P»|\s*[\r\n]|\s+(?!\S)|\s+)"};
constexpr std::string_view exaone_moe[] = {
    R"(«C»|«Y»(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+)"};
constexpr std::string_view jais_2[] = {
    R"(«C»|«W»|\p{N}{1,3}|«P»|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S))"
    R"(|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s)"};
constexpr std::string_view gpt_2[] = {"«G»"};
constexpr std::string_view smollm[] = {R"(\p{N})", "«G»"};
constexpr std::string_view gpt_4o[] = {R"(«V»|\p{N}{1,3}|«Q»|«S»)"};
constexpr std::string_view tekken[] = {R"(«Y»«A»*«B»+|«Y»«A»+«B»*|\p{N}|«Q»|«S»)"};
constexpr std::string_view tiny_aya[] = {R"(\d{1,3}(?=(?:\d{3})*\b))", gpt_4o[0]};
constexpr std::string_view youtu[] = {
    R"([\x{AC00}-\x{D7A3}\x{3131}-\x{318E}]+)"
    R"(|[\x{FF01}\x{2026}\x{201C}\x{201D}\x{2018}\x{2019}\x{2014}\x{FF1A}\x{FF1B}\x{FF0C}\x{3001}-\x{303F}\x{FE30}-\x{FE4F}]+)"
    R"(|[\x{3105}-\x{312F}]+|«K»+)",
    R"(«V»|\p{N}|«Q»|«S»)"};
constexpr std::string_view deepseek_v3[] = {R"(\p{N}{1,3})", "«K»+", "«D»"};
constexpr std::string_view spark2_5[] = {
    R"(\p{N}{1,3})", "«K»+",
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+)",
    R"(\p{N})"};
constexpr std::string_view afmoe[] = {R"(\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N})))", "«scripts»+", "«D»"};
constexpr std::string_view deepseek_llm[] = {
    R"([\r\n])", R"(\s?«cased»+)",
    R"(\s?[!-/:-~\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF5E}\x{2018}-\x{201F}\x{3000}-\x{3002}]+)", R"(\s+$)",
    R"([\x{4E00}-\x{9FA5}\x{800}-\x{4E00}\x{AC00}-\x{D7FF}]+)", R"(\p{N}+)"};
constexpr std::string_view deepseek_coder[] = {
    R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)", R"([\x{4E00}-\x{9FA5}\x{800}-\x{4E00}\x{AC00}-\x{D7FF}]+)", R"(\p{N})"};
constexpr std::string_view falcon[] = {R"([\p{P}$+<=>^~|`]+)", "«G»", "[0-9][0-9][0-9]"};
constexpr std::string_view bloom[] = {
    R"( ?[^(\s|.,!?\x{2026}\x{3002}\x{FF0C}\x{3001}\x{964}\x{6D4}\x{60C})]+)"};
constexpr std::string_view viking[] = {bloom[0], R"(\p{N})"};
constexpr std::string_view chameleon[] = {
    "<sentinel:[0-9]+>", "IMGIMG[A-I]{1,4}Z", R"([\t\n]|    |  )", R"(\p{N})", R"([\p{P}!-/:-@\[-`{-~])", "«G»"};
constexpr std::string_view superbpe[] = {R"(\p{N}+)", R"(\d{1,3}(?=(?:\d{3})*(?!\d)))"};
constexpr std::string_view kimi_k2[] = {
    R"(\p{sc:Han}+|«Y»(?:«H»«A»)*(?:«H»«B»)+«C»?|«Y»(?:«H»«A»)+(?:«H»«B»)*«C»?|\p{N}{1,3}|«P»|«S»)"};
constexpr std::string_view lines[] = {R"([^\n]+|[\n]+)"};
constexpr std::string_view whitespace[] = {R"(\S+)"};
constexpr std::string_view unnamed[] = {R"([\p{P}$+<=>^~|]+)", "«G»", R"(\p{N}+)", "[0-9][0-9][0-9]"};
// clang-format on

}  // namespace

Passes pre_tokenizer_passes(PreTokenizerKind kind) {
  switch (kind) {
    case PreTokenizerKind::llama_bpe:
    case PreTokenizerKind::dbrx:
    case PreTokenizerKind::glm4:
      return llama;
    case PreTokenizerKind::qwen2:
      return qwen2;
    case PreTokenizerKind::ufakzeka:
      return ufakzeka;
    case PreTokenizerKind::qwen35:
      return qwen35;
    case PreTokenizerKind::laguna:
      return laguna;
    case PreTokenizerKind::minicpm5:
      return minicpm5;
    case PreTokenizerKind::seed_coder:
      return seed_coder;
    case PreTokenizerKind::bailingmoe:
      return bailingmoe;
    case PreTokenizerKind::exaone_moe:
      return exaone_moe;
    case PreTokenizerKind::jais_2:
      return jais_2;
    case PreTokenizerKind::gpt_2:
      return gpt_2;
    case PreTokenizerKind::smollm:
      return smollm;
    case PreTokenizerKind::gpt_4o:
    case PreTokenizerKind::granite_97m:
      return gpt_4o;
    case PreTokenizerKind::tekken:
      return tekken;
    case PreTokenizerKind::tiny_aya:
      return tiny_aya;
    case PreTokenizerKind::youtu:
      return youtu;
    case PreTokenizerKind::deepseek_v3:
      return deepseek_v3;
    case PreTokenizerKind::spark2_5:
      return spark2_5;
    case PreTokenizerKind::afmoe:
      return afmoe;
    case PreTokenizerKind::deepseek_llm:
      return deepseek_llm;
    case PreTokenizerKind::deepseek_coder:
      return deepseek_coder;
    case PreTokenizerKind::falcon:
      return falcon;
    case PreTokenizerKind::bloom:
      return bloom;
    case PreTokenizerKind::viking:
      return viking;
    case PreTokenizerKind::chameleon:
      return chameleon;
    case PreTokenizerKind::superbpe:
      return superbpe;
    case PreTokenizerKind::kimi_k2:
      return kimi_k2;
    case PreTokenizerKind::gemma4:
    case PreTokenizerKind::sarvam_moe:
      return lines;
    case PreTokenizerKind::whitespace:
      return whitespace;
    case PreTokenizerKind::unnamed:
      return unnamed;
  }
  return {};
}

std::string expanded(std::string_view pass) {
  std::string pattern(pass);
  // Names hold names of those below them in the table alone, except the contractions in «V».
  for (int round = 0; round < 3; ++round) {
    for (const Name& one : names) {
      for (size_t at = 0; (at = pattern.find(one.name, at)) != std::string::npos; at += one.pattern.size()) {
        pattern.replace(at, one.name.size(), one.pattern);
      }
    }
  }
  return pattern;
}

}  // namespace lanerope::text
