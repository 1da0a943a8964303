// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmpxx.h>

#include <utility>

namespace lanerope::answers {

using Integer = mpz_class;
using Rational = mpq_class;

// A rational in a container: mpq_class does not promise that moving it throws nothing, and vectors would
// copy.
struct KeptRational : Rational {
  KeptRational() = default;
  KeptRational(Rational value) : Rational(std::move(value)) {}  // NOLINT: it is one
  KeptRational(const KeptRational&) = default;
  KeptRational(KeptRational&& other) noexcept : Rational(std::move(static_cast<Rational&>(other))) {}
  KeptRational& operator=(const KeptRational&) = default;
  KeptRational& operator=(KeptRational&& other) noexcept {
    mpq_swap(get_mpq_t(), other.get_mpq_t());
    return *this;
  }
  ~KeptRational() = default;
};

// The bits of the longer of its two parts.
inline size_t bits(const Rational& value) {
  const size_t top = mpz_sizeinbase(value.get_num_mpz_t(), 2);
  const size_t bottom = mpz_sizeinbase(value.get_den_mpz_t(), 2);
  return top > bottom ? top : bottom;
}

inline bool is_whole(const Rational& value) {
  return value.get_den() == 1;
}

inline Integer power_of_ten(unsigned long exponent) {
  Integer result;
  mpz_ui_pow_ui(result.get_mpz_t(), 10, exponent);
  return result;
}

}  // namespace lanerope::answers
