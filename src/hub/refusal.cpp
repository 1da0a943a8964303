// SPDX-License-Identifier: Apache-2.0
#include "hub/refusal.h"

#include "lanerope/errors.h"

namespace lanerope::hub {

namespace {

std::string in_brackets(int status) {
  return " (" + std::to_string(status) + ")";
}

[[noreturn]] void refuse_gated(const ReplyHead& head, const Asked& asked) {
  throw InvalidRequest(asked.what + " is only for those who were let in" + in_brackets(head.status) +
                       "; ask for it at " + asked.page +
                       (asked.token.value.empty()
                            ? ", then give your token with --hf-token or HF_TOKEN"
                            : " with the account that the token of " + asked.token.from + " belongs to"));
}

}  // namespace

bool may_pass(int status) {
  return status == 408 || status == 429 || (status >= 500 && status != 501 && status != 505);
}

std::string passing_text(const ReplyHead& head, const Asked& asked) {
  if (head.status == 429) return asked.host + " asks for fewer requests (429)";
  if (head.status == 408) return asked.host + " did not wait for the request (408)";
  return asked.host + " has trouble of its own" + in_brackets(head.status);
}

void refuse(const ReplyHead& head, const Asked& asked) {
  const int status = head.status;
  const std::string from = asked.token.from;
  if (status == 429) {
    const std::string when =
        head.retry_after ? "in " + std::to_string(*head.retry_after) + " s" : std::string("in some minutes");
    throw SystemError(passing_text(head, asked) + "; try again " + when +
                      (from.empty() ? ", or with a token, which may ask more often" : ""));
  }
  if (may_pass(status)) throw SystemError(passing_text(head, asked) + "; try again later");
  if (head.error_code == "GatedRepo") refuse_gated(head, asked);
  if (status == 401 && from.empty()) {
    throw InvalidRequest(
        asked.host + " does not show " + asked.what +
        " without a token (401): there is none of that name, or it is private; check the name, or "
        "give a token with --hf-token or HF_TOKEN");
  }
  if (status == 401) {
    throw InvalidRequest(asked.host + " does not accept the token of " + from +
                         " (401); make a new one there, or ask without one");
  }
  if (status == 403 && from.empty()) refuse_gated(head, asked);
  if (status == 403) {
    throw InvalidRequest("the token of " + from + " may not read " + asked.what +
                         " (403); give the token that right, or ask for access at " + asked.page);
  }
  if (status == 404) {
    throw InvalidRequest(asked.host + " has no " + asked.what + " (404); check the name" +
                         (from.empty() ? "" : ", and that the account of the token may see it"));
  }
  throw SystemError(asked.host + " answers " + std::to_string(status) + " for " + asked.what + "; look at " +
                    asked.page + " in a browser");
}

}  // namespace lanerope::hub
