# SPDX-License-Identifier: Apache-2.0
# llama_jinja: llama.cpp's Jinja engine (MIT), which runs chat templates, as a static library of its own. script/bootstrap
# fetches its sources; nothing of them is in this repository. Only src/text/jinja_program.cpp includes its headers.
#
# A template comes with a model file that anybody may have made. The engine counts nothing and trusts its input, so calls of
# src/text/render_budget.h are put in where a template could run on, grow, or recurse, and an error where it would crash.
if(EXISTS ${PROJECT_SOURCE_DIR}/third_party)
  set(lanerope_cache ${PROJECT_SOURCE_DIR}/third_party)  # a source archive of script/wheel has them inside
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(lanerope_cache $ENV{XDG_CACHE_HOME}/lanerope)
else()
  set(lanerope_cache $ENV{HOME}/.cache/lanerope)
endif()
set(LANEROPE_JINJA ${lanerope_cache}/llama-jinja-0.3.36 CACHE PATH "Sources of llama.cpp's Jinja engine, as script/bootstrap fetches them")
if(NOT EXISTS ${LANEROPE_JINJA}/common/jinja/runtime.h)
  message(FATAL_ERROR "${LANEROPE_JINJA} does not hold the Jinja engine; script/bootstrap, or script/lib/fetch-jinja alone, puts it there")
endif()

set(jinja_build ${CMAKE_BINARY_DIR}/llama-jinja)
set(jinja_sources jinja/caps jinja/lexer jinja/parser jinja/runtime jinja/string jinja/value json unicode)

# Puts `replacement` in place of each `anchor` in a file of the engine; `@` in it stands for the anchor.
function(jinja_hook file anchor replacement)
  string(FIND "${jinja_${file}}" "${anchor}" found)
  if(found EQUAL -1)
    message(FATAL_ERROR "the Jinja engine in ${LANEROPE_JINJA} is not the version that cmake/LlamaJinja.cmake is written for: ${file} lacks ${anchor}")
  endif()
  string(REPLACE "@" "${anchor}" replacement "${replacement}")
  string(REPLACE "${anchor}" "${replacement}" hooked "${jinja_${file}}")
  set(jinja_${file} "${hooked}" PARENT_SCOPE)
endfunction()

foreach(file jinja/runtime.h jinja/runtime.cpp jinja/value.h jinja/value.cpp jinja/string.cpp)
  file(READ ${LANEROPE_JINJA}/common/${file} jinja_${file})
endforeach()
set(budget "lanerope::text::RenderBudget")
jinja_hook(jinja/value.h "#include \"utils.h\"\n" "@#include \"text/render_budget.h\"\n")

# Every statement is a step, and every level of a nest is looked at.
jinja_hook(jinja/runtime.cpp "value statement::execute(context & ctx) const {" "@ ${budget}::step();")
jinja_hook(jinja/runtime.cpp "context loop_scope(scope);" "@ ${budget}::step();")
jinja_hook(jinja/runtime.h "static void gather_string_parts_recursive(const value & val, value_string & parts) {" "@ ${budget}::step();")
jinja_hook(jinja/runtime.h "context(const context & parent) : context() {"
  "@ ${budget}::bytes(64 * parent.env->as_ordered_object().size());")
jinja_hook(jinja/value.cpp "std::string value_to_string_repr(const value & val) {" "@ ${budget}::step();")
jinja_hook(jinja/value.cpp "void value_t::stats_t::mark_used(value & val, bool deep) {" "@ ${budget}::step();")
jinja_hook(jinja/value.cpp "auto indent_str = [indent, curr_lvl]() -> std::string {"
  "${budget}::step(); ${budget}::bytes(indent > 0 ? size_t(indent) * (curr_lvl + 1) : 0); @")
jinja_hook(jinja/value.h "virtual bool is_hashable() const override {\n" "@ ${budget}::step();\n")

# What is made or copied counts.
jinja_hook(jinja/value.h "using PointeeType = typename extract_pointee<T>::type;\n    return std::make_shared"
  "using PointeeType = typename extract_pointee<T>::type; ${budget}::bytes(sizeof(PointeeType));\n    return std::make_shared")
jinja_hook(jinja/value.h "virtual string as_string() const override { return val_str; }"
  "virtual string as_string() const override { ${budget}::bytes(val_str.length()); return val_str; }")
jinja_hook(jinja/value.h "        val_arr = arr;" "        ${budget}::bytes(16 * arr.size());@")
jinja_hook(jinja/value.h "        val_arr = v->val_arr;" "        ${budget}::bytes(16 * v->val_arr.size());@")
jinja_hook(jinja/value.h "void push_back(const value & val) {" "@ ${budget}::bytes(16);")
jinja_hook(jinja/value.h "void push_back(value && val) {" "@ ${budget}::bytes(16);")
jinja_hook(jinja/value.h "virtual void insert(const value & key, const value & val) override {" "@ ${budget}::bytes(64 + 4 * val_obj.size());")
jinja_hook(jinja/string.cpp "std::string string::str() const {" "@ ${budget}::bytes(length());")
jinja_hook(jinja/string.cpp "string & string::append(const string & other) {"
  "@ ${budget}::bytes(other.length() + sizeof(string_part) * other.parts.size());")
