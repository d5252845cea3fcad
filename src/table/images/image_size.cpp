#include "table/images/image_size.hpp"

#include "pg/key.hpp"

namespace pgsluice::engine {
namespace {

constexpr std::int64_t kRowHeader = 28;  // with the line pointer
constexpr std::int64_t kPlace = 8;
constexpr std::int64_t kAlignment = 8;

// A column that has no statistics yet, or is mostly NULL, is taken as wide as its type, else as 32 bytes,
// what the planner assumes.
constexpr const char* kWidths = R"sql(
SELECT coalesce(sum(greatest(coalesce(s.avg_width, 0), CASE WHEN t.typlen > 0 THEN t.typlen WHEN s.avg_width > 0 THEN 0 ELSE 32 END)), 0)
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname
  AND NOT s.inherited
WHERE a.attrelid = $1::oid AND a.attname = ANY ($2::text[])
)sql";

std::int64_t width_of(pg::Session& session, const Images& images, const std::vector<pg::Column>& columns) {
  std::vector<std::string> names;
  for (const auto& column : columns) names.push_back(column.name);
  return session.exec(kWidths, {std::to_string(images.table.oid), pg::to_array(names)}).integer(0, 0);
}

}  // namespace

std::int64_t bytes_per_image(pg::Session& session, const Images& images) {
  const auto bytes = kRowHeader + kPlace + width_of(session, images, images.key) +
                     2 * width_of(session, images, images.changed);
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace pgsluice::engine
