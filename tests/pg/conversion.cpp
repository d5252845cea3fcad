#include "pg/conversion.hpp"

#include <exception>

namespace pgsluice::test {

namespace {

std::string selected(const Conversion& conversion) {
  return conversion.expression.empty() ? "c" : conversion.expression;
}

std::string insert(const std::string& table, const Conversion& conversion, const std::string& from) {
  return "INSERT INTO " + table + " SELECT " + selected(conversion) + " FROM " + from;
}

}  // namespace

std::optional<std::string> refusal_by_server(Db& db, const std::string& sql) {
  try {
    db.exec(sql);
    return std::nullopt;
  } catch (const std::exception& error) {
    return error.what();
  }
}

std::string Conversion::alter(const std::string& table) const {
  return "ALTER TABLE " + table + " ALTER COLUMN c TYPE " + to +
         (expression.empty() ? "" : " USING (" + expression + ")");
}

// An INSERT converts as ALTER TABLE does: by the assignment cast, and only on behalf of an expression
// further.
Conversions::Conversions(Db& db, const CastPair& pair, bool is_required) : db_(db) {
  const std::string constraint = is_required ? " NOT NULL)" : ")";
  for (const auto* table : {"old_value", "old_again"}) {
    db.exec("CREATE TEMP TABLE " + std::string(table) + " (c " + pair.from.sql + constraint);
  }
  for (const auto* table : {"new_value", "new_again"}) {
    db.exec("CREATE TEMP TABLE " + std::string(table) + " (c " + pair.to.sql + constraint);
  }
  forth_ = resolve("old_value", "new_value", pair.to.sql, pair.forth);
  back_ = resolve("new_value", "old_value", pair.from.sql, pair.back);
}

Conversion Conversions::resolve(const std::string& from, const std::string& to, const std::string& type,
                                const std::string& given) {
  Conversion result{type, given};
  const auto is_known = [&] { return !refusal_by_server(db_, "EXPLAIN " + insert(to, result, from)); };
  result.is_possible = is_known();
  if (result.is_possible || !given.empty()) return result;
  result.expression = "c::" + type;
  result.is_possible = is_known();
  return result;
}

Fit Conversions::fit(const std::string& value) {
  return try_out(value, "old", "new", forth_, back_);
}

Fit Conversions::fit_back(const std::string& value) {
  return try_out(value, "new", "old", back_, forth_);
}

Fit Conversions::try_out(const std::string& value, const std::string& here, const std::string& there,
                         const Conversion& away, const Conversion& home) {
  const auto start = "WITH a AS (INSERT INTO " + here + "_value VALUES (" + value + ") RETURNING c), b AS (" +
                     insert(there + "_value", away, "a") + " RETURNING c)";
  if (refusal_by_server(db_, start + " SELECT 1 FROM b")) return Fit::kNone;
  if (!home.is_possible) return Fit::kClean;
  try {
    return db_.yes(start + ", z AS (" + insert(here + "_again", home, "b") +
                   " RETURNING c) SELECT pg_catalog.record_image_eq(ROW(a.c), ROW(z.c)) FROM a, z")
               ? Fit::kClean
               : Fit::kLossy;
  } catch (const std::exception&) {
    return Fit::kLossy;
  }
}

}  // namespace pgsluice::test