jinja_hook(jinja/value.cpp "new_res.reserve(" "${budget}::bytes(new_str.length() * (str.length() + 1)); @")
jinja_hook(jinja/value.cpp "str.replace(pos, old_str.length(), new_str);" "${budget}::bytes(new_str.length() + (str.length() - pos) / 8); @")
jinja_hook(jinja/value.cpp "str.erase(0, pos + delim.length());" "${budget}::bytes((str.length() - pos) / 8); @")
jinja_hook(jinja/value.cpp "result += delim;" "${budget}::bytes(delim.length()); @")
jinja_hook(jinja/value.cpp "indent.assign(val_width->as_int(), ' ');"
  "${budget}::bytes(val_width->as_int() > 0 ? size_t(val_width->as_int()) : 0); @")
jinja_hook(jinja/value.cpp "indented += indent;" "${budget}::bytes(indent.length()); @")

# A list that holds itself would never be freed, and only one that is changed after it was made can.
jinja_hook(jinja/value.h "using value_object = std::shared_ptr<value_object_t>;" "@
inline void empty_container(void * container) {
    auto * val = static_cast<value_t *>(container);
    val->val_arr.clear();
    val->val_obj.clear();
    if (auto * object = dynamic_cast<value_object_t *>(val)) object->unordered.clear();
}
")
jinja_hook(jinja/value.cpp "arr_editable->push_back(args.get_pos(1));" "${budget}::changed(args.get_pos(0), empty_container); @")
jinja_hook(jinja/runtime.cpp "obj_ptr->insert(prop_name, rhs);" "${budget}::changed(object, empty_container); @")

# Errors where the processor would raise one, an order that is none, a clock that all threads share, a table that is copied for
# each name that is read, and the white space that Python strips, which is not ASCII's alone.
jinja_hook(jinja/value.cpp "bool res = args.get_pos(0)->val_int % args.get_pos(1)->val_int == 0;"
  "const int64_t by = args.get_pos(1)->val_int; if (by == 0) throw raised_exception(\"divisibleby: division by zero\"); bool res = by == -1 || args.get_pos(0)->val_int % by == 0;")
jinja_hook(jinja/value.cpp "std::sort(" "std::stable_sort(")
jinja_hook(jinja/value.cpp "char buf[100];" "@ std::tm local;")
jinja_hook(jinja/value.cpp "std::localtime(&args.ctx.current_time)" "localtime_r(&args.ctx.current_time, &local)")
jinja_hook(jinja/runtime.cpp "auto builtins = " "const auto & builtins = ")

jinja_hook(jinja/string.cpp "        size_t start = 0;\n        size_t end = s.length();\n"
  "        if (!chars) return std::string(lanerope::text::stripped(s, {left, right}));\n@")
jinja_hook(jinja/string.cpp "#include \"jinja/value.h\"\n" "@#include \"text/white_space.h\"\n")

foreach(file jinja/runtime.h jinja/runtime.cpp jinja/value.h jinja/value.cpp jinja/string.cpp)
  set(jinja_old "")
  if(EXISTS ${jinja_build}/${file})
    file(READ ${jinja_build}/${file} jinja_old)
  endif()
  if(NOT jinja_old STREQUAL "${jinja_${file}}")
    file(WRITE ${jinja_build}/${file} "${jinja_${file}}")
  endif()
endforeach()
foreach(file jinja/caps.h jinja/caps.cpp jinja/lexer.h jinja/lexer.cpp jinja/parser.h jinja/parser.cpp jinja/string.h
    jinja/utils.h json.h json.cpp unicode.h unicode.cpp)
  configure_file(${LANEROPE_JINJA}/common/${file} ${jinja_build}/${file} COPYONLY)
endforeach()

list(TRANSFORM jinja_sources PREPEND ${jinja_build}/)
list(TRANSFORM jinja_sources APPEND .cpp)
add_library(llama_jinja STATIC ${jinja_sources})
target_include_directories(llama_jinja SYSTEM PUBLIC $<BUILD_INTERFACE:${jinja_build}> PRIVATE ${PROJECT_SOURCE_DIR}/src)
# Its asserts are about templates that are wrong, which are errors here and not a reason to stop the program.
target_compile_options(llama_jinja PRIVATE -w -DNDEBUG)
target_link_libraries(llama_jinja PUBLIC ggml::ggml-base PRIVATE $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>)
install(FILES ${LANEROPE_JINJA}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME LICENSE.llama.cpp)
