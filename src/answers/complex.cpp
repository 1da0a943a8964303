// SPDX-License-Identifier: Apache-2.0
#include "answers/complex.h"

#include <algorithm>

namespace lanerope::answers {

long Complex::exponent() const {
  constexpr long of_zero = -1'000'000'000'000;
  const long of_real = mpfr_zero_p(real()) != 0 ? of_zero : static_cast<long>(mpfr_get_exp(real()));
  const long of_imaginary = is_real() ? of_zero : static_cast<long>(mpfr_get_exp(imaginary()));
  return std::max(of_real, of_imaginary);
}

}  // namespace lanerope::answers
