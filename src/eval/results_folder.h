// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/paired_arms.h"
#include "eval/question_file.h"
#include "eval/record_file.h"

namespace lanerope::eval {

// Names of the files in the folder of --out.
inline constexpr std::string_view records_name = "records.jsonl";
inline constexpr std::string_view questions_name = "questions.jsonl";

// The key of questions.jsonl that tells the two apart, so that answers to them are scored differently; empty
// where none does. A folder from before places of lists were written has no parts.
std::string_view differing_key(const EvalQuestion& there, const EvalQuestion& asked);

// Writes the questions as they were read, so that the folder can be understood without the file that they
// came from. Those that are there stay: records are scored by them. Throws InvalidRequest where a question is
// another one than the folder has under its number, leaving the file as it is; SystemError.
void write_questions(const std::string& folder, std::span<const EvalQuestion> questions);

// One arm of an evaluation that was run before.
struct ArmResults {
  std::string folder = {};
  std::string arm = {};
  RunSettings settings = {};
  std::vector<EvalRecord> records = {};  // of this arm
  std::vector<EvalQuestion> questions = {};

  std::string setting(std::string_view name) const;  // empty where there is none
  int32_t budget() const;                            // the largest that was sampled
};

// `text` is FOLDER:ARM, or FOLDER alone where it has one arm. Reads and changes nothing. Throws
// InvalidRequest where there is no such arm, SystemError and BadFile for files that are missing or of another
// kind.
ArmResults read_arm(const std::string& text);

}  // namespace lanerope::eval
