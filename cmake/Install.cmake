# SPDX-License-Identifier: Apache-2.0
include(CMakePackageConfigHelpers)
install(TARGETS lanerope lanerope_core lanerope_kernels lanerope_text lanerope_grammar lanerope_gguf lanerope_arch lanerope_answers lanerope_model lanerope_engine lanerope_service llama_jinja xgrammar
  EXPORT lanerope ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
# The hub is apart, so that only who asks for it needs libcurl and OpenSSL.
install(TARGETS lanerope_hub EXPORT lanerope_hub ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS lanerope_cli lanerope_toy_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY include/lanerope DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
set(lanerope_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/lanerope)
install(EXPORT lanerope NAMESPACE lanerope:: FILE laneropeTargets.cmake DESTINATION ${lanerope_cmake_dir})
install(EXPORT lanerope_hub NAMESPACE lanerope:: FILE laneropeHubTargets.cmake DESTINATION ${lanerope_cmake_dir})
configure_package_config_file(cmake/laneropeConfig.cmake.in laneropeConfig.cmake INSTALL_DESTINATION ${lanerope_cmake_dir})
write_basic_package_version_file(laneropeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/laneropeConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/laneropeConfigVersion.cmake
  DESTINATION ${lanerope_cmake_dir})
if(TARGET lanerope_train_program)
  install(TARGETS lanerope_train_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
# The bundled models: what `lanerope run` answers with where no -m is given.
install(DIRECTORY models/ DESTINATION ${CMAKE_INSTALL_DATADIR}/lanerope FILES_MATCHING PATTERN "*.gguf" PATTERN "model.json")
