// Proves P1 and P2 on the program itself: killed, stopped, doubled and resumed, every row is changed exactly
// once.
#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <regex>
#include <set>

#include "chaos/counted_job.hpp"
#include "support/environment.hpp"
#include "support/shared_server.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using std::chrono::milliseconds;

// Steps of every other kind, so that their failpoints are passed too.
constexpr const char* kOtherSteps = R"toml(
[[step]]
kind = "sql"
name = "note"
up = "ALTER TABLE counted ADD COLUMN note text"

[[step]]
kind = "index"
name = "index"
sql = "CREATE INDEX CONCURRENTLY IF NOT EXISTS counted_n ON counted (n)"

[[step]]
kind = "verify"
name = "all"
query = "SELECT bool_and(n = 1) FROM counted"
expect = "t"
)toml";

/// Every failpoint("name") of the sources that a run passes.
std::set<std::string> failpoints() {
  std::set<std::string> names;
  const std::regex pattern("failpoint\\(\"([a-z_]+)\"\\)");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(PGSLUICE_SOURCE_FOLDER "/src")) {
    if (entry.path().extension() != ".cpp") continue;
    const auto text = read_file(entry.path());
    for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it)
      names.insert((*it)[1]);
  }
  std::erase_if(names,
                [](const std::string& name) {  // of other verbs and kinds, which have tests of their own
                  return name.starts_with("rollback_") || name.starts_with("retype_") ||
                         name.starts_with("cutover_") || name.starts_with("blocks_") ||
                         name.starts_with("way_back_") || name.starts_with("copy_") ||
                         name.starts_with("purge_") || name.starts_with("follow_") ||
                         name.starts_with("switch_") || name.starts_with("mend_");
                });
  return names;
}

bool is_inside_a_batch(const std::string& failpoint) {
  return std::set<std::string>{"after_begin", "after_position", "after_update", "after_commit"}.count(
             failpoint) > 0;
}

/// Kills a run at the pass of the failpoint; false if it never came there.
bool is_killed_at(CountedJob& job, const std::string& failpoint, int pass) {
  auto command = job.trial().command("run");
  command.env["PGSLUICE_FAILPOINT"] = failpoint + ":" + std::to_string(pass);
  const auto finished = run(command, 2 * kPatience);
  if (finished.code() == 0) return false;
  EXPECT_EQ(finished.exit, (Exit{-1, SIGKILL})) << finished.out << finished.err;
  return true;
}

/// A batch over blocks is a page at least; only a range of several batches is split.
int rows_for(const std::string& failpoint) {
  if (failpoint == "after_split") return 6'000;
  return long_run() ? 5'000 : 1'200;
}

/// Keeps one lane in the first range, whose rest the other then splits off: by chance it might come to no
/// split.
std::unique_ptr<Db> hold_first_row(CountedJob& job) {
  auto holder = std::make_unique<Db>(job.trial().dsn());
  holder->exec("BEGIN; SELECT FROM counted ORDER BY " + job.key_columns() + " LIMIT 1 FOR UPDATE");
  return holder;
}

TEST(Once, HoldsAfterSigkillAtEveryNamedFailpoint) {
  auto random = seeded_random();
  const auto names = failpoints();
  ASSERT_GE(names.size(), 10U);
  CountKey key = CountKey::kBigint;
  std::size_t walk = 0;
  for (const auto& name : names) {
    std::set<int> passes{1};
    if (is_inside_a_batch(name)) passes.insert({2, std::uniform_int_distribution<int>(3, 12)(random)});
    if (is_inside_a_batch(name) && long_run()) passes.insert({2, 3, 7, 17});
    for (const int pass : passes) {
      SCOPED_TRACE(name + ":" + std::to_string(pass));
      CountedJob job({.key = key,
                      .rows = rows_for(name),
                      .walk = is_inside_a_batch(name) ? walks()[walk++ % walks().size()] : "keyset",
                      .other_steps = kOtherSteps});
      auto holder = name == "after_split" ? hold_first_row(job) : nullptr;
      EXPECT_TRUE(is_killed_at(job, name, pass)) << "no run comes to this failpoint";
      holder.reset();
      job.expect_run(0);
      job.expect_finished();
      key = key == CountKey::kBigint ? CountKey::kComposite : CountKey::kBigint;
    }
  }
}

class OnceAlong : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(A, OnceAlong, testing::ValuesIn(walks()),
                         [](const auto& test) { return test.param; });

TEST_P(OnceAlong, HoldsWhenEveryRunIsKilledAfterTwoBatches) {
  CountedJob job(
      {.key = CountKey::kComposite, .rows = GetParam() == "blocks" ? 5'000 : 1'000, .walk = GetParam()});
  int kills = 0;
  while (is_killed_at(job, kills % 2 ? "after_commit" : "after_update", 3)) ++kills;
  EXPECT_GE(kills, 5);
  job.expect_finished();
}

