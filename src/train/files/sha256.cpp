// SPDX-License-Identifier: Apache-2.0
#include "train/files/sha256.h"

#include <openssl/evp.h>

#include <array>
#include <fstream>
#include <memory>
#include <string_view>
#include <vector>

#include "lanerope/errors.h"

namespace lanerope::train {

namespace {

constexpr size_t piece = size_t{1} << 20;  // bytes

struct Free {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

void check(int result) {
  if (result != 1) throw SystemError("the installed OpenSSL does not compute SHA-256; install OpenSSL 3");
}

}  // namespace

FileDigest digest_file(const std::string& path) {
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  check(EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr));
  std::ifstream file(path, std::ios::binary);
  std::vector<char> buffer(piece);
  FileDigest digest;
  while (file) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    const auto size = static_cast<size_t>(file.gcount());
    check(EVP_DigestUpdate(context.get(), buffer.data(), size));
    digest.bytes += size;
  }
  if (!file.is_open() || file.bad()) {
    throw SystemError(path + " cannot be read; check that it exists and that you may read it");
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash;
  unsigned size = 0;
  check(EVP_DigestFinal_ex(context.get(), hash.data(), &size));
  constexpr std::string_view digits = "0123456789abcdef";
  for (unsigned i = 0; i < size; ++i) {
    digest.sha256 += digits[hash[i] >> 4];
    digest.sha256 += digits[hash[i] & 15];
  }
  return digest;
}

}  // namespace lanerope::train
