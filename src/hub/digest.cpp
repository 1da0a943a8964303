// SPDX-License-Identifier: Apache-2.0
#include "hub/digest.h"

#include <openssl/evp.h>

#include <array>
#include <fstream>
#include <vector>

#include "lanerope/errors.h"

namespace lanerope::hub {

namespace {

constexpr size_t piece = size_t{1} << 20;  // bytes

void check(int result) {
  if (result != 1) throw SystemError("the installed OpenSSL does not compute SHA-256; install OpenSSL 3");
}

struct Free {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

struct Digest::State {
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

Digest::Digest(DigestKind kind) : state_(std::make_unique<State>()) {
  check(EVP_DigestInit_ex(state_->context.get(), kind == DigestKind::sha1 ? EVP_sha1() : EVP_sha256(),
                          nullptr));
}
Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;

void Digest::add(std::span<const std::byte> bytes) {
  check(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()));
}
void Digest::add(std::string_view text) {
  add(std::as_bytes(std::span(text)));
}

std::string Digest::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash;
  unsigned size = 0;
  check(EVP_DigestFinal_ex(state_->context.get(), hash.data(), &size));
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += digits[hash[i] >> 4];
    text += digits[hash[i] & 15];
  }
  return text;
}

FileDigest digest_file(const std::string& path) {
  Digest digest(DigestKind::sha256);
  std::ifstream file(path, std::ios::binary);
  std::vector<char> buffer(piece);
  FileDigest result;
  while (file) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    const auto size = static_cast<size_t>(file.gcount());
    digest.add(std::string_view(buffer.data(), size));
    result.bytes += size;
  }
  if (!file.is_open() || file.bad()) {
    throw SystemError(path + " cannot be read; check that it exists and that you may read it");
  }
  result.sha256 = digest.finish();
  return result;
}

}  // namespace lanerope::hub
