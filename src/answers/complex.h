// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mpc.h>

#include "answers/rational.h"

namespace lanerope::answers {

// A complex number of MPC with so many bits that two answers which agree in all of them are the same.
class Complex {
 public:
  static constexpr mpfr_prec_t precision = 320;
  static constexpr mpc_rnd_t rounding = MPC_RNDNN;

  Complex() { mpc_init2(value_, precision), mpc_set_ui(value_, 0, rounding); }
  explicit Complex(const Rational& value) : Complex() { mpc_set_q(value_, value.get_mpq_t(), rounding); }
  Complex(const Complex& other) : Complex() { mpc_set(value_, other.value_, rounding); }
  Complex(Complex&& other) noexcept : Complex() { mpc_swap(value_, other.value_); }
  Complex& operator=(Complex other) noexcept {
    mpc_swap(value_, other.value_);
    return *this;
  }
  ~Complex() { mpc_clear(value_); }

  mpc_ptr get() { return value_; }
  mpc_srcptr get() const { return value_; }
  mpfr_ptr real() { return mpc_realref(value_); }
  mpfr_srcptr real() const { return mpc_realref(value_); }
  mpfr_srcptr imaginary() const { return mpc_imagref(value_); }

  bool is_real() const { return mpfr_zero_p(imaginary()) != 0; }
  bool is_zero() const { return is_real() && mpfr_zero_p(real()) != 0; }
  bool is_finite() const { return mpfr_number_p(real()) != 0 && mpfr_number_p(imaginary()) != 0; }
  // The binary exponent of its larger part; far below any other for zero.
  long exponent() const;

 private:
  mpc_t value_;
};

}  // namespace lanerope::answers
