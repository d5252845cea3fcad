// How much of the WAL is the positions: every record that touches pgsluice.range or one of its indexes.

#include <iostream>
#include <regex>
#include <stdexcept>

#include "end_to_end/cases.hpp"
#include "measure/bench_server.hpp"
#include "measure/engine_run.hpp"
#include "measure/figures.hpp"
#include "measure/markdown.hpp"
#include "measure/users_table.hpp"
#include "support/server_user.hpp"

namespace pgsluice::bench {
namespace {

constexpr std::int64_t kRows = 1'000'000;
constexpr double kShareMax = 1;  // per cent

/// Bytes of WAL between two places, of one relation or of all.
double wal_bytes(BenchServer& server, const std::string& from, const std::string& to,
                 const std::string& relation = "") {
  test::Command command{test::postgres_program("pg_waldump"),
                        {"--path=" + (server.server().data_folder() / "pg_wal").string(), "--start=" + from,
                         "--end=" + to, "--stats"}};
  if (!relation.empty()) command.args.push_back("--relation=" + relation);
  command.owner = test::Owner::kServer;
  command.folder = server.server().socket_folder();
  const auto text = test::run_ok(command, std::chrono::minutes{10});
  std::smatch match;
  if (!std::regex_search(text, match,
                         std::regex(R"(\nTotal\s.*\]\s+([0-9]+) \[[^\]]*\]\s*$)", std::regex::multiline))) {
    throw std::runtime_error("pg_waldump tells no total:\n" + text);
  }
  return std::stod(match[1]);
}

/// The heap and the indexes of a table, as pg_waldump names them.
std::vector<std::string> relations_of(test::Db& db, const std::string& table) {
  return db.column(R"(
    SELECT coalesce(nullif(c.reltablespace, 0), d.dattablespace) || '/' || d.oid || '/' || pg_relation_filenode(c.oid)
    FROM pg_database d, pg_class c
    WHERE d.datname = current_database()
      AND (c.oid = ')" +
                   table + "'::regclass OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = '" +
                   table + "'::regclass))");
}

struct Measured {
  double batches = 0;
  double all_mb = 0;
  double of_range_kb = 0;
  double percent() const { return of_range_kb / (all_mb * 1000) * 100; }
};

Measured measure(BenchServer& server, std::int64_t rows_of_a_batch) {
  auto trial = server.trial("users");
  auto& db = trial.db();
  const auto from = db.text("SELECT pg_current_wal_insert_lsn()");
  EngineRun run(trial.dsn(), users_job(2, rows_of_a_batch));
  const auto result = run.finish();
  db.exec("SELECT pg_switch_wal()");  // all of it is on disk then
  const auto to = db.text("SELECT pg_current_wal_flush_lsn()");
  Measured measured;
  measured.batches = static_cast<double>(result.batches);
  measured.all_mb = wal_bytes(server, from, to) / 1e6;
  for (const auto& relation : relations_of(db, "pgsluice.range")) {
    measured.of_range_kb += wal_bytes(server, from, to, relation) / 1e3;
  }
  std::cerr << "batches of " << rows_of_a_batch << ": " << measured.percent() << " %\n";
  return measured;
}

}  // namespace

std::string case_checkpoint_wal(const Options& options, std::mt19937_64&) {
  BenchServer server(options);
  server.make_template("users", users_sql(options.rows(kRows)));
  MarkdownTable table({"rows of a batch", "batches", "WAL MB", "of it positions kB", "bytes a batch",
                       "share %", "below 1 %"});
  for (const std::int64_t rows : {std::int64_t{0}, std::int64_t{1'000}, std::int64_t{50}}) {
    const auto m = measure(server, rows);
    table.add({rows == 0 ? "sized to 100 ms (default)" : std::to_string(rows), number_text(m.batches, 0),
               number_text(m.all_mb, 0), number_text(m.of_range_kb, 0),
               number_text(m.of_range_kb * 1000 / m.batches, 0), number_text(m.percent(), 3),
               rows == 0 ? verdict(m.percent() < kShareMax) : "–"});
  }
  return "## checkpoint-wal: " + std::to_string(options.rows(kRows)) + " rows, two lanes\n\n" + table.text() +
         "\nBytes of every WAL record that touches pgsluice.range or its indexes, full-page images included, "
         "as "
         "pg_waldump counts them. 50 rows is the least that a batch takes.\n";
}

}  // namespace pgsluice::bench
