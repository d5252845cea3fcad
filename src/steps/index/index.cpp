#include "steps/index/index.hpp"

#include "pg/identifier.hpp"

namespace pgsluice::steps {
namespace {

constexpr const char* kState = R"sql(
SELECT CASE
         WHEN i.indexrelid IS NULL OR i.indrelid IS DISTINCT FROM pg_catalog.to_regclass($2)::oid THEN 'foreign'
         WHEN i.indisvalid THEN 'valid'
         WHEN EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = c.oid) THEN 'building'
         ELSE 'invalid'
       END
FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
WHERE c.oid = pg_catalog.to_regclass($1)
)sql";

constexpr const char* kSchemaOf = R"sql(
SELECT n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = pg_catalog.to_regclass($1)
)sql";

constexpr const char* kProgress = R"sql(
SELECT phase || CASE WHEN blocks_total > 0 THEN ': ' || blocks_done || ' of ' || blocks_total || ' blocks'
                     WHEN lockers_total > 0 THEN ': ' || lockers_done || ' of ' || lockers_total || ' transactions waited for'
                     ELSE '' END
FROM pg_catalog.pg_stat_progress_create_index WHERE relid = pg_catalog.to_regclass($1) LIMIT 1
)sql";

}  // namespace

IndexState index_state(pg::Session& session, const std::string& index_sql, const std::string& table_sql) {
  const auto rows = session.exec(kState, {index_sql, table_sql});
  if (rows.empty()) return IndexState::kMissing;
  const auto state = rows.text(0, 0);
  if (state == "valid") return IndexState::kValid;
  if (state == "building") return IndexState::kBuilding;
  return state == "invalid" ? IndexState::kInvalid : IndexState::kForeign;
}

std::string drop_index_sql(const std::string& index_sql) {
  return "DROP INDEX CONCURRENTLY IF EXISTS " + index_sql;
}

void run_concurrently(pg::Session& session, const std::string& sql) {
  session.exec(
      "SET lock_timeout = 0; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0" +
      session.client_check(pg::Session::Span::kSession));
  session.exec_cancellable(sql, {});
}

std::string index_in_schema_of(pg::Session& session, const std::string& table_sql,
                               const std::string& index_name) {
  const auto rows = session.exec(kSchemaOf, {table_sql});
  return pg::Identifier(rows.empty() ? "" : rows.text(0, 0), index_name).sql();
}

std::string build_progress(pg::Session& session, const std::string& table_sql) {
  const auto rows = session.exec(kProgress, {table_sql});
  return rows.empty() ? "" : rows.text(0, 0);
}

}  // namespace pgsluice::steps
