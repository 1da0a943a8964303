# SPDX-License-Identifier: Apache-2.0
add_library(lanerope_warnings INTERFACE)
target_compile_options(lanerope_warnings INTERFACE -Wall -Wextra -Werror -Wshadow)
if(LANEROPE_SANITIZE)
  add_compile_options(-fsanitize=${LANEROPE_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${LANEROPE_SANITIZE})
endif()
if(LANEROPE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)  # the layers must report their coverage, or libFuzzer is blind
endif()
