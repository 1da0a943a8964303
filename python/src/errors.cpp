// SPDX-License-Identifier: Apache-2.0
// lanerope's errors as the classes of lanerope/_errors.py, which are Python's kinds as well.
#include <unistd.h>

#include "bindings.h"
#include "convert.h"
#include "lanerope/errors.h"

namespace lanerope::python {

namespace {

void raise(const char* name, const char* message) {
  const nb::object kind = nb::module_::import_("lanerope._errors").attr(name);
  const nb::object text = to_text(message);
  PyErr_SetObject(kind.ptr(), text.ptr());
}

void translate(const std::exception_ptr& error, void*) {
  try {
    std::rethrow_exception(error);
  } catch (const InvalidRequest& e) {
    raise("InvalidRequest", e.what());
  } catch (const BadFile& e) {
    raise("ModelError", e.what());
  } catch (const DoesNotFit& e) {
    raise("DoesNotFit", e.what());
  } catch (const SystemError& e) {
    raise("DeviceError", e.what());
  } catch (const Error& e) {
    raise("Error", e.what());
  }
}

}  // namespace

HomeProcess::HomeProcess() : pid_(getpid()) {}

bool HomeProcess::here() const {
  return getpid() == pid_;
}

void HomeProcess::require() const {
  if (!here())
    throw std::runtime_error(
        "this was made before the process forked, and its threads did not come along; load the model in the "
        "child, or "
        "start it with multiprocessing's method \"spawn\"");
}

void bind_errors(nb::module_&) {
  nb::register_exception_translator(translate);
}

}  // namespace lanerope::python
