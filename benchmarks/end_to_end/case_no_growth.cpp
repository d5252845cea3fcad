// Whether a batch at the end of a large table costs more than one at its start, for three kinds of key.

#include <algorithm>
#include <iostream>
#include <thread>

#include "end_to_end/cases.hpp"
#include "measure/bench_server.hpp"
#include "measure/engine_run.hpp"
#include "measure/figures.hpp"
#include "measure/markdown.hpp"

namespace pgsluice::bench {
namespace {

constexpr std::int64_t kRows = 5'000'000;
constexpr std::int64_t kBatchRows = 2'000;  // fixed, so that nothing but the place changes
constexpr std::chrono::milliseconds kLook{20};
constexpr double kGrowthMax = 1.05;

struct KeyKind {
  std::string name;
  std::string columns;  // definitions
  std::string key;
  std::string values;  // of row i
};

/// The composite key has 999 tenants; the one in the middle owns 4 of 25 rows (800,000 of 5 million), all
/// interleaved on the heap as they would come in.
const std::vector<KeyKind> kKinds{
    {"bigint", "id bigint", "id", "i * 3"},
    {"composite (tenant, id)", "tenant int, id bigint", "tenant, id",
     "CASE WHEN i % 25 < 4 THEN 500 WHEN i % 2 = 0 THEN i::bigint * 7919 % 499 + 1 ELSE i::bigint * 7919 % "
     "499 + 501 END, i"},
    {"uuid", "id uuid", "id", "md5(i::text)::uuid"},
};

std::string table_sql(const KeyKind& kind, std::int64_t rows) {
  return "CREATE EXTENSION pg_stat_statements; CREATE TABLE users (" + kind.columns +
         ", name text, created_at timestamptz, plan int, onboarding_completed boolean, PRIMARY KEY (" +
         kind.key + ")); INSERT INTO users SELECT " + kind.values +
         ", 'Some Name ' || i, timestamptz '2020-01-01 00:00:00+00' + i * interval '1 minute', i % 7, NULL "
         "FROM generate_series(1, " +
         std::to_string(rows) + ") i;";
}

/// What the server says at one moment: rows changed and buffers touched by the batches' statements until
/// then, the end of the WAL, the time.
struct Sample {
  double rows = 0;
  double buffers = 0;
  double wal = 0;
  double seconds = 0;
};

Sample look(test::Db& db, std::chrono::steady_clock::time_point began) {
  const auto row = db.rows(R"(
    SELECT coalesce(sum(s.rows) FILTER (WHERE s.query LIKE 'UPDATE "public"."users"%'), 0),
           coalesce(sum(s.shared_blks_hit + s.shared_blks_read), 0),
           pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')
    FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
    WHERE d.datname = current_database() AND s.query NOT LIKE '%pg_stat_statements%'
      AND (s.query LIKE '%"users"%' OR s.query LIKE '%pgsluice.range%'))")
                       .at(0);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return {std::stod(row.at(0)), std::stod(row.at(1)), std::stod(row.at(2)), seconds};
}

std::vector<Sample> watch(TrialDatabase& trial) {
  std::vector<Sample> samples;
  trial.db().exec("SELECT pg_stat_statements_reset()");
  EngineJob job{"users", "onboarding_completed = \"true\"", "onboarding_completed IS NULL", 1, kBatchRows};
  const auto began = std::chrono::steady_clock::now();
  EngineRun run(trial.dsn(), job);
  while (run.running()) {
    auto sample = look(trial.db(), began);
    if (sample.rows > 0) samples.push_back(sample);  // what came before is preparation
    std::this_thread::sleep_for(kLook);
  }
  run.finish();
  samples.push_back(look(trial.db(), began));
  return samples;
}

/// Costs of a row within one tenth of the table.
struct Cost {
  double buffers = 0;
  double wal = 0;
  double microseconds = 0;
};

std::vector<Cost> tenths(const std::vector<Sample>& samples) {
  const auto at_share = [&](int tenth) {
    const double rows = samples.back().rows * tenth / 10;
    return *std::find_if(samples.begin(), samples.end(), [&](const Sample& s) { return s.rows >= rows; });
  };
  std::vector<Cost> costs;
  for (int i = 0; i < 10; ++i) {
    const auto from = at_share(i);
    const auto to = at_share(i + 1);
    const double rows = to.rows - from.rows;
    costs.push_back({(to.buffers - from.buffers) / rows, (to.wal - from.wal) / rows,
                     (to.seconds - from.seconds) / rows * 1e6});
  }
  return costs;
}

/// One kind of cost along the table, over all trials.
struct Course {
  Figures first, second, last, growth, later_growth, dearest;

  void add(const std::vector<Cost>& costs, double Cost::*kind) {
    std::vector<double> values;
    for (const auto& cost : costs) values.push_back(cost.*kind);
    first.add(values.front());
    second.add(values.at(1));
    last.add(values.back());
    growth.add(values.back() / values.front());
    later_growth.add(values.back() / values.at(1));
    dearest.add(*std::max_element(values.begin(), values.end()) / values.front());
  }

  std::vector<std::string> row(const std::string& key, const std::string& kind, int decimals,
                               bool has_goal) const {
    return {key,
            kind,
            first.text(decimals),
            second.text(decimals),
            last.text(decimals),
            growth.text(3),
            later_growth.text(3),
            dearest.text(3),
            has_goal ? verdict(growth.max() <= kGrowthMax) : "–"};
  }
};

struct Measured {
  Course buffers, wal, microseconds;
};

Measured measure(const KeyKind& kind, const Options& options) {
  BenchServer server(options, {{"shared_preload_libraries", "pg_stat_statements"}});
  server.make_template("users", table_sql(kind, options.rows(kRows)));
  Measured measured;
  for (int i = 0; i < options.trials(1, 1); ++i) {
    auto trial = server.trial("users");
    const auto costs = tenths(watch(trial));
    for (const auto& cost : costs) {
      std::cerr << kind.name << ": " << number_text(cost.buffers, 3) << " buffers, "
                << number_text(cost.wal, 1) << " bytes of WAL, " << number_text(cost.microseconds, 2)
                << " us a row\n";
    }
    measured.buffers.add(costs, &Cost::buffers);
    measured.wal.add(costs, &Cost::wal);
    measured.microseconds.add(costs, &Cost::microseconds);
  }
  return measured;
}

}  // namespace

std::string case_no_growth(const Options& options, std::mt19937_64&) {
  MarkdownTable table({"key", "of a row", "first tenth", "second", "last", "last / first", "last / second",
                       "dearest / first", "at most 1.05"});
  for (const auto& kind : kKinds) {
    const auto m = measure(kind, options);
    table.add(m.buffers.row(kind.name, "buffers", 2, true));
    table.add(m.wal.row(kind.name, "WAL bytes", 0, true));
    table.add(m.microseconds.row(kind.name, "µs", 1, false));
  }
  const auto rows = std::to_string(options.rows(kRows));
  return "## no-growth: " + rows + " rows, one lane, batches of " + std::to_string(kBatchRows) + "\n\n" +
         table.text() +
         "\nBuffers from pg_stat_statements, WAL from the server's insert position, both read from outside "
         "while it "
         "runs. The goal is the last tenth against the first, for buffers and WAL. A heap that is not in key "
         "order is "
         "touched everywhere in the first tenth, which then pays for the full-page images: read its last / "
         "second.\n";
}

}  // namespace pgsluice::bench
