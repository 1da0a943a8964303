// SPDX-License-Identifier: Apache-2.0
#include "hub/digest.h"

#include <gtest/gtest.h>

#include <fstream>

#include "lanerope/errors.h"
#include "tests/support/temporary_directory.h"

namespace lanerope::hub {
namespace {

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// FIPS 180-4's examples, and a file that is read in several pieces.
TEST(Digest, OfFilesIsSha256) {
  const support::TemporaryDirectory directory;
  const auto digest = [&](const std::string& bytes) {
    write_file(directory.file("f"), bytes);
    const FileDigest result = digest_file(directory.file("f"));
    EXPECT_EQ(result.bytes, bytes.size());
    return result.sha256;
  };
  EXPECT_EQ(digest(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(digest(std::string(3'000'000, 'a')),
            "2a152c894398719c0570f83fac34ac03a0f6e8e474b995c2403aa5434f7b9dd4");
  EXPECT_THROW(digest_file(directory.file("none")), SystemError);
}

// git hash-object of a file that holds "hello\n".
TEST(Digest, ComesInPiecesAndKnowsGitsObjects) {
  Digest digest(DigestKind::sha1);
  digest.add("blob 6");
  digest.add(std::string_view("\0hel", 4));
  digest.add("lo\n");
  EXPECT_EQ(digest.finish(), "ce013625030ba8dba906f756967f9e9ca394464a");
}

}  // namespace
}  // namespace lanerope::hub
