// Proves P1 under everything at once: application traffic, SIGKILLs at random moments, cut and terminated
// connections.
#include <gtest/gtest.h>

#include <functional>
#include <iostream>
#include <thread>

#include "chaos/counted_job.hpp"
#include "support/environment.hpp"
#include "support/shared_server.hpp"
#include "support/tcp_proxy.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using std::chrono::milliseconds;

// `twin` has the same rows, the same traffic, and n as it must be in the end. Rows that the traffic adds are
// born with that n and lie outside the job's `where`, which no row enters or leaves: a row done twice or left
// out shows.
constexpr const char* kTables = R"sql(
CREATE TABLE counted (tenant text, id bigint, n int NOT NULL, touched int NOT NULL DEFAULT 0, is_new boolean NOT NULL DEFAULT false,
                      PRIMARY KEY (tenant, id));
CREATE TABLE twin (LIKE counted INCLUDING ALL);
INSERT INTO counted SELECT CASE WHEN i % 10 = 0 THEN 'Tenant ' || i % 70 ELSE 'large' END, i * 1000, 0
FROM generate_series(1, $rows) i;
INSERT INTO twin SELECT tenant, id, 1 FROM counted;
CREATE SEQUENCE added;
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN IF current_setting(''application_name'') LIKE ''pgsluice%'' THEN PERFORM pg_sleep(0.06); END IF; RETURN NULL; END';
CREATE TRIGGER slow BEFORE UPDATE ON counted EXECUTE FUNCTION dawdle();
ANALYZE
)sql";

constexpr const char* kTraffic = R"sql(
\set i random(1, :rows)
\set gone random(1, :rows)
SELECT nextval('added') * 1000 + 500 AS added \gset
BEGIN;
UPDATE counted SET touched = touched + 1 WHERE tenant = CASE WHEN :i % 10 = 0 THEN 'Tenant ' || :i % 70 ELSE 'large' END AND id = :i * 1000;
UPDATE twin SET touched = touched + 1 WHERE tenant = CASE WHEN :i % 10 = 0 THEN 'Tenant ' || :i % 70 ELSE 'large' END AND id = :i * 1000;
INSERT INTO counted VALUES ('large', :added, 1, 0, true), ('a new tenant', :added, 1, 0, true);
INSERT INTO twin VALUES ('large', :added, 1, 0, true), ('a new tenant', :added, 1, 0, true);
DELETE FROM counted WHERE tenant = 'large' AND id = :gone * 1000;
DELETE FROM twin WHERE tenant = 'large' AND id = :gone * 1000;
COMMIT;
)sql";

constexpr const char* kJob = R"toml(
name = "chaos"
[batch]
rows = 40
rows_min = 20
rows_max = 50
[[step]]
kind = "backfill"
name = "count"
table = "counted"
set = { n = "n + 1" }
where = "$where"
walk = "$walk"
)toml";

/// Over blocks a row leaves the `where` once it is done; along a key it need not, and that shows more.
std::string job_along(const std::string& walk) {
  std::string text = kJob;
  text.replace(text.find("$where"), 6, walk == "keyset" ? "NOT is_new" : "NOT is_new AND n = 0");
  return text.replace(text.find("$walk"), 5, walk);
}

class Chaos : public ::testing::TestWithParam<std::string> {
 protected:
  static int rows() { return long_run() ? 150'000 : 30'000; }

  Chaos() {
    std::string sql = kTables;
    trial_.db().exec(sql.replace(sql.find("$rows"), 5, std::to_string(rows())));
    trial_.job(job_along(GetParam()));
    traffic_ = std::make_unique<Pgbench>(Traffic{.dsn = trial_.dsn(),
                                                 .script = kTraffic,
                                                 .clients = 2,
                                                 .rate = 100,
                                                 .variables = {{"rows", std::to_string(rows())}}});
  }

  int random(int least, int most) { return std::uniform_int_distribution<int>(least, most)(random_); }

  std::unique_ptr<Process> start() {
    return std::make_unique<Process>(
        trial_.command("run", {"--lanes", std::to_string(random(1, 5)), "--wait", "60s"}));
  }

  /// A random moment of the run: from its first connection to some ten batches later.
  void wait_a_moment() { std::this_thread::sleep_for(milliseconds{random(20, 700)}); }

