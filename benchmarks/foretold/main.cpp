// What `run` foretells of a backfill against what comes true, on tables of eleven kinds. Prints each, and
// whether the goals are met.

#include <algorithm>
#include <cmath>
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>

#include "base/json.hpp"
#include "foretold/tables.hpp"
#include "measure/bench_server.hpp"
#include "measure/figures.hpp"
#include "measure/machine.hpp"
#include "measure/markdown.hpp"
#include "measure/options.hpp"
#include "measure/tables_out.hpp"
#include "support/environment.hpp"
#include "support/pgbench.hpp"

namespace pgsluice::bench {
namespace {

constexpr double kRate = 50;  // transactions of the application a second
constexpr double kSecondsMedian = 15;
constexpr double kSecondsWorst = 30;
constexpr double kWalWorst = 10;
constexpr double kGrowthWorst = 15;
constexpr double kRowsWorst = 5;

constexpr const char* kUsage = R"(usage: pgsluice_foretold [--quick] [--only NAME]… [--repeat N] [--out FILE]
       pgsluice_foretold --list
)";

/// One table after one run: foretold, came true.
struct Pair {
  double foretold = 0;
  double came_true = 0;
};
struct Outcome {
  Pair rows, seconds, wal_mb, heap_mb, index_mb;
  double table_mb = 0;  // before the run, with indexes
  std::string basis;
  bool is_sampled = false;
};

double error_of(const Pair& pair, double at_least = 0) {
  return 100 * (pair.foretold - pair.came_true) / std::max({pair.came_true, at_least, 1e-9});
}

Pair pair_of(const base::Json& foretold, const char* quantity, double unit) {
  const auto& one = foretold.at(quantity);
  const auto& came_true = one.at("came_true");
  return {one.at("likely").get<double>() / unit,
          came_true.is_null() ? std::nan("") : came_true.get<double>() / unit};
}

std::unique_ptr<test::Pgbench> traffic_on(const std::string& dsn, std::int64_t rows) {
  test::Traffic traffic;
  traffic.dsn = dsn;
  traffic.rate = kRate;
  traffic.max_tries = 5;
  traffic.script =
      "\\set id random(1, " + std::to_string(rows) +
      ")\nSELECT name FROM users WHERE id = :id;\nUPDATE users SET plan = plan + 1 WHERE id = :id;\n";
  return std::make_unique<test::Pgbench>(traffic);
}

Outcome measure(BenchServer& server, const ForetoldTable& table) {
  auto trial = server.trial("users");
  const double bytes = std::stod(trial.db().text(
      "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'users%'"));
  std::unique_ptr<test::Pgbench> traffic;
  if (table.has_traffic) traffic = traffic_on(trial.dsn(), trial.db().number("SELECT max(id) FROM users"));
  EngineRun run(trial.dsn(), table.job);
  run.finish();
  if (traffic) traffic->stop();
  const auto text = test::run_ok(test::pgsluice({"status", "bench", "--dsn", trial.dsn(), "--json"}));
  const auto answer = base::Json::parse(text);
  const auto& job = answer.contains("jobs") ? answer.at("jobs").at(0) : answer;
  const auto& foretold = job.at("steps").at(0).at("foretold");
  Outcome out{pair_of(foretold, "rows", 1),
              pair_of(foretold, "seconds", 1),
              pair_of(foretold, "wal_bytes", 1e6),
              pair_of(foretold, "heap_bytes", 1e6),
              pair_of(foretold, "index_bytes", 1e6),
              bytes / 1e6,
              foretold.at("basis"),
              foretold.at("is_sampled")};
  return out;
}

struct Errors {
  Figures seconds, rows, wal, growth;

  void add(const Outcome& o) {
    seconds.add(std::abs(error_of(o.seconds)));
    rows.add(std::abs(error_of(o.rows)));
    wal.add(std::abs(error_of(o.wal_mb)));
    growth.add(std::abs(growth_error(o)));
  }
  /// Of table and indexes together; a growth below a hundredth of the table is compared with that.
  static double growth_error(const Outcome& o) {
    const Pair both{o.heap_mb.foretold + o.index_mb.foretold, o.heap_mb.came_true + o.index_mb.came_true};
    return error_of(both, 0.01 * o.table_mb);
  }
};

std::string cell(const Pair& pair, int decimals) {
  return number_text(pair.foretold, decimals) + " / " + number_text(pair.came_true, decimals);
}

std::string verdicts(const Errors& e) {
  const auto line = [](const char* what, double value, double goal) {
    return std::string("- ") + what + " " + number_text(value, 1) + " %, goal " + number_text(goal, 0) +
           " %: " + verdict(value <= goal) + "\n";
  };
  return line("duration, median", e.seconds.median(), kSecondsMedian) +
         line("duration, worst", e.seconds.max(), kSecondsWorst) +
         line("rows, worst", e.rows.max(), kRowsWorst) + line("WAL, worst", e.wal.max(), kWalWorst) +
         line("growth, worst", e.growth.max(), kGrowthWorst);
}

std::string heading(BenchServer& server) {
  auto db = server.server().connect();
  return machine_text(db) + ".\n";
}

void run(const Options& options) {
  TablesOut out(options.out);
  MarkdownTable shown({"table", "rows", "error %", "seconds", "error %", "WAL MB", "error %", "table MB",
                       "indexes MB", "growth error %"});
  Errors errors;
  for (const auto& table : foretold_tables(options)) {
    if (!options.is_wanted(table.name)) continue;
    BenchServer server(options);
    if (errors.seconds.empty()) out.write(heading(server));
    server.make_template("users", table.sql);
    for (int i = 0; i < options.trials(1, 1); ++i) {
      const auto o = measure(server, table);
      errors.add(o);
      shown.add({table.name, cell(o.rows, 0), number_text(error_of(o.rows), 1), cell(o.seconds, 2),
                 number_text(error_of(o.seconds), 1), cell(o.wal_mb, 1), number_text(error_of(o.wal_mb), 1),
                 cell(o.heap_mb, 1), cell(o.index_mb, 1), number_text(Errors::growth_error(o), 1)});
      std::cerr << table.name << ": rows " << error_of(o.rows) << " %, seconds " << cell(o.seconds, 2) << " "
                << error_of(o.seconds) << " %, WAL " << cell(o.wal_mb, 1) << " " << error_of(o.wal_mb)
                << " %, heap " << cell(o.heap_mb, 1) << ", indexes " << cell(o.index_mb, 1) << "; " << o.basis
                << "\n";
    }
  }
  out.write("## foretold: foretold / came true\n\n" + shown.text() + "\n" + verdicts(errors));
}

int main_of(const std::vector<std::string>& words) try {
  const auto options = parse_options(words);
  if (options.help) {
    std::cout << kUsage;
  } else if (options.list) {
    for (const auto& table : foretold_tables(options)) std::cout << table.name << "\n";
  } else {
    run(options);
  }
  return 0;
} catch (const std::invalid_argument& mistake) {
  std::cerr << "pgsluice_foretold: " << mistake.what() << "\n" << kUsage;
  return 2;
} catch (const std::exception& error) {
  std::cerr << "pgsluice_foretold: " << error.what() << "\n";
  return 1;
}

}  // namespace
}  // namespace pgsluice::bench

int main(int argc, char** argv) {
  return pgsluice::bench::main_of({argv + 1, argv + argc});
}
