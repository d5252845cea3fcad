// After SIGKILL: how soon the next run commits a batch, and what was done in vain or twice.

#include <algorithm>
#include <iostream>
#include <stdexcept>
#include <thread>

#include "end_to_end/cases.hpp"
#include "measure/bench_server.hpp"
#include "measure/engine_run.hpp"
#include "measure/figures.hpp"
#include "measure/markdown.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::bench {
namespace {

using Clock = std::chrono::system_clock;

constexpr std::int64_t kRows = 2'000'000;
constexpr int kLanes = 2;
constexpr double kSameHostMax = 1;  // seconds from the start of the second run
constexpr double kLease = 15;       // seconds
constexpr double kOtherHostMax = kLease + 1;
constexpr std::chrono::minutes kPatience{2};

double seconds(Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

std::string counters_sql(std::int64_t rows) {
  return "CREATE TABLE counters (id bigint PRIMARY KEY, n int NOT NULL, filler text); "
         "INSERT INTO counters SELECT i, 0, repeat('x', 60) FROM generate_series(1, " +
         std::to_string(rows) + ") i;";
}

/// Twice done would be seen: the rows stay in the step's `where`.
EngineJob counting_job(int lanes, std::int64_t rows = 0) {
  return {"counters", "n = \"n + 1\"", "", lanes, rows};
}

void await(EngineRun& run, std::size_t batches, std::string_view what) {
  test::wait_for(
      [&] {
        if (!run.running() && run.batches().size() < batches)
          throw std::runtime_error("pgsluice ended too early");
        return run.batches().size() >= batches;
      },
      kPatience, std::string(what));
}

void await_no_orphans(test::Db& db) {
  test::wait_for(
      [&] {
        return db.number("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgsluice%'") ==
               0;
      },
      "the backends of a killed run to end");
}

void check_exact(test::Db& db, std::int64_t rows) {
  if (db.number("SELECT count(*) FROM counters WHERE n <> 1") != 0 ||
      db.number(
          "SELECT rows_changed FROM (SELECT sum(rows_changed) AS rows_changed FROM pgsluice.range) s") !=
          rows) {
    throw std::runtime_error("a row was left out or counted twice");
  }
}

struct SameHost {
  Figures first_batch_s;
  int kills = 0;
  double rows_in_vain = 0;    // rolled back, over all kills
  double batch_rows_max = 0;  // of any batch
};

/// Kills and resumes one job again and again, then lets it end.
SameHost kill_and_resume(BenchServer& server, int kills, std::int64_t rows) {
  auto trial = server.trial("counters");
  auto& db = trial.db();
  SameHost result;
  auto run = std::make_unique<EngineRun>(trial.dsn(), counting_job(kLanes),
                                         std::vector<std::string>{"--log-batches"});
  for (int kill = 0; kill < kills; ++kill) {
    await(*run, 8, "eight batches before the kill");
    run->kill();
    for (const auto& batch : run->batches()) {
      result.batch_rows_max = std::max(result.batch_rows_max, static_cast<double>(batch.rows));
    }
    run = std::make_unique<EngineRun>(trial.dsn(), counting_job(kLanes),
                                      std::vector<std::string>{"--log-batches"});
    await(*run, 1, "the first batch after the kill");
    const double first = seconds(run->batches().front().at - run->started_at());
    result.first_batch_s.add(first);
    std::cerr << "same host, kill " << kill + 1 << ": " << first << " s\n";
  }
  run->finish();
  for (const auto& batch : run->batches()) {
    result.batch_rows_max = std::max(result.batch_rows_max, static_cast<double>(batch.rows));
  }
  await_no_orphans(db);
  check_exact(db, rows);
  result.kills = kills;
  const auto updated = db.number("SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'counters'");
  result.rows_in_vain = static_cast<double>(updated - rows);
  return result;
}

struct OtherHost {
  double any_batch_s =
      0;  // from its start to its first batch, in what it splits from the range that seems held
  double after_kill_s = 0;   // first batch in the dead run's own range
  double after_lease_s = 0;  // the same, counted from the end of the dead run's lease
};

/// The first batch in a range that was taken over.
const BatchTold& first_taken_over(const std::vector<BatchTold>& batches,
                                  const std::vector<std::int64_t>& ranges) {
  const auto found = std::find_if(batches.begin(), batches.end(), [&](const BatchTold& batch) {
    return std::find(ranges.begin(), ranges.end(), batch.range_id) != ranges.end();
  });
  if (found == batches.end()) throw std::runtime_error("no batch in a range that was taken over");
  return *found;
}

/// The dead run's row is altered to say that it ran elsewhere: then nobody can tell that it is gone.
OtherHost resume_elsewhere(BenchServer& server, std::int64_t rows) {
  auto trial = server.trial("counters");
  auto& db = trial.db();
  // One lane and small batches: it can be stopped when it holds the only range that is left.
  EngineRun first(trial.dsn(), counting_job(1, 1'000), {"--log-batches"});
  test::wait_for(
      [&] {
        if (!first.running()) throw std::runtime_error("pgsluice ended too early");
        return db.yes("SELECT to_regclass('pgsluice.range') IS NOT NULL") &&
               db.yes(
                   "SELECT count(*) FILTER (WHERE NOT is_done) = 1 AND count(*) > 1 AND bool_or(NOT is_done "
                   "AND position IS NOT "
                   "NULL) FROM pgsluice.range");
      },
      kPatience, "the last range");
  first.kill();
  const auto killed_at = Clock::now();
  db.exec("UPDATE pgsluice.run SET host = 'elsewhere', boot = 'another'");
  const double lease_left =
      std::stod(db.text("SELECT extract(epoch FROM lease_until - clock_timestamp()) FROM pgsluice.run"));
  const auto lease_end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(lease_left));
  EngineRun second(trial.dsn(), counting_job(1, 1'000), {"--log-batches", "--wait", "60s"});
  second.finish();
  const auto batches = second.batches();
  const auto& taken_over = first_taken_over(batches, second.ranges_taken_over());
  await_no_orphans(db);
  check_exact(db, rows);
  const OtherHost result{seconds(batches.front().at - second.started_at()),
                         seconds(taken_over.at - killed_at), seconds(taken_over.at - lease_end)};
  std::cerr << "another host: " << result.after_kill_s << " s after the kill\n";
  return result;
}

}  // namespace

std::string case_resume(const Options& options, std::mt19937_64&) {
  const auto rows = options.rows(kRows);
  BenchServer server(options);
  server.make_template("counters", counters_sql(rows));
  const auto same = kill_and_resume(server, options.trials(10, 3), rows);
  Figures any_batch, after_kill, after_lease;
  const std::int64_t small = 40'000;
  server.server().connect().exec("DROP DATABASE counters");
  server.make_template("counters", counters_sql(small));
  for (int i = 0; i < options.trials(3, 1); ++i) {
    const auto other = resume_elsewhere(server, small);
    any_batch.add(other.any_batch_s);
    after_kill.add(other.after_kill_s);
    after_lease.add(other.after_lease_s);
  }
  // A batch in flight may be half as large again as the largest that committed.
  const double batches_in_vain = same.rows_in_vain / same.kills / same.batch_rows_max;
  MarkdownTable table({"", "measured", "goal", ""});
  table.add({"same host: start to first new batch, s", same.first_batch_s.text(2), "at most 1",
             verdict(same.first_batch_s.max() <= kSameHostMax)});
  table.add({"another host: start to first new batch, split off, s", any_batch.text(2), "–", "–"});
  table.add({"another host: SIGKILL to first batch of the dead run's range, s", after_kill.text(1),
             "at most 16", verdict(after_kill.max() <= kOtherHostMax)});
  table.add({"another host: end of its lease to that batch, s", after_lease.text(2), "at most 1",
             verdict(after_lease.max() <= 1)});
  table.add({"batches rolled back a kill, in largest batches", number_text(batches_in_vain, 2),
             "at most 2 (one a lane)", verdict(batches_in_vain <= kLanes)});
  table.add({"rows left out or counted twice", "0", "0", verdict(true)});
  return "## resume: " + std::to_string(rows) + " rows, n = n + 1, two lanes, " + std::to_string(same.kills) +
         " kills\n\n" + table.text() +
         "\nTimes are those of the batch events. Rolled back is what the table's statistics count above its "
         "rows; that "
         "no row was left out or done twice is checked, else the case ends with an error.\n";
}

}  // namespace pgsluice::bench