TEST_P(OnceAlong, HoldsWhenTwoProcessesShareTheRangesOfOneJob) {
  CountedJob job({.key = CountKey::kComposite, .rows = 10'000, .walk = GetParam()});
  job.slow_down(milliseconds{20});
  const auto first = job.start({"--wait", "60s"});
  const auto second = job.start({"--wait", "60s"});
  EXPECT_EQ(first->wait(2 * kPatience).code, 0) << first->out() << first->err();
  EXPECT_EQ(second->wait(2 * kPatience).code, 0) << second->out() << second->err();
  EXPECT_GT(events_of(first->out(), "batch").size(), 5U);
  EXPECT_GT(events_of(second->out(), "batch").size(), 5U);
  job.slow_down(milliseconds{0});
  job.expect_finished();
}

// The stopped process is alive, so its ranges are free only when its lease has run out (15 s).
TEST(Once, HoldsWhenAStoppedProcessGoesOnAfterItsLeaseWasTakenOver) {
  CountedJob job({.rows = 10'000});
  job.slow_down(milliseconds{20});
  const auto stopped = job.start();
  job.await_batches(6);
  stopped->signal(SIGSTOP);
  const auto other = job.start({"--wait", "60s"});
  EXPECT_EQ(other->wait(2 * kPatience).code, 0) << other->out() << other->err();
  job.expect_exact();
  EXPECT_EQ(job.db().number("SELECT count(*) FROM pgsluice.range WHERE NOT is_done"), 0);
  const auto before = job.fingerprint();
  const auto committed = events_of(lines_of(*stopped), "batch").size();
  stopped->signal(SIGCONT);
  EXPECT_EQ(stopped->wait().code, 0) << stopped->out() << stopped->err();
  EXPECT_EQ(job.fingerprint(), before) << "it changes nothing any more";
  EXPECT_LE(events_of(stopped->out(), "batch").size(), committed + 2)
      << "but tells of the batch that each lane had in flight";
  job.slow_down(milliseconds{0});
  job.expect_finished();
}

TEST(Once, GoesOnAtOnceAfterSigkillOnTheSameHost) {
  CountedJob job({.rows = 10'000});
  job.slow_down(milliseconds{10});
  const auto killed = job.start();
  job.await_batches(10);
  killed->kill();
  const auto began = std::chrono::steady_clock::now();
  const auto resumed = job.start();
  wait_for([&] { return !events_of(lines_of(*resumed), "batch").empty(); }, "the first batch");
  const auto took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began);
  std::cout << "from the start of the process to its first committed batch: " << took.count() << " ms\n";
  EXPECT_LT(took, milliseconds{5'000}) << "far below the lease time: nobody waits for a process that is gone";
  job.slow_down(milliseconds{0});
  EXPECT_EQ(resumed->wait(2 * kPatience).code, 0) << resumed->out() << resumed->err();
  job.expect_finished();
}

/// A job over table t, in a database whose settings write values in another way than we want to read them.
void expect_once_under(const std::vector<std::string>& settings, const std::string& table) {
  Trial trial;
  for (const auto& setting : settings) {
    trial.db().exec("ALTER DATABASE " + trial.database() + " SET " + setting);
  }
  trial.db().exec(table);
  trial.db().exec("ANALYZE t");
  trial.job(backfill_job("t", "n = \"n + 1\"", "", "[batch]\nrows = 100\nrows_max = 100"));
  const auto finished = trial.run();
  EXPECT_EQ(finished.code(), 0) << finished.out << finished.err;
  EXPECT_EQ(trial.db().text("SELECT format('n from %s to %s', min(n), max(n)) FROM t"), "n from 1 to 1");
}

TEST(Once, HoldsUnderAnyDefaultIsolation) {
  for (const std::string level : {"repeatable read", "serializable"}) {
    SCOPED_TRACE(level);
    // A batch in such a transaction would fail beside whoever changes its rows, and find itself retried.
    expect_once_under({"default_transaction_isolation = '" + level + "'"},
                      "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);"
                      "INSERT INTO t SELECT generate_series(1, 5000);"
                      "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF "
                      "current_setting('transaction_isolation') <> 'read committed' THEN RAISE '%', "
                      "current_setting('transaction_isolation'); END IF; RETURN NEW; END$$;"
                      "CREATE TRIGGER refuse BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION refuse()");
  }
}

// Dublin's summer time and Israel's time are both "IST" in such texts: the last hour would be left out.
TEST(Once, HoldsForTimestampsUnderAnyDateStyleAndTimeZone) {
  expect_once_under({"datestyle = 'SQL, DMY'", "timezone = 'Europe/Dublin'"},
                    "CREATE TABLE t (at timestamptz PRIMARY KEY, n int NOT NULL DEFAULT 0);"
                    "INSERT INTO t SELECT timestamptz '2024-07-01 12:00+00' + i * interval '1 s' FROM "
                    "generate_series(1, 5000) i");
}

// A third with 15 digits is less than itself: the last row would be left out.
TEST(Once, HoldsForFloatingPointWithFewDigits) {
  expect_once_under({"extra_float_digits = 0"},
                    "CREATE TABLE t (x double precision PRIMARY KEY, n int NOT NULL DEFAULT 0);"
                    "INSERT INTO t SELECT i / 3.0 FROM generate_series(1, 4999) i");
}

}  // namespace
}  // namespace pgsluice::test
