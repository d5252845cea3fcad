// What an application notices: pgbench at a fixed rate, alone, beside pgsluice, beside one UPDATE. For
// information.

#include <algorithm>
#include <iostream>
#include <map>
#include <thread>

#include "end_to_end/cases.hpp"
#include "measure/bench_server.hpp"
#include "measure/engine_run.hpp"
#include "measure/figures.hpp"
#include "measure/markdown.hpp"
#include "support/pgbench.hpp"

namespace pgsluice::bench {
namespace {

constexpr int kScale = 20;     // 2,000,000 accounts; --quick: 200,000
constexpr double kRate = 100;  // transactions a second
constexpr std::chrono::seconds kAlone{20};

const std::vector<std::string> kArms{"alone", "beside pgsluice, 2 lanes", "beside one UPDATE statement"};

struct Measured {
  Figures p50_ms, p99_ms, max_ms, seconds;
};

void trial_of(BenchServer& server, const std::string& arm, Measured& measured) {
  auto trial = server.trial("accounts");
  test::Traffic wanted;
  wanted.dsn = trial.dsn();
  wanted.clients = 4;
  wanted.rate = kRate;
  test::Pgbench traffic(wanted);
  const auto began = std::chrono::steady_clock::now();
  if (arm == kArms[0]) {
    std::this_thread::sleep_for(kAlone);
  } else if (arm == kArms[1]) {
    EngineRun run(trial.dsn(), {"pgbench_accounts", "filler = \"'x'\"", "", 2});
    run.finish();
  } else {
    trial.db().exec("UPDATE pgbench_accounts SET filler = 'x'");
  }
  measured.seconds.add(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  const auto noticed = traffic.stop();
  measured.p50_ms.add(noticed.p50);
  measured.p99_ms.add(noticed.p99);
  measured.max_ms.add(noticed.max);
  std::cerr << arm << ": p99 " << noticed.p99 << " ms, longest " << noticed.max << " ms\n";
}

}  // namespace

std::string case_traffic(const Options& options, std::mt19937_64& random) {
  BenchServer server(options);
  const int scale = options.quick ? kScale / 10 : kScale;
  test::make_pgbench_tables(server.server().create_database("accounts"), scale);
  test::Db(server.server().dsn("accounts")).exec("CREATE EXTENSION pg_prewarm");
  std::map<std::string, Measured> measured;
  for (int round = 0; round < options.trials(5, 2); ++round) {
    auto arms = kArms;
    std::shuffle(arms.begin(), arms.end(), random);
    for (const auto& arm : arms) trial_of(server, arm, measured[arm]);
  }
  MarkdownTable table({"pgbench", "p50 ms", "p99 ms", "longest ms", "seconds observed"});
  for (const auto& arm : kArms) {
    const auto& m = measured[arm];
    table.add({arm, m.p50_ms.text(1), m.p99_ms.text(1), m.max_ms.text(0), m.seconds.text(1)});
  }
  return "## traffic: pgbench at " + number_text(kRate, 0) + " transactions/s on " +
         std::to_string(scale * 100'000) + " accounts, all of them changed\n\n" + table.text() +
         "\nLatency counts from the moment a transaction was due. pgbench shares the cores with the server. "
         "No goal is "
         "set for this.\n";
}

}  // namespace pgsluice::bench
