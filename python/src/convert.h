// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lanerope/errors.h"
#include "lanerope/names.h"

namespace lanerope::python {

namespace nb = nanobind;

// Text for Python. What is no UTF-8 (half a character at the end of a lane that was cut off) becomes U+FFFD.
inline nb::object to_text(std::string_view text) {
  return nb::steal(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
}

inline nb::object to_text_or_none(const std::optional<std::string>& text) {
  return text ? to_text(*text) : nb::none();
}

template <typename T>
nb::object to_value_or_none(const std::optional<T>& value) {
  return value ? nb::cast(*value) : nb::none();
}

template <typename Enum>
nb::object to_name(Enum value) {
  return to_text(name(value));
}

// A NumPy array that owns the values.
template <typename T>
nb::object to_array(std::vector<T> values, std::initializer_list<size_t> shape) {
  auto* owned = new std::vector<T>(std::move(values));
  const nb::capsule owner(owned, [](void* held) noexcept { delete static_cast<std::vector<T>*>(held); });
  return nb::cast(nb::ndarray<nb::numpy, T>(owned->data(), shape, owner));
}

template <typename T>
nb::object to_array(std::vector<T> values) {
  const size_t n = values.size();
  return to_array(std::move(values), {n});
}

// The value of an argument; `what` it has to be, for the TypeError.
template <typename T>
T to_cpp(std::string_view argument, nb::handle value, std::string_view what) {
  T result{};
  if (!nb::try_cast<T>(value, result))
    throw nb::type_error(
        (std::string(argument) + " must be " + std::string(what) + ", not " + nb::repr(value.type()).c_str())
            .c_str());
  return result;
}

template <typename Enum>
Enum to_enum(std::string_view argument, nb::handle value) {
  const auto text = to_cpp<std::string>(argument, value, "a str");
  const std::optional<Enum> found = parse<Enum>(text);
  if (!found)
    throw InvalidRequest(std::string(argument) + " is " + list_names<Enum>() + ", not '" + text + "'");
  return *found;
}

inline nb::dict copy_of(const nb::dict& original) {
  return nb::cast<nb::dict>(original.attr("copy")());
}

// Where a call came from a process that was forked, threads that it needs are not there.
class HomeProcess {
 public:
  HomeProcess();
  bool here() const;
  void require() const;  // throws RuntimeError

 private:
  int pid_;
};

}  // namespace lanerope::python
