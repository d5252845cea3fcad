#include "kinds/retype/mapping/steadiness.hpp"

#include "pg/connection/savepoint.hpp"
#include "pg/failure.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::steps::retype {
namespace {

// As far from the settings of our own transactions as an application's can be.
constexpr const char* kOtherSettings =
    "SET LOCAL TimeZone = 'Asia/Kathmandu'; SET LOCAL DateStyle = 'SQL, DMY'; SET LOCAL IntervalStyle = "
    "'sql_standard'; SET LOCAL extra_float_digits = -3; SET LOCAL bytea_output = 'escape'; SET LOCAL "
    "xmlbinary = "
    "'hex'; SET LOCAL search_path = pg_catalog";

// Values that are written differently under other settings, by type; others are left to the sample.
constexpr const char* kAwkward = R"sql(
SELECT CASE pg_catalog.format_type($1::regtype, -1)
         WHEN 'real' THEN '0.123456789' WHEN 'double precision' THEN '0.12345678901234567'
         WHEN 'interval' THEN '1 year -2 days 03:04:05.678' WHEN 'bytea' THEN '\x00ff5c27'
         WHEN 'date' THEN '2024-03-04' WHEN 'timestamp without time zone' THEN '2024-03-04 05:06:07.891'
         WHEN 'timestamp with time zone' THEN '2024-03-04 05:06:07.891+00'
         WHEN 'time with time zone' THEN '05:06:07+03' WHEN 'point' THEN '(0.12345678901234567,1)'
         WHEN 'circle' THEN '<(0.12345678901234567,1),2>' WHEN 'box' THEN '(0.12345678901234567,1),(0,0)'
         WHEN 'path' THEN '[(0.12345678901234567,1),(0,0)]' WHEN 'lseg' THEN '[(0.12345678901234567,1),(0,0)]'
         WHEN 'polygon' THEN '((0.12345678901234567,1),(0,0))' WHEN 'line' THEN '{0.12345678901234567,1,2}' END
)sql";

void fill(pg::Session& session, const ExpressionTrial& trial) {
  if (!trial.sample.empty())
    pg::attempt(session, [&] { session.exec("INSERT INTO pg_temp.pgsluice_trial " + trial.sample); });
  pg::attempt(session, [&] {
    const auto value = session.exec(kAwkward, {trial.base_type});
    if (!value.is_null(0, 0))
      session.exec("INSERT INTO pg_temp.pgsluice_trial VALUES (" + pg::literal(value.text(0, 0)) + ")");
  });
}

}  // namespace

std::string unsteadiness(pg::Session& session, const ExpressionTrial& trial) {
  const auto column = pg::Identifier(trial.column).sql();
  session.exec("CREATE TEMPORARY TABLE pgsluice_trial (" + column + " " + trial.type + ")");
  try {
    // IS NULL, because an index needs a type with an order.
    session.exec("CREATE INDEX pgsluice_trial_index ON pg_temp.pgsluice_trial (((" + trial.expression +
                 "\n) IS NULL))");
  } catch (const pg::Failure& f) {
    if (f.sqlstate() != pg::kInvalidObjectDefinition) throw;
    return "not all of its functions are declared IMMUTABLE";
  }
  session.exec("DROP INDEX pg_temp.pgsluice_trial_index");
  fill(session, trial);
  // A view keeps the meaning that the names have now, as a CHECK does.
  const auto untried = pg::attempt(session, [&] {
    session.exec(
        "CREATE TEMPORARY TABLE pgsluice_results AS SELECT " + column + ", (" + trial.expression +
        "\n) AS pgsluice_value FROM pg_temp.pgsluice_trial; CREATE TEMPORARY VIEW pgsluice_again AS SELECT "
        "pgsluice_value, (" +
        trial.expression + "\n) AS pgsluice_again FROM pg_temp.pgsluice_results");
  });
  if (untried) return {};  // a value that it cannot take is for the checks of the rows
  std::string differing;
  const auto failure = pg::attempt(session, [&] {
    session.exec(kOtherSettings);
    differing = session
                    .exec(
                        "SELECT count(*) FROM pg_temp.pgsluice_again WHERE NOT "
                        "pg_catalog.record_image_eq(ROW(pgsluice_value), ROW(pgsluice_again))")
                    .text(0, 0);
  });
  if (failure)
    return std::string("it fails in a session with other settings or search_path: ") + failure->what();
  if (differing == "0") return {};
  return "it gives different values under another TimeZone, DateStyle, IntervalStyle, extra_float_digits or "
         "bytea_output";
}

}  // namespace pgsluice::steps::retype