  /// The job goes on to its end under the traffic, then everything must be as if nothing had happened.
  void expect_end() {
    trial_.db().exec("ALTER TABLE counted DISABLE TRIGGER slow");
    const auto last = trial_.run({"--wait", "60s"});
    EXPECT_EQ(last.exit, (Exit{0, 0})) << last.out << last.err;
    const auto traffic = traffic_->stop();
    EXPECT_EQ(traffic.exit, (Exit{0, 0})) << traffic.report;
    EXPECT_EQ(traffic.failed, 0);
    EXPECT_GT(traffic.transactions, 0);
    std::cout << "traffic: " << traffic.transactions << " transactions, p99 " << traffic.p99
              << " ms, longest " << traffic.max << " ms\n";
    expect_as_the_twin();
    const auto again = trial_.run({"--log-batches"});
    EXPECT_EQ(again.exit, (Exit{0, 0})) << again.out << again.err;
    EXPECT_EQ(events_of(again.out, "batch").size(), 0U);
    expect_as_the_twin();
    expect_nothing_left_behind(trial_.db());
  }

  void expect_as_the_twin() {
    EXPECT_EQ(trial_.db().text("SELECT format('n from %s to %s', min(n), max(n)) FROM counted"),
              "n from 1 to 1");
    EXPECT_EQ(differences(trial_.db(), "SELECT * FROM counted", "SELECT * FROM twin"), 0);
  }

  std::mt19937_64 random_ = seeded_random();
  Trial trial_;
  std::unique_ptr<Pgbench> traffic_;
};

TEST_P(Chaos, ChangesEveryRowOnceThroughSigkillsAtRandomMoments) {
  const int kills = long_run() ? 50 : 10;
  int killed = 0;
  for (int i = 0; i < kills; ++i) {
    const auto process = start();
    wait_a_moment();
    killed += process->kill().signal == SIGKILL ? 1 : 0;
  }
  EXPECT_EQ(killed, kills) << "a run came to its end before it was killed: the table is too small";
  expect_end();
}

// Two runs share the job while one thing after the other goes wrong.
TEST_P(Chaos, ChangesEveryRowOnceWhenTwoRunsMeetEveryKindOfDisaster) {
  TcpProxy proxy(SharedServer::get());
  trial_.connect_as(proxy.dsn(trial_.database()));
  std::unique_ptr<Process> runs[2] = {start(), start()};
  const auto terminate_one = [&] {
    trial_.db().exec(
        "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity WHERE datname = "
        "current_database() "
        "AND starts_with(application_name, 'pgsluice') ORDER BY random() LIMIT 1) one");
  };
  const std::function<void(Process&)> disasters[] = {
      [](Process& run) { run.kill(); },
      [](Process& run) { run.signal(SIGTERM); },
      [&](Process& run) {
        run.signal(SIGSTOP);
        wait_a_moment();
        run.signal(SIGCONT);
      },
      [&](Process&) { terminate_one(); },
      [&](Process&) { proxy.cut_all(); },
      [&](Process&) { proxy.set_trap("; COMMIT", Trap::kLoseRequest); },
      [&](Process&) { proxy.set_trap("; COMMIT", Trap::kLoseAnswer); },
      [&](Process&) { proxy.set_trap("\"public\".\"counted\"\nSET", Trap::kOrphan); },
  };
  const auto is_work_left = [&] {
    return trial_.db().number("SELECT count(*) FROM counted WHERE n = 0") > 0;
  };
  int met = 0;  // a quick machine is through before it has met them all
  for (; met < (long_run() ? 100 : 16) && is_work_left(); ++met) {
    for (auto& run : runs) {
      if (!run->running()) run = start();
    }
    wait_a_moment();
    disasters[random(0, static_cast<int>(std::size(disasters)) - 1)](*runs[random(0, 1)]);
  }
  EXPECT_GE(met, 4) << "the disasters came too late: the table is too small";
  proxy.cut_all();
  for (auto& run : runs) run->kill();
  expect_end();
}

INSTANTIATE_TEST_SUITE_P(Along, Chaos, testing::ValuesIn(walks()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace pgsluice::test
