# SPDX-License-Identifier: Apache-2.0
# What the server's page shows Markdown, mathematics and code with, as script/lib/fetch-page-libraries fetches it from npm;
# nothing of it is in this repository. lanerope_page_libraries: "path|type|file" of each, for src/server/embed.cmake.
if(DEFINED ENV{XDG_CACHE_HOME})
  set(lanerope_cache $ENV{XDG_CACHE_HOME}/lanerope)
else()
  set(lanerope_cache $ENV{HOME}/.cache/lanerope)
endif()
# The folder is named after what is pinned, so that a change of versions never finds the old files.
set(page_pins ${PROJECT_SOURCE_DIR}/web/libraries/package-lock.json)
set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${page_pins})
file(SHA256 ${page_pins} page_pins_digest)
string(SUBSTRING ${page_pins_digest} 0 12 page_pins_digest)
set(LANEROPE_PAGE_LIBRARIES "" CACHE STRING
  "Folder of the page's libraries; empty: where script/bootstrap puts them; OFF: the page shows texts as they are")

set(page_libraries "${LANEROPE_PAGE_LIBRARIES}")
if("${page_libraries}" STREQUAL "")
  set(page_libraries ${lanerope_cache}/page-libraries-${page_pins_digest})
endif()
set(lanerope_page_libraries "")
if("${page_libraries}" STREQUAL "OFF")
  return()
endif()
if(NOT EXISTS ${page_libraries}/katex.min.js)
  message(FATAL_ERROR "${page_libraries} does not hold the page's libraries; script/bootstrap, or script/lib/fetch-page-libraries alone, \
puts them there, and -DLANEROPE_PAGE_LIBRARIES=OFF builds a page that shows texts as they are")
endif()
foreach(name katex.min.js purify.min.js markdown-it.js highlight.js)
  list(APPEND lanerope_page_libraries "/assets/libraries/${name}|text/javascript|${page_libraries}/${name}")
endforeach()
list(APPEND lanerope_page_libraries "/assets/libraries/katex.min.css|text/css|${page_libraries}/katex.min.css")
file(GLOB page_fonts ${page_libraries}/fonts/*.woff2)
foreach(file IN LISTS page_fonts)
  cmake_path(GET file FILENAME name)
  list(APPEND lanerope_page_libraries "/assets/libraries/fonts/${name}|font/woff2|${file}")
endforeach()
file(GLOB page_licences ${page_libraries}/licences/*)
install(FILES ${page_licences} DESTINATION ${CMAKE_INSTALL_DOCDIR})
