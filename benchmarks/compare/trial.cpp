#include "compare/trial.hpp"

#include <chrono>
#include <optional>
#include <stdexcept>
#include <thread>

#include "compare/application.hpp"
#include "compare/by_hand.hpp"
#include "measure/engine_run.hpp"
#include "measure/process_cost.hpp"

namespace pgsluice::bench {
namespace {

constexpr const char* kUpdates =
    "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'users'";
constexpr const char* kSizes = "SELECT pg_relation_size('users') / 1e6, pg_indexes_size('users') / 1e6";
constexpr const char* kResult =
    "SELECT count(*), count(*) FILTER (WHERE onboarding_completed IS NOT TRUE) FROM users";

EngineJob job_of(const Arm& arm) {
  EngineJob job{"users", "onboarding_completed = \"true\"", kLeft, arm.lanes};
  job.walk = arm.walk;
  job.tunables.throttle = arm.throttle;
  job.env = arm.env;
  return job;
}

/// Returns what it says about its walk.
std::vector<std::string> change_by_pgsluice(TrialDatabase& trial, const Table& table, const Arm& arm) {
  EngineRun run(trial.dsn(), job_of(arm));
  const auto result = run.finish();
  if (result.rows_changed > table.rows) throw std::runtime_error(arm.name + " says it changed a row twice");
  return result.walk_changes;
}

std::vector<std::string> change(TrialDatabase& trial, const Table& table, const Arm& arm) {
  switch (arm.by) {
    case By::kNobody:
      watch_alone();
      break;
    case By::kOneUpdate:
      one_update(trial.db(), table);
      break;
    case By::kLoop:
      loop_with_commit(trial.db(), table);
      break;
    case By::kOffset:
      offset_batches(trial.db(), table);
      break;
    case By::kPgroll:
      pgroll_shape(trial.db(), table);
      break;
    case By::kGitlab:
      gitlab_shape(trial.db(), table);
      break;
    case By::kPgsluice:
      return change_by_pgsluice(trial, table, arm);
  }
  return {};
}

/// What it would do, asked before it is measured.
std::string plan_of(TrialDatabase& trial, const Arm& arm) {
  return arm.walk == "auto" ? planned_walk(trial.dsn(), job_of(arm)) : "";
}

void prove(test::Db& db, const Table& table, const Arm& arm) {
  if (arm.by == By::kNobody) return;
  const auto row = db.rows(kResult).at(0);
  if (row.at(0) != std::to_string(table.rows) || row.at(1) != "0")
    throw std::runtime_error(arm.name + ": of " + std::to_string(table.rows) + " rows " + row.at(0) +
                             " are there, and " + row.at(1) + " of them were left out");
}

/// Keeps what was there when it began visible to somebody.
std::optional<test::Db> open_snapshot(TrialDatabase& trial) {
  auto reader = std::make_optional<test::Db>(trial.dsn());
  reader->exec("BEGIN ISOLATION LEVEL REPEATABLE READ");
  reader->exec("SELECT 1 FROM users LIMIT 1");
  return reader;
}

struct Updates {
  double all = 0;
  double hot = 0;
};

Updates updates_of(test::Db& db) {
  db.exec("SELECT pg_stat_force_next_flush()");
  const auto row = db.rows(kUpdates).at(0);
  return {std::stod(row.at(0)), std::stod(row.at(1))};
}

/// What the server's counters say of the change. Returns its seconds.
class Meter {
 public:
  Meter(BenchServer& server, test::Db& db)
      : postmaster_(server.server().postmaster_pid()), db_(db), updates_(updates_of(db)) {
    wal_ = wal_position(db_);
    cpu_s_ = cpu_seconds_of_family(postmaster_);
    began_ = std::chrono::steady_clock::now();
  }

  TrialFigures read(std::int64_t rows) {
    TrialFigures figures;
    figures.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
    figures.server_cpu_s = cpu_seconds_of_family(postmaster_) - cpu_s_;
    const double wal = wal_position(db_) - wal_;
    figures.wal_mb = wal / 1e6;
    figures.wal_per_row = wal / static_cast<double>(rows);
    figures.rows_per_s = static_cast<double>(rows) / figures.seconds;
    return figures;
  }

  /// Once every session that took part is gone.
  void read_table(TrialFigures& figures) {
    const auto after = updates_of(db_);
    const double all = after.all - updates_.all;
    if (all > 0) figures.hot_percent = 100 * (after.hot - updates_.hot) / all;
    const auto sizes = db_.rows(kSizes).at(0);
    figures.heap_mb = std::stod(sizes.at(0));
    figures.indexes_mb = std::stod(sizes.at(1));
    figures.size_mb = figures.heap_mb + figures.indexes_mb;
  }

 private:
  pid_t postmaster_;
  test::Db& db_;
  Updates updates_;
  double wal_ = 0;
  double cpu_s_ = 0;
  std::chrono::steady_clock::time_point began_;
};

void add_latencies(TrialFigures& figures, const Noticed& noticed) {
  figures.p50_ms = noticed.p50_ms;
  figures.p99_ms = noticed.p99_ms;
  figures.longest_ms = noticed.longest_ms;
  figures.served = noticed.served;
  figures.failed = noticed.failed;
}

}  // namespace

TrialFigures run_trial(const TrialPlace& place, const Arm& arm) {
  auto trial = place.server.trial(kTemplate);
  std::optional<test::Db> snapshot;
  if (place.snapshot_age) {
    snapshot = open_snapshot(trial);
    std::this_thread::sleep_for(*place.snapshot_age);
  }
  const auto plan = plan_of(trial, arm);
  std::optional<Application> application;
  if (place.traffic.per_s > 0 && arm.has_traffic)
    application.emplace(trial.dsn(), place.table.rows, place.traffic.per_s);
  Meter meter(place.server, trial.db());
  if (application) application->begin();
  auto remarks = change(trial, place.table, arm);
  auto figures = meter.read(place.table.rows);
  if (!plan.empty()) remarks.insert(remarks.begin(), plan);
  figures.remarks = std::move(remarks);
  if (application) add_latencies(figures, application->end());
  snapshot.reset();
  prove(trial.db(), place.table, arm);
  meter.read_table(figures);
  return figures;
}

}  // namespace pgsluice::bench
