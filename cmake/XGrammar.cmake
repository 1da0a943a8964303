# SPDX-License-Identifier: Apache-2.0
# xgrammar (Apache-2.0), which tells what tokens a grammar allows next, as a static library of its own. script/bootstrap fetches
# its sources; nothing of them is in this repository. Only src/grammar includes its headers. Its own CMake files want a Python
# binding and link-time optimisation, so its sources are listed here.
if(EXISTS ${PROJECT_SOURCE_DIR}/third_party)
  set(lanerope_cache ${PROJECT_SOURCE_DIR}/third_party)  # a source archive of script/wheel has them inside
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(lanerope_cache $ENV{XDG_CACHE_HOME}/lanerope)
else()
  set(lanerope_cache $ENV{HOME}/.cache/lanerope)
endif()
set(LANEROPE_XGRAMMAR ${lanerope_cache}/xgrammar-0.2.8 CACHE PATH "Sources of xgrammar, as script/bootstrap fetches them")
if(NOT EXISTS ${LANEROPE_XGRAMMAR}/include/xgrammar/matcher.h)
  message(FATAL_ERROR "${LANEROPE_XGRAMMAR} does not hold xgrammar; script/bootstrap, or script/lib/fetch-grammar alone, puts it there")
endif()

file(GLOB xgrammar_sources ${LANEROPE_XGRAMMAR}/cpp/*.cc ${LANEROPE_XGRAMMAR}/cpp/converter_ext/*.cc ${LANEROPE_XGRAMMAR}/cpp/support/*.cc)
# Its messages come to src/grammar/messages.cpp: what it cannot hold it only says, and a library prints nothing.
add_library(xgrammar STATIC ${xgrammar_sources} ${PROJECT_SOURCE_DIR}/src/grammar/messages.cpp)
target_include_directories(xgrammar SYSTEM PUBLIC $<BUILD_INTERFACE:${LANEROPE_XGRAMMAR}/include>
  $<BUILD_INTERFACE:${LANEROPE_XGRAMMAR}/3rdparty/dlpack/include>
  PRIVATE ${LANEROPE_XGRAMMAR}/3rdparty/picojson ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
target_compile_definitions(xgrammar PRIVATE XGRAMMAR_ENABLE_CPPTRACE=0 XGRAMMAR_ENABLE_INTERNAL_CHECK=0 XGRAMMAR_LOG_CUSTOMIZE=1)
target_compile_options(xgrammar PRIVATE -w)
target_link_libraries(xgrammar PRIVATE Threads::Threads)
install(FILES ${LANEROPE_XGRAMMAR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME LICENSE.xgrammar)
install(FILES ${LANEROPE_XGRAMMAR}/NOTICE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME NOTICE.xgrammar)
