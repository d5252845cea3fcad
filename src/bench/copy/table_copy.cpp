#include "bench/copy/table_copy.hpp"

#include <algorithm>

#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::bench {
namespace {

// Two arbitrary numbers that nobody else uses; the ledger's installation uses (7034, 1).
constexpr const char* kTakeLock = "SELECT pg_catalog.pg_try_advisory_lock(7034, 2)";

constexpr const char* kMark = "copies made by pgsluice bench, which removes them";

constexpr const char* kSchemaMark = R"sql(
SELECT coalesce(pg_catalog.obj_description(n.oid, 'pg_namespace'), '')
FROM pg_catalog.pg_namespace n WHERE n.nspname = $1
)sql";

constexpr const char* kFillfactor = R"sql(
SELECT o.option_value::int
FROM pg_catalog.pg_class c, pg_catalog.pg_options_to_table(c.reloptions) o
WHERE (c.oid = $1::oid OR c.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree($1::oid::regclass)))
  AND o.option_name = 'fillfactor'
ORDER BY c.reltuples DESC LIMIT 1
)sql";

constexpr double kSampleMargin = 1.2;  // pages hold different numbers of rows
constexpr double kEnough = 0.5;  // of the rows asked for; fewer mean that most pages hold dead rows only
constexpr double kWiden = 10;    // times the pages read before, then
constexpr int kFillfactorDefault = 100;

// Reading many rows takes time; its lock is granted at once or not at all.
constexpr pg::TransactionLimits kLimits{std::chrono::milliseconds{1'000}, std::chrono::milliseconds{0}, true};

std::string schema_sql() {
  return pg::Identifier(kCopySchema).sql();
}

/// No user table may have this name, because copies keep the name of their table.
std::string source_sql() {
  return pg::Identifier(kCopySchema, "pgsluice bench source").sql();
}

std::string copy_sql(const pg::Table& table) {
  return pg::Identifier(kCopySchema, table.name).sql();
}

std::string own_columns(const pg::Table& table) {
  std::vector<std::string> names;
  for (const auto& column : table.columns) {
    if (!column.is_generated) names.push_back(column.name);
  }
  return pg::column_list(names);
}

double sample_percent(const pg::Table& table, std::int64_t rows) {
  const auto all = static_cast<double>(std::max<std::int64_t>(1, table.rows_estimate));
  return 100 * kSampleMargin * static_cast<double>(rows) / all;
}

std::string sample_clause(double percent) {
  return percent >= 100 ? "" : " TABLESAMPLE SYSTEM (" + std::to_string(percent) + ")";
}

std::int64_t copy_sample(pg::Session& session, const pg::Table& table, std::int64_t rows, double percent) {
  session.exec("DROP TABLE IF EXISTS " + source_sql());
  session.exec_cancellable("CREATE UNLOGGED TABLE " + source_sql() +
                               " WITH (autovacuum_enabled = false) AS SELECT " + own_columns(table) +
                               " FROM " + table.sql() + sample_clause(percent) + " LIMIT " +
                               std::to_string(rows),
                           {});
  return session.exec("SELECT count(*) FROM " + source_sql(), pg::Params{}).integer(0, 0);
}

}  // namespace

bool take_copy_lock(pg::Session& session) {
  return session.exec(kTakeLock, pg::Params{}).boolean(0, 0);
}

void drop_copies(pg::Session& session) {
  const auto found = session.exec(kSchemaMark, {kCopySchema});
  if (found.empty()) return;
  if (found.text(0, 0) != kMark) {
    throw Error(ExitCode::kRefused,
                std::string("schema \"") + kCopySchema + "\" exists and was not made by bench",
                "rename it: bench makes and drops a schema of that name");
  }
  session.exec("DROP SCHEMA " + schema_sql() + " CASCADE");
}

void make_copy_schema(pg::Session& session) {
  pg::in_transaction(session, kLimits, [&] {
    session.exec("CREATE SCHEMA " + schema_sql());
    session.exec("COMMENT ON SCHEMA " + schema_sql() + " IS " + pg::literal(kMark));
    return true;
  });
}

std::int64_t make_source(pg::Session& session, const pg::Table& table, std::int64_t rows) {
  return pg::in_transaction(session, kLimits, [&] {
    session.exec("SET LOCAL synchronize_seqscans = off");  // rows keep their order
    double percent = sample_percent(table, rows);
    auto copied = copy_sample(session, table, rows, percent);
    // Row estimates follow the pages: a bloated table has fewer rows than they say.
    while (percent < 100 && static_cast<double>(copied) < kEnough * static_cast<double>(rows)) {
      percent *= kWiden;
      copied = copy_sample(session, table, rows, percent);
    }
    return copied;
  });
}

void make_copy(pg::Session& session, const pg::Table& table) {
  const auto option = session.exec(kFillfactor, {std::to_string(table.oid)});
  const auto fillfactor = option.empty() ? kFillfactorDefault : option.integer(0, 0);
  pg::in_transaction(session, kLimits, [&] {
    session.exec("SET LOCAL synchronize_seqscans = off");
    session.exec("DROP TABLE IF EXISTS " + copy_sql(table));
    session.exec(
        "CREATE TABLE " + copy_sql(table) + " (LIKE " + table.sql() +
        " INCLUDING ALL) WITH (autovacuum_enabled = false, fillfactor = " + std::to_string(fillfactor) + ")");
    session.exec_cancellable("INSERT INTO " + copy_sql(table) + " (" + own_columns(table) +
                                 ") OVERRIDING SYSTEM VALUE SELECT * FROM " + source_sql(),
                             {});
    return true;
  });
  session.exec_cancellable("VACUUM (FREEZE, ANALYZE) " + copy_sql(table), {});
}

}  // namespace pgsluice::bench
