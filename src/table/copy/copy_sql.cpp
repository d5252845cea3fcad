#include "table/copy/copy_sql.hpp"

#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"
#include "table/copy/compare_sql.hpp"
#include "table/copy/kept_sql.hpp"

namespace pgsluice::engine {
namespace {

// Rows that are tried beforehand: enough for a type that never fits, and read in a moment.
constexpr std::size_t kTriedRows = 200;
constexpr std::chrono::milliseconds kSourceLock{1'000};  // behind DDL at the source: then try again

// What bytes mean is settled for both sessions alike; those of a database without an encoding stay as they
// are.
std::string encoding(bool is_without) {
  return is_without ? "" : "; SET LOCAL client_encoding = 'UTF8'";
}

/// The key, then the copied columns. COPY writes some types in another way than their ::text (inet, boolean,
/// char(n)), and it is by that text that every other statement knows a key.
std::string selected_sql(const Copying& copying) {
  std::string selected;
  for (const auto& column : copying.key)
    selected += (selected.empty() ? "" : ", ") + pg::Identifier(column.name).sql() + "::text";
  for (const auto& column : copying.columns)
    selected += ", " + (column.is_plain ? column.expression : "(" + column.expression + "\n)");
  return selected;
}

std::string column_names(const Copying& copying) {
  std::vector<std::string> names;
  for (const auto& column : copying.columns) names.push_back(column.name);
  return pg::column_list(names);
}

}  // namespace

std::string begin_reading_sql(bool is_without_encoding) {
  return "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL lock_timeout = " +
         std::to_string(kSourceLock.count()) +
         "; SET LOCAL statement_timeout = " + std::to_string(kSourceStatement.count()) +
         "; SET LOCAL idle_in_transaction_session_timeout = " +
         std::to_string(pg::kIdleInTransaction.count()) +
         "; SET LOCAL datestyle = 'ISO, MDY'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL timezone = "
         "'UTC'"
         "; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL lc_monetary = 'C'"
         "; SET LOCAL row_security = off" +
         encoding(is_without_encoding);
}

std::string begin_source_sql(const Copying& copying) {
  return begin_reading_sql(copying.is_source_without_encoding);
}

std::string copy_out_sql(const Copying& copying, const std::string& predicate, std::size_t rows_most) {
  const auto table = copying.from.sql();
  const auto selected = selected_sql(copying);
  std::string order;
  for (const auto& column : copying.key) {
    // A bare name could be that of an output column here.
    order += (order.empty() ? "" : ", ") + table + "." + pg::Identifier(column.name).sql();
  }
  const auto where = copying.where.empty() ? "" : "\n  AND CASE WHEN (" + copying.where + "\n) THEN true END";
  return "COPY (SELECT " + selected + "\nFROM " + table + "\nWHERE " + predicate + where + "\nORDER BY " +
         order + (rows_most > 0 ? " LIMIT " + std::to_string(rows_most) : "") + ") TO STDOUT";
}

std::string copy_keys_out_sql(const Copying& copying, const pg::Params& key_arrays) {
  std::vector<std::string> arrays;
  for (const auto& array : key_arrays) arrays.push_back(pg::literal(array.value()));
  return "COPY (SELECT " + selected_sql(copying) + "\n" + from_keys_sql(copying, CopySide::kSource, arrays) +
         ") TO STDOUT";
}

std::string read_tried_sql(const Copying& copying) {
  return copy_out_sql(copying, "true", kTriedRows);
}

std::string make_tried_sql(const Copying& copying) {
  return "CREATE TEMPORARY TABLE pgsluice_tried ON COMMIT DROP AS SELECT " + column_names(copying) +
         " FROM " + copying.to.sql() + " WITH NO DATA";
}

std::string copy_into_tried_sql(const Copying& copying) {
  return copy_in_sql(copying, "pg_temp.pgsluice_tried");
}

std::string target_settings(const Copying& copying) {
  return std::string("; SET LOCAL lc_monetary = 'C'; SET LOCAL xmloption = content") +
         (copying.kept ? kept_settings() : "") + encoding(copying.is_target_without_encoding);
}

std::string copy_in_sql(const Copying& copying, const std::string& into_sql) {
  return "COPY " + into_sql + " (" + column_names(copying) + ") FROM STDIN";
}

std::string raise_sequence_sql(const std::string& sequence_sql, std::int64_t value) {
  const auto number = std::to_string(value);
  const auto sequence = pg::literal(sequence_sql) + "::pg_catalog.regclass";
  return "SELECT pg_catalog.setval(" + sequence + ", " + number + ") FROM " + sequence_sql +
         " AS now JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = " + sequence +
         " AND s.seqincrement > 0 AND " + number + " BETWEEN s.seqmin AND s.seqmax WHERE " + number +
         " > now.last_value OR (" + number + " = now.last_value AND NOT now.is_called)";
}

}  // namespace pgsluice::engine
