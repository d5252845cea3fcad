// The same rows by one UPDATE statement and by pgsluice: time, WAL, size.

#include <algorithm>
#include <iostream>
#include <map>
#include <stdexcept>

#include "end_to_end/cases.hpp"
#include "measure/bench_server.hpp"
#include "measure/engine_run.hpp"
#include "measure/figures.hpp"
#include "measure/markdown.hpp"
#include "measure/process_cost.hpp"
#include "measure/users_table.hpp"

namespace pgsluice::bench {
namespace {

constexpr std::int64_t kRows = 1'000'000;
constexpr std::int64_t kRangeRows = 20'000;  // about what one lane's batches come to

enum class By { kOneUpdate, kRanges, kLanes };

struct Arm {
  std::string name;
  By by;
  int lanes = 0;
};

const std::vector<Arm> kArms{{"one UPDATE statement", By::kOneUpdate},
                             {"pgsluice, 1 lane", By::kLanes, 1},
                             {"pgsluice, 2 lanes", By::kLanes, 2},
                             {"UPDATE range by range, by hand", By::kRanges}};

/// What batches along the key cost by themselves: no ledger, no search for the end of a range, no sampling.
void update_ranges(test::Db& db, std::int64_t rows) {
  db.exec("SET synchronous_commit = off");
  for (std::int64_t low = 0; low < rows; low += kRangeRows) {
    db.exec("UPDATE users SET onboarding_completed = true WHERE id > " + std::to_string(low) +
            " AND id <= " + std::to_string(low + kRangeRows) + " AND onboarding_completed IS NULL");
  }
}

struct Measured {
  Figures seconds, step_seconds, server_cpu, wal_mb, heap_mb, total_mb, hot_percent, batch_p50_ms,
      batch_max_ms, speed;
};

/// Seconds of the change; notes what only the engine knows.
double change(TrialDatabase& trial, const Arm& arm, Measured& measured) {
  if (arm.by != By::kLanes) {
    const auto began = std::chrono::steady_clock::now();
    if (arm.by == By::kOneUpdate)
      trial.db().exec("UPDATE users SET onboarding_completed = true WHERE onboarding_completed IS NULL");
    else
      update_ranges(trial.db(), trial.db().number("SELECT max(id) FROM users"));
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  }
  EngineRun run(trial.dsn(), users_job(arm.lanes));
  const auto result = run.finish();
  measured.step_seconds.add(result.step_s);
  measured.batch_p50_ms.add(result.batch_p50_s * 1000);
  measured.batch_max_ms.add(result.batch_max_s * 1000);
  return result.wall_s;
}

double trial_of(BenchServer& server, const Arm& arm, Measured& measured) {
  auto trial = server.trial("users");
  auto& db = trial.db();
  const auto wal_before = wal_position(db);
  const auto postmaster = server.server().postmaster_pid();
  const auto cpu_before = cpu_seconds_of_family(postmaster);
  const auto seconds = change(trial, arm, measured);
  measured.seconds.add(seconds);
  measured.server_cpu.add(cpu_seconds_of_family(postmaster) - cpu_before);
  measured.wal_mb.add((wal_position(db) - wal_before) / 1e6);
  if (db.number("SELECT count(*) FROM users WHERE onboarding_completed IS NULL") != 0) {
    throw std::runtime_error(arm.name + " left rows undone");
  }
  measured.heap_mb.add(std::stod(db.text("SELECT pg_relation_size('users') / 1e6")));
  measured.total_mb.add(std::stod(db.text("SELECT pg_total_relation_size('users') / 1e6")));
  db.exec("SELECT pg_stat_force_next_flush()");
  measured.hot_percent.add(
      std::stod(db.text("SELECT 100.0 * n_tup_hot_upd / greatest(n_tup_upd, 1) FROM pg_stat_user_tables "
                        "WHERE relname = 'users'")));
  return seconds;
}

std::string table_of(std::map<std::string, Measured>& measured) {
  MarkdownTable table({"", "seconds, whole process", "seconds, step", "speed against the UPDATE",
                       "server's CPU s", "WAL MB", "heap MB", "with indexes MB", "HOT %", "batch median ms",
                       "batch longest ms"});
  for (const auto& arm : kArms) {
    const auto& m = measured[arm.name];
    table.add({arm.name, m.seconds.text(2), m.step_seconds.text(2), m.speed.text(2), m.server_cpu.text(2),
               m.wal_mb.text(0), m.heap_mb.text(0), m.total_mb.text(0), m.hot_percent.text(0),
               m.batch_p50_ms.text(0), m.batch_max_ms.text(0)});
  }
  return table.text();
}

}  // namespace

std::string case_one_update(const Options& options, std::mt19937_64& random) {
  const auto rows = options.rows(kRows);
  BenchServer server(options);
  server.make_template("users", users_sql(rows));
  std::map<std::string, Measured> measured;
  const int rounds = options.trials(7, 3);
  Measured discarded;
  trial_of(server, kArms.front(), discarded);  // the first trial meets new WAL segments and cold files
  for (int round = 0; round < rounds; ++round) {
    auto arms = kArms;
    std::shuffle(arms.begin(), arms.end(), random);
    std::map<std::string, double> seconds;
    for (const auto& arm : arms) {
      seconds[arm.name] = trial_of(server, arm, measured[arm.name]);
      std::cerr << "round " << round + 1 << " of " << rounds << ", " << arm.name << ": " << seconds[arm.name]
                << " s\n";
    }
    for (const auto& arm : kArms)
      measured[arm.name].speed.add(seconds[kArms.front().name] / seconds[arm.name]);
  }
  const double one = measured[kArms[1].name].speed.median();
  const double two = measured[kArms[2].name].speed.median();
  return "## one-update: " + std::to_string(rows) + " rows, primary key and one more index\n\n" +
         table_of(measured) + "\nMedian (lowest to highest) of " + std::to_string(rounds) +
         " rounds; speed is compared within a round.\n\n- one lane at least 1.0 times the UPDATE: " +
         verdict(one >= 1.0) + " (" + number_text(one, 2) +
         ")\n- two lanes at least 1.5 times: " + verdict(two >= 1.5) + " (" + number_text(two, 2) + ")\n";
}

}  // namespace pgsluice::bench
