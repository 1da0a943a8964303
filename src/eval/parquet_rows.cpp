// SPDX-License-Identifier: Apache-2.0
// Built where CMake finds Apache Arrow with Parquet; without_parquet.cpp stands in for it elsewhere.
#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <parquet/arrow/reader.h>

#include <algorithm>
#include <memory>

#include "eval/row_file.h"
#include "lanerope/errors.h"

namespace lanerope::eval {

namespace {

using Json = nlohmann::json;

Json json_of(const arrow::Scalar& scalar);

Json list_of(const arrow::Array& values) {
  Json list = Json::array();
  for (int64_t i = 0; i < values.length(); ++i) list.push_back(json_of(*values.GetScalar(i).ValueOrDie()));
  return list;
}

// What question files hold: texts, numbers, truth values, lists and structs of them. Anything else, such as
// pictures, is null.
Json json_of(const arrow::Scalar& scalar) {
  if (!scalar.is_valid) return nullptr;
  switch (scalar.type->id()) {
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
      return std::string(static_cast<const arrow::BaseBinaryScalar&>(scalar).view());
    case arrow::Type::BOOL:
      return static_cast<const arrow::BooleanScalar&>(scalar).value;
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST:
      return list_of(*static_cast<const arrow::BaseListScalar&>(scalar).value);
    case arrow::Type::STRUCT: {
      const auto& type = static_cast<const arrow::StructType&>(*scalar.type);
      const auto& fields = static_cast<const arrow::StructScalar&>(scalar).value;
      Json object = Json::object();
      for (int i = 0; i < type.num_fields(); ++i)
        object[type.field(i)->name()] = json_of(*fields[static_cast<size_t>(i)]);
      return object;
    }
    case arrow::Type::DICTIONARY: {
      const auto value = static_cast<const arrow::DictionaryScalar&>(scalar).GetEncodedValue();
      return value.ok() ? json_of(**value) : Json();
    }
    default:
      break;
  }
  if (arrow::is_integer(scalar.type->id())) {
    const auto whole = scalar.CastTo(arrow::int64());
    return whole.ok() ? Json(static_cast<const arrow::Int64Scalar&>(**whole).value) : Json();
  }
  if (arrow::is_floating(scalar.type->id())) {
    const auto real = scalar.CastTo(arrow::float64());
    return real.ok() ? Json(static_cast<const arrow::DoubleScalar&>(**real).value) : Json();
  }
  return nullptr;
}

template <typename Result>
auto checked(Result result, const std::string& file) {
  if (result.ok()) return std::move(result).ValueOrDie();
  throw BadFile(file + " is a damaged Parquet file (" + result.status().message() + "); fetch it again");
}

}  // namespace

bool reads_parquet() {
  return true;
}

std::vector<Row> rows_of_parquet(const std::string& bytes, const std::string& file, int64_t limit) {
  const auto source = std::make_shared<arrow::io::BufferReader>(std::make_shared<arrow::Buffer>(bytes));
  const auto reader = checked(parquet::arrow::OpenFile(source, arrow::default_memory_pool()), file);
  const std::shared_ptr<arrow::Table> table = checked(reader->ReadTable(), file);
  const int64_t count = limit > 0 ? std::min(limit, table->num_rows()) : table->num_rows();
  std::vector<Row> rows;
  for (int64_t i = 0; i < count; ++i) {
    Row row{.fields = Json::object(), .where = file + ", row " + std::to_string(i + 1)};
    for (int c = 0; c < table->num_columns(); ++c)
      row.fields[table->field(c)->name()] = json_of(*checked(table->column(c)->GetScalar(i), file));
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace lanerope::eval
