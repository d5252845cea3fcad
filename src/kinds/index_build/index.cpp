#include "kinds/index_build/index.hpp"

#include "pg/connection/transaction.hpp"
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

constexpr const char* kCompare = R"sql(
SELECT a.indisunique = b.indisunique AND a.indnatts = b.indnatts AND a.indnkeyatts = b.indnkeyatts
         AND (SELECT relam FROM pg_catalog.pg_class WHERE oid = a.indexrelid)
             = (SELECT relam FROM pg_catalog.pg_class WHERE oid = b.indexrelid)
         AND a.indclass::text = b.indclass::text AND a.indcollation::text = b.indcollation::text
         AND a.indoption::text = b.indoption::text
         -- Through to_jsonb, as servers before 15 do not know it.
         AND pg_catalog.to_jsonb(a)->>'indnullsnotdistinct' IS NOT DISTINCT FROM pg_catalog.to_jsonb(b)->>'indnullsnotdistinct'
         AND pg_catalog.pg_get_expr(a.indpred, a.indrelid) IS NOT DISTINCT FROM pg_catalog.pg_get_expr(b.indpred, b.indrelid)
         AND NOT EXISTS (SELECT FROM pg_catalog.generate_series(1, a.indnatts) AS i
                         WHERE pg_catalog.pg_get_indexdef(a.indexrelid, i, false)
                               IS DISTINCT FROM pg_catalog.pg_get_indexdef(b.indexrelid, i, false)),
       pg_catalog.pg_get_indexdef(a.indexrelid)
FROM pg_catalog.pg_index a, pg_catalog.pg_index b
WHERE a.indexrelid = pg_catalog.to_regclass($1) AND b.indexrelid = pg_catalog.to_regclass('pg_temp.pgsluice_probe')
)sql";

}  // namespace

std::vector<std::string> probe_sql(const std::string& table_sql, const IndexWanted& wanted) {
  const auto probe = "pg_temp." + pg::Identifier(wanted.table).sql();
  return {"CREATE TEMPORARY TABLE " + probe + " (LIKE " + table_sql + ")",
          std::string("CREATE ") + (wanted.is_unique ? "UNIQUE " : "") + "INDEX pgsluice_probe ON " + probe +
              " " + wanted.body};
}

std::string other_definition_within(pg::Session& session, const std::string& index_sql,
                                    const std::string& table_sql, const IndexWanted& wanted) {
  if (wanted.body.empty()) return {};
  for (const auto& sql : probe_sql(table_sql, wanted)) session.exec(sql);
  const auto rows = session.exec(kCompare, {index_sql});
  return rows.empty() || rows.boolean(0, 0) ? "" : rows.text(0, 1);
}

std::string other_definition(pg::Session& session, const std::string& index_sql, const std::string& table_sql,
                             const IndexWanted& wanted) {
  if (wanted.body.empty()) return {};
  std::string other;
  session.exec(pg::begin_sql({}));
  try {
    other = other_definition_within(session, index_sql, table_sql, wanted);
  } catch (const pg::Failure& f) {
    pg::rollback(session);
    if (f.is_connection_lost() || f.disposition() == pg::Disposition::kRetryable) throw;
    return {};
  }
  pg::rollback(session);
  return other;
}

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
