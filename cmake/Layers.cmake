# SPDX-License-Identifier: Apache-2.0
# lanerope_layer(NAME SOURCES... LINK TARGETS...): one static library a layer, src/NAME, that may include only itself,
# the layers it links and the public headers.
function(lanerope_layer name)
  cmake_parse_arguments(LAYER "" "" "SOURCES;LINK;PRIVATE" ${ARGN})
  add_library(lanerope_${name} STATIC ${LAYER_SOURCES})
  target_include_directories(lanerope_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(lanerope_${name} PUBLIC ${LAYER_LINK} PRIVATE ${LAYER_PRIVATE} $<BUILD_INTERFACE:lanerope_warnings>)
  target_compile_features(lanerope_${name} PUBLIC cxx_std_20)
endfunction()

# lanerope_test(NAME SOURCES... LINK TARGETS...): one GoogleTest executable, its cases registered with CTest under its name as
# their label.
function(lanerope_test name)
  cmake_parse_arguments(TEST "" "" "SOURCES;LINK" ${ARGN})
  add_executable(test_${name} ${TEST_SOURCES})
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
  target_link_libraries(test_${name} PRIVATE ${TEST_LINK} lanerope_warnings GTest::gtest GTest::gmock GTest::gtest_main)
  gtest_discover_tests(test_${name} DISCOVERY_TIMEOUT 60 NO_PRETTY_VALUES PROPERTIES TIMEOUT 600 LABELS ${name})
endfunction()
