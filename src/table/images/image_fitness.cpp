#include "table/images/image_fitness.hpp"

#include "pg/key.hpp"
#include "pgsluice/error.hpp"
#include "table/images/images_sql.hpp"

namespace pgsluice::engine {
namespace {

constexpr std::size_t kColumnsMost = 1'600;       // of a table: MaxHeapAttributeNumber
constexpr std::int64_t kRowBytesMost = 8'160;     // of a row on a page of 8 kB
constexpr std::int64_t kBytesBesideColumns = 32;  // the row's header and its place
constexpr const char* kHintFewer =
    "set fewer columns in a step, in several steps one after the other, or leave keep out";

// Columns of a fixed width that are never NULL: what a row takes at least.
constexpr const char* kLeastWidth = R"sql(
SELECT coalesce(sum(t.typlen), 0)
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = $1::oid AND a.attname = ANY ($2::text[]) AND a.attnotnull AND t.typlen > 0
)sql";

[[noreturn]] void refuse(const std::string& step, const std::string& why, const std::string& hint) {
  throw Error(ExitCode::kRefused, "step \"" + step + "\" cannot keep before-images: " + why, hint);
}

void refuse_taken_names(const Images& images, const std::string& step) {
  if (is_name_of_images(images.table.name))
    refuse(step, "its batches use the name of table " + images.table.sql() + " themselves",
           "rename the table, or leave keep out");
  for (const auto& column : images.table.columns) {
    if (is_name_of_images(column.name))
      refuse(step,
             "its batches use the name of column \"" + column.name + "\" of table " + images.table.sql() +
                 " themselves",
             "rename the column, or leave keep out");
  }
}

void refuse_many_columns(const Images& images, const std::string& step) {
  const auto columns = 1 + images.key.size() + 2 * images.changed.size();
  if (columns <= kColumnsMost) return;
  refuse(step,
         "the old and new values of " + std::to_string(images.changed.size()) + " columns and the key take " +
             std::to_string(columns) + " columns, and a table has at most " + std::to_string(kColumnsMost),
         kHintFewer);
}

void refuse_wide_row(pg::Session& session, const Images& images, const std::string& step) {
  const auto width = [&](const std::vector<pg::Column>& columns) {
    const auto oid = std::to_string(images.table.oid);
    return session.exec(kLeastWidth, {oid, pg::to_array(names_of(columns))}).integer(0, 0);
  };
  const auto bytes = kBytesBesideColumns + width(images.key) + 2 * width(images.changed);
  if (bytes <= kRowBytesMost) return;
  refuse(step,
         "an image takes at least " + std::to_string(bytes) + " bytes, and a row has at most " +
             std::to_string(kRowBytesMost),
         kHintFewer);
}

}  // namespace

void refuse_unfit_images(pg::Session& session, const Images& images, const std::string& step) {
  refuse_taken_names(images, step);
  refuse_many_columns(images, step);
  refuse_wide_row(session, images, step);
}

}  // namespace pgsluice::engine
