// SPDX-License-Identifier: Apache-2.0
#include "hub/http.h"

#include <curl/curl.h>

#include <array>
#include <cctype>
#include <charconv>
#include <exception>
#include <mutex>

#include "lanerope/errors.h"

namespace lanerope::hub {

namespace {

constexpr long connect_seconds = 20;
constexpr long most_redirects = 10;
constexpr long least_bytes_per_second = 100;
constexpr long buffer_bytes = 512 * 1024;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

template <typename Number>
std::optional<Number> number_in(std::string_view text) {
  Number number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string etag_in(std::string_view value) {
  if (value.starts_with("W/")) value.remove_prefix(2);
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
    value = value.substr(1, value.size() - 2);
  return std::string(value);
}

// <URL>; rel="next"
std::string next_in(std::string_view value) {
  const size_t rel = value.find("rel=\"next\"");
  const size_t close = value.rfind('>', rel);
  if (rel == std::string_view::npos || close == std::string_view::npos) return {};
  const size_t open = value.rfind('<', close);
  return open == std::string_view::npos ? std::string()
                                        : std::string(value.substr(open + 1, close - open - 1));
}

// "bytes 100-199/1000"
void read_range(std::string_view value, ReplyHead& head) {
  if (!value.starts_with("bytes ")) return;
  value.remove_prefix(6);
  head.first_byte = number_in<uint64_t>(value.substr(0, value.find('-')));
  if (const size_t slash = value.find('/'); slash != std::string_view::npos && !head.size)
    head.size = number_in<uint64_t>(value.substr(slash + 1));
}

// The header that asks for the file only where it is another than the one that is held; empty: none is.
std::string condition_of(const HttpGet& request) {
  if (!request.held_etag.empty()) return "If-None-Match: \"" + request.held_etag + "\"";
  return request.held_date.empty() ? std::string() : "If-Modified-Since: " + request.held_date;
}

// What one transfer has come to.
struct Transfer {
  const ReplySink& sink;
  const Watch& watch;
  CURL* curl;
  ReplyHead head = {};
  std::string linked_etag = {};
  std::optional<uint64_t> linked_size = {};
  bool head_given = false;
  std::exception_ptr trouble = {};

  void begin_reply() {
    head = {};
    head.size = linked_size;
    head.etag = linked_etag;
  }

  void take_header(std::string_view line) {
    if (line.starts_with("HTTP/")) return begin_reply();
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    const std::string name = lower(line.substr(0, colon));
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (name == "x-linked-etag") {
      head.etag = linked_etag = etag_in(value);
    } else if (name == "x-linked-size") {
      head.size = linked_size = number_in<uint64_t>(value);
    } else if (name == "etag" && linked_etag.empty()) {
      head.etag = etag_in(value);
    } else if (name == "last-modified") {
      head.changed = value;
    } else if (name == "content-length") {
      head.length = number_in<uint64_t>(value);
    } else if (name == "content-range") {
      read_range(value, head);
    } else if (name == "retry-after") {
      head.retry_after = number_in<int>(value);
    } else if (name == "x-error-code") {
      head.error_code = value;
    } else if (name == "link") {
      head.next_page = next_in(value);
    }
  }

  void give_head() {
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    head.status = static_cast<int>(status);
    if (status == 200 && !head.size) head.size = head.length;
    const bool file = status == 200 || status == 206;
    if (head_given || !file) return;
    head_given = true;
    if (sink.head) sink.head(head);
  }

  void take_body(std::span<const std::byte> bytes) {
    give_head();
    if (head_given && sink.body) sink.body(bytes);
  }

  // Exceptions must not pass through curl.
  template <typename Work>
  bool guarded(const Work& work) {
    try {
      work();
      return true;
    } catch (...) {
      trouble = std::current_exception();
      return false;
    }
  }
};

size_t on_header(char* data, size_t one, size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  return transfer.guarded([&] { transfer.take_header({data, size}); }) ? one * size : 0;
}

size_t on_body(char* data, size_t one, size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const auto bytes = std::as_bytes(std::span(data, size));
  return transfer.guarded([&] { transfer.take_body(bytes); }) ? one * size : CURL_WRITEFUNC_ERROR;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& transfer = *static_cast<Transfer*>(user);
  return transfer.guarded([&] { transfer.watch.throw_if_stopped(); }) ? 0 : 1;
}

void start_curl() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
      throw SystemError("libcurl cannot be used here; fetch the file by other means and name it with -m");
  });
}

