// A third of a table deleted by one DELETE and by pgsluice, also into an archive: time, WAL, and whether a
// snapshot that is held open makes later batches dearer.

#include <algorithm>
#include <iostream>
#include <map>
#include <stdexcept>

#include "end_to_end/cases.hpp"
#include "measure/bench_server.hpp"
#include "measure/cores_watch.hpp"
#include "measure/engine_run.hpp"
#include "measure/figures.hpp"
#include "measure/markdown.hpp"
#include "measure/process_cost.hpp"

namespace pgsluice::bench {
namespace {

constexpr std::int64_t kRows = 3'000'000;
constexpr double kWalMost = 1.03;       // times the statement's
constexpr double kLastBatchMost = 1.5;  // times the first one's, for each row: batches of some ms scatter

/// Which third goes.
struct Third {
  const char* name;
  std::string where;
};

struct Arm {
  std::string name;
  int lanes = 0;  // 0: one statement
  bool is_archived = false;
  bool is_snapshot_held = false;
};

const std::vector<Arm> kArms{{"one DELETE", 0, false},
                             {"pgsluice, 1 lane", 1, false},
                             {"pgsluice, 2 lanes", 2, false},
                             {"one DELETE … RETURNING into an archive", 0, true},
                             {"pgsluice with archive_to, 1 lane", 1, true},
                             {"pgsluice with archive_to, 2 lanes", 2, true},
                             {"pgsluice, 1 lane, a snapshot held open", 1, false, true}};

std::string audit_sql(std::int64_t rows) {
  return "CREATE TABLE audit (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id int, kind int, "
         "created_at timestamptz NOT NULL, body text);"
         "INSERT INTO audit (user_id, kind, created_at, body) SELECT i::bigint * 7919 % 100003, i % 3, "
         "timestamptz "
         "'2024-01-01 00:00:00+00' + i * interval '1 second', 'changed by the service, ' || md5(i::text) "
         "FROM "
         "generate_series(1, " +
         std::to_string(rows) +
         ") i; CREATE INDEX ON audit (created_at); CREATE INDEX ON audit (user_id);"
         "CREATE TABLE kept (LIKE audit);";
}

std::vector<Third> thirds(std::int64_t rows) {
  return {{"oldest", "created_at < timestamptz '2024-01-01 00:00:00+00' + interval '" +
                         std::to_string(rows / 3) + " seconds' + interval '1 second'"},
          {"scattered", "kind = 0"}};
}

struct Measured {
  Figures seconds, step_seconds, server_cpu, program_cpu, wal_mb, batches, batch_max_ms, speed, wal,
      last_batch;
};

/// Median milliseconds for a thousand rows of these batches.
double price(const std::vector<BatchTold>& batches, std::size_t from, std::size_t to) {
  Figures prices;
  for (auto i = from; i < to; ++i) {
    if (batches[i].rows > 0) prices.add(1e6 * batches[i].seconds / static_cast<double>(batches[i].rows));
  }
  return prices.median();
}

void run_program(TrialDatabase& trial, const Arm& arm, const Third& third, Measured& measured) {
  EngineJob job{"audit", "", third.where, arm.lanes};
  job.purge = arm.is_archived ? "archive_to = \"kept\"\n" : "repeat = false\n";
  EngineRun run(trial.dsn(), job);
  const auto result = run.finish();
  measured.seconds.add(result.wall_s);
  measured.step_seconds.add(result.step_s);
  measured.program_cpu.add(result.cpu_s);
  measured.batches.add(static_cast<double>(result.batches));
  measured.batch_max_ms.add(result.batch_max_s * 1000);
  const auto batches = run.batches();
  const auto part = std::max<std::size_t>(1, batches.size() / 5);
  if (batches.size() > 2 * part)  // the first grow from their first size
    measured.last_batch.add(price(batches, batches.size() - part, batches.size()) /
                            price(batches, part, 2 * part));
}

void run_statement(test::Db& db, const Arm& arm, const Third& third, Measured& measured) {
  const auto began = std::chrono::steady_clock::now();
  const auto deletes = "DELETE FROM audit WHERE " + third.where;
  db.exec(arm.is_archived
              ? "WITH gone AS (" + deletes +
                    " RETURNING id, user_id, kind, created_at, body) INSERT INTO kept (id, user_id, "
                    "kind, created_at, body) SELECT id, user_id, kind, created_at, body FROM gone"
              : deletes);
  measured.seconds.add(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
}

/// Seconds.
void trial_of(BenchServer& server, const Arm& arm, const Third& third, std::int64_t rows,
              Measured& measured) {
  auto trial = server.trial("audit");
  auto& db = trial.db();
  test::Db reader(trial.dsn());
  if (arm.is_snapshot_held) reader.exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM kept");
  const auto wal_before = wal_position(db);
  const auto postmaster = server.server().postmaster_pid();
  const auto cpu_before = cpu_seconds_of_family(postmaster);
  if (arm.lanes == 0)
    run_statement(db, arm, third, measured);
  else
    run_program(trial, arm, third, measured);
  measured.server_cpu.add(cpu_seconds_of_family(postmaster) - cpu_before);
  measured.wal_mb.add((wal_position(db) - wal_before) / 1e6);
  const auto gone = rows / 3;
  if (db.number("SELECT count(*) FROM audit") != rows - gone ||
      db.number("SELECT count(*) FROM kept") != (arm.is_archived ? gone : 0))
    throw std::runtime_error(arm.name + " has not taken away a third of the rows");
}

/// The newest figures of all arms are those of one round.
void compare_round(std::map<std::string, Measured>& measured) {
  for (const auto& arm : kArms) {
    const auto& statement = measured[kArms[arm.is_archived ? 3 : 0].name];
    auto& m = measured[arm.name];
    m.speed.add(statement.seconds.last() / m.seconds.last());
    m.wal.add(m.wal_mb.last() / statement.wal_mb.last());
  }
}

std::string table_of(std::map<std::string, Measured>& measured) {
  MarkdownTable table({"", "seconds, whole process", "speed against the statement", "seconds, step",
                       "server's CPU s", "program's CPU s", "WAL MB", "WAL against the statement", "batches",
                       "batch longest ms", "last batches against first"});
  for (const auto& arm : kArms) {
    const auto& m = measured[arm.name];
    table.add({arm.name, m.seconds.text(2), m.speed.text(2), m.step_seconds.text(2), m.server_cpu.text(2),
               m.program_cpu.text(2), m.wal_mb.text(0), m.wal.text(3), m.batches.text(0),
               m.batch_max_ms.text(0), m.last_batch.text(2)});
  }
  return table.text();
}

std::string goals(std::map<std::string, Measured>& measured) {
  std::string out;
  const auto add = [&](const std::string& goal, double reached, bool is_met) {
    out += "- " + goal + ": " + verdict(is_met) + " (" + number_text(reached, 2) + ")\n";
  };
  for (const std::size_t i : {1U, 2U, 4U, 5U}) {
    const auto& arm = kArms[i];
    const auto& m = measured[arm.name];
    const double wanted = arm.lanes == 1 ? 0.9 : 1.4;
    add(arm.name + ": at least " + number_text(wanted, 1) + " times as fast as the statement",
        m.speed.median(), m.speed.median() >= wanted);
    add(arm.name + ": WAL within 3 %", m.wal.median(), m.wal.median() <= kWalMost);
  }
  const auto& held = measured[kArms[6].name].last_batch;
  if (!held.empty())
    add("with a snapshot held open the last batches cost at most 1.5 times the first", held.median(),
        held.median() <= kLastBatchMost);
  return out;
}

}  // namespace

std::string case_purge(const Options& options, std::mt19937_64& random) {
  const auto rows = options.rows(kRows);
  BenchServer server(options);
  server.make_template("audit", audit_sql(rows));
  const int rounds = options.trials(5, 3);
  std::string out = "## purge: " + std::to_string(rows / 3) + " of " + std::to_string(rows) +
                    " rows, primary key and two more indexes\n";
  for (const auto& third : thirds(rows)) {
    std::map<std::string, Measured> measured;
    Measured discarded;
    trial_of(server, kArms.front(), third, rows, discarded);  // new WAL segments and cold files
    const CoresWatch cores;
    for (int round = 0; round < rounds; ++round) {
      auto arms = kArms;
      std::shuffle(arms.begin(), arms.end(), random);
      for (const auto& arm : arms) {
        trial_of(server, arm, third, rows, measured[arm.name]);
        std::cerr << third.name << ", round " << round + 1 << " of " << rounds << ", " << arm.name << ": "
                  << measured[arm.name].seconds.last() << " s\n";
      }
      compare_round(measured);
    }
    out += "\n### The " + std::string(third.name) + " third: `" + third.where + "`\n\n" + table_of(measured) +
           "\nOthers took " + number_text(cores.others_percent(), 0) +
           " % of the cores. Median (lowest to highest) of " + std::to_string(rounds) +
           " rounds; compared within a round.\n\n" + goals(measured);
  }
  return out;
}

}  // namespace pgsluice::bench
