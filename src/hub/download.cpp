// SPDX-License-Identifier: Apache-2.0
#include "hub/download.h"

#include <chrono>

#include "hub/file_lock.h"
#include "hub/patience.h"
#include "lanerope/errors.h"

namespace lanerope::hub {

namespace {

constexpr uint64_t worth_a_word = 1'000'000'000;  // bytes to digest, which take a second or so
constexpr auto between_reports = std::chrono::milliseconds(100);

// The bytes that are there are not of the file that the server has now.
struct NotTheSame {};

class Transfer {
 public:
  Transfer(Download& file, HttpClient& client, const FetchOptions& options)
      : file_(file),
        client_(client),
        options_(options),
        partial_(file.partial, file.expected),
        patience_(options, file.asked),
        resumed_(partial_.size()) {
    if (partial_.expected().size && partial_.size() > *partial_.expected().size) restart();
    partial_.check_room();
  }

  // Goes on until all is there; false: the file that is held is still the server's.
  bool fill() {
    while (!partial_.is_complete()) {
      const uint64_t before = partial_.size();
      std::optional<TransferError> trouble;
      ReplyHead head;
      try {
        head = get();
      } catch (const TransferError& error) {
        trouble = error;
      } catch (const NotTheSame&) {
        restart();
        continue;
      }
      if (partial_.size() > before) patience_.progressed();
      if (trouble) {
        patience_.wait_for(*trouble);
      } else if (head.status == 304) {
        partial_.discard();
        return false;
      } else if (head.status == 416 && partial_.size() > 0) {
        restart();
      } else if (head.status != 200 && head.status != 206) {
        patience_.wait_for(head);
      } else if (!partial_.expected().size) {
        break;  // the server did not say how much it is, and has ended
      } else if (!partial_.is_complete()) {
        patience_.wait_for(
            TransferError("the connection to " + file_.asked.host + " broke off", true, false));
      }
    }
    report(true);
    return true;
  }

  // Whether it is what it should be; it has its name then, and is gone else.
  bool finish() {
    if (!partial_.is_right()) {
      partial_.discard();
      return false;
    }
    partial_.publish(file_.target);
    if (file_.arrived) file_.arrived();
    return true;
  }

 private:
  ReplyHead get() {
    const uint64_t from = partial_.size();
    return client_.get({.url = file_.url,
                        .token = file_.token.value,
                        .from = from,
                        .held_etag = from == 0 ? file_.held_etag : std::string(),
                        .held_date = from == 0 ? file_.held_date : std::string()},
                       {.head = [&](const ReplyHead& head) { begin(head, from); },
                        .body =
                            [&](std::span<const std::byte> bytes) {
                              partial_.append(bytes);
                              report(false);
                            }});
  }

  void begin(const ReplyHead& head, uint64_t from) {
    Expected expected = partial_.expected();
    const bool whole = head.status == 200;
    if (!whole && from == 0)
      throw TransferError(
          file_.asked.host + " sends a part of a file where the whole was asked for; try again later", true,
          true);
    if (!whole && head.first_byte != from) throw NotTheSame();
    if (file_.belongs && !file_.belongs(head, whole ? 0 : from, expected)) throw NotTheSame();
    if (whole) {
      partial_.restart(expected);
      resumed_ = 0;
    } else {
      partial_.expect(expected);
    }
    partial_.check_room();
  }

  void restart() {
    partial_.restart(file_.expected);
    resumed_ = 0;
  }

  void report(bool complete) {
    const auto now = std::chrono::steady_clock::now();
    if (!options_.watch.progress || (!complete && now - reported_ < between_reports)) return;
    reported_ = now;
    options_.watch.progress({.name = file_.name,
                             .done = partial_.size(),
                             .resumed = resumed_,
                             .total = partial_.expected().size,
                             .complete = complete});
  }

  Download& file_;
  HttpClient& client_;
  const FetchOptions& options_;
  PartialFile partial_;
  Patience patience_;
  uint64_t resumed_;
  std::chrono::steady_clock::time_point reported_ = {};
};

}  // namespace

Outcome download(Download file, HttpClient& client, const FetchOptions& options) {
  const FileLock lock(
      file.lock, [&] { options.watch.say("another program is fetching " + file.name + "; waiting for it"); },
      [&] { options.watch.throw_if_stopped(); });
  if (file.prepare && file.prepare(file)) return Outcome::was_there;
  std::error_code none;
  if (const uint64_t there = std::filesystem::file_size(file.partial, none); !none && there > worth_a_word)
    options.watch.say("checking the " + std::to_string(there / 1'000'000) + " MB of " + file.name +
                      " that are there");
  for (int pass = 0; pass < 2; ++pass) {
    Transfer transfer(file, client, options);
    if (!transfer.fill()) return Outcome::was_there;
    if (transfer.finish()) return Outcome::fetched;
    if (pass == 0) options.watch.say(file.name + " came with a wrong digest; fetching it once more");
  }
  throw BadFile(file.name + " comes from " + file.asked.host +
                " with another SHA-256 than it should have, twice, so it was not kept; tell those who keep " +
                file.asked.page);
}

}  // namespace lanerope::hub