TransferError error_of(CURLcode code, const std::string& detail, const std::string& url) {
  const std::string host = host_of(url);
  const std::string why = " (" + (detail.empty() ? std::string(curl_easy_strerror(code)) : detail) + ")";
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
      return {host + " cannot be reached" + why, false, false};
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return {"the certificate of " + host + " is not trusted here" + why +
                  "; where a proxy stands between, name the file with its certificate in SSL_CERT_FILE",
              false, true};
    case CURLE_TOO_MANY_REDIRECTS:
      return {host + " redirects in a circle; check the address", true, true};
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {host + " redirects to something that is not HTTPS" + why + "; check the address", true, true};
    case CURLE_OPERATION_TIMEDOUT:
      return {host + " does not answer" + why, true, false};
    default:
      return {"the connection to " + host + " broke off" + why, true, false};
  }
}

}  // namespace

std::string host_of(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (const size_t at = url.rfind('@'); at != std::string_view::npos) url.remove_prefix(at + 1);
  return std::string(url);
}

std::string escape_path(std::string_view path) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 &&
        (std::isalnum(byte) != 0 || std::string_view("-._~/").find(c) != std::string_view::npos)) {
      text += c;
    } else {
      text += '%';
      text += digits[byte >> 4];
      text += digits[byte & 15];
    }
  }
  return text;
}

struct HttpClient::State {
  const FetchOptions& options;
  CURL* curl;

  explicit State(const FetchOptions& fetch) : options(fetch) {
    start_curl();
    curl = curl_easy_init();
    if (curl == nullptr) throw std::bad_alloc();
  }
  ~State() { curl_easy_cleanup(curl); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  template <typename Value>
  void set(CURLoption option, Value value) const {
    if (const CURLcode code = curl_easy_setopt(curl, option, value); code != CURLE_OK)
      throw SystemError(std::string("libcurl refuses an option (") + curl_easy_strerror(code) +
                        "); it must be 7.85 or newer");
  }

  void prepare(const HttpGet& request, Transfer& transfer) const {
    curl_easy_reset(curl);
    set(CURLOPT_URL, request.url.c_str());
    // A file that was asked for over TLS does not come without it.
    const char* protocols = request.url.starts_with("https:") ? "https" : "http,https";
    set(CURLOPT_PROTOCOLS_STR, protocols);
    set(CURLOPT_REDIR_PROTOCOLS_STR, protocols);
    set(CURLOPT_FOLLOWLOCATION, 1L);
    set(CURLOPT_MAXREDIRS, most_redirects);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    set(CURLOPT_USERAGENT, "lanerope");
    set(CURLOPT_CONNECTTIMEOUT, connect_seconds);
    set(CURLOPT_LOW_SPEED_LIMIT, least_bytes_per_second);
    set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.retry.stall.count()));
    set(CURLOPT_BUFFERSIZE, buffer_bytes);
    // Not CURLOPT_RESUME_FROM, which fails where a server answers with the whole file.
    if (request.from > 0) set(CURLOPT_RANGE, (std::to_string(request.from) + "-").c_str());
    if (!request.token.empty()) {
      set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BEARER));
      set(CURLOPT_XOAUTH2_BEARER, request.token.c_str());
    }
    if (!options.settings.certificates.empty()) set(CURLOPT_CAINFO, options.settings.certificates.c_str());
    set(CURLOPT_HEADERFUNCTION, &on_header);
    set(CURLOPT_HEADERDATA, static_cast<void*>(&transfer));
    set(CURLOPT_WRITEFUNCTION, &on_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &on_progress);
    set(CURLOPT_XFERINFODATA, static_cast<void*>(&transfer));
  }
};

HttpClient::HttpClient(const FetchOptions& options) : state_(std::make_unique<State>(options)) {}
HttpClient::~HttpClient() = default;

ReplyHead HttpClient::get(const HttpGet& request, const ReplySink& sink) {
  if (!request.url.starts_with("https://") && !request.url.starts_with("http://"))
    throw InvalidRequest("'" + request.url + "' is no URL; write https://...");
  Transfer transfer{.sink = sink, .watch = state_->options.watch, .curl = state_->curl};
  state_->prepare(request, transfer);
  std::array<char, CURL_ERROR_SIZE> detail = {};
  state_->set(CURLOPT_ERRORBUFFER, detail.data());
  const std::string condition = condition_of(request);
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(
      condition.empty() ? nullptr : curl_slist_append(nullptr, condition.c_str()), &curl_slist_free_all);
  state_->set(CURLOPT_HTTPHEADER, headers.get());
  const CURLcode code = curl_easy_perform(state_->curl);
  state_->set(CURLOPT_ERRORBUFFER, static_cast<char*>(nullptr));
  if (transfer.trouble) std::rethrow_exception(transfer.trouble);
  if (code == CURLE_URL_MALFORMAT) throw InvalidRequest("'" + request.url + "' is no URL; write https://...");
  if (code != CURLE_OK) throw error_of(code, detail.data(), request.url);
  if (!transfer.guarded([&] { transfer.give_head(); })) std::rethrow_exception(transfer.trouble);
  return transfer.head;
}

}  // namespace lanerope::hub
