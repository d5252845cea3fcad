// Goal: a standby can be the source of a copy: batches that its replay cancels are read again, and no row is
// lost or doubled; nor is one when the standby ends its sessions. Method: a real primary and standby, VACUUM
// at the primary while slow batches are read, a target without a unique index.
#include <gtest/gtest.h>

#include <memory>

#include "pg/trial.hpp"
#include "support/replica.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

constexpr int kRows = 1'500;

class CopySource : public ::testing::Test {
 protected:
  CopySource() {
    const auto dsn = primary_.create_database("app");
    primary_db_ = std::make_unique<Db>(dsn);
    primary_db_->exec(
        "CREATE TABLE t (id int PRIMARY KEY, note text); INSERT INTO t SELECT g, 'row ' || g FROM "
        "generate_series(1, " +
        std::to_string(kRows) +
        ") g; CREATE TABLE other (id int, n int); INSERT INTO other SELECT g, 0 FROM generate_series(1, 100) "
        "g;"
        "CREATE FUNCTION slow(id int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.004); "
        "RETURN "
        "true; END $$; ANALYZE");
    ReplicaOptions options;
    options.server.settings = {{"max_standby_streaming_delay", "50ms"}, {"hot_standby_feedback", "off"}};
    standby_ = std::make_unique<Replica>(primary_, options);
    standby_->await_caught_up();
    trial_.db().exec("CREATE TABLE t (id int, note text)");
    trial_.job(
        "name = \"copied\"\n[batch]\nrows = 50\nrows_min = 50\nrows_max = 50\n[pool]\nlanes = 2\n[[step]]\n"
        "kind = \"copy\"\nname = \"copy\"\nfrom = { dsn = \"" +
        standby_->dsn("app") + "\", table = \"t\", where = \"slow(id)\" }\nto = \"t\"\n");
  }

  /// Statements and sessions that replay has ended at the standby, by its log.
  int conflicts() {
    const auto log = standby_->log_text();
    const std::string sign = "due to conflict with recovery";
    int count = 0;
    for (auto at = log.find(sign); at != std::string::npos; at = log.find(sign, at + 1)) ++count;
    return count;
  }
  /// Removes row versions that a batch at the standby may still see.
  void disturb() { primary_db_->exec("UPDATE other SET n = n + 1"), primary_db_->exec("VACUUM other"); }
  void expect_exact() {
    EXPECT_EQ(trial_.db().number("SELECT count(*) FROM t"), kRows);
    EXPECT_EQ(trial_.db().number("SELECT count(DISTINCT id) FROM t WHERE note = 'row ' || id"), kRows);
  }

  PrivateServer primary_;
  std::unique_ptr<Db> primary_db_;
  std::unique_ptr<Replica> standby_;
  Trial trial_;
};

TEST_F(CopySource, HoldsWhenAStandbysReplayCancelsBatches) {
  Process run(trial_.command("run"));
  wait_for([&] { return trial_.db().number("SELECT count(*) FROM t") > 0 || !run.running(); },
           "rows to be copied");
  const auto before = conflicts();
  wait_for(
      [&] {
        disturb();
        return conflicts() > before || !run.running();
      },
      2 * kPatience, "replay to cancel a batch");
  EXPECT_TRUE(run.running()) << "the copy ended before a batch was cancelled";
  EXPECT_EQ(run.wait(2 * kPatience).code, 0) << run.out() << run.err();
  EXPECT_GT(conflicts(), before);
  expect_exact();
  EXPECT_EQ(trial_.verb("verify").code(), 0);
}

TEST_F(CopySource, HoldsWhenTheStandbyRestarts) {
  Process run(trial_.command("run"));
  wait_for([&] { return trial_.db().number("SELECT count(*) FROM t") > 0 || !run.running(); },
           "rows to be copied");
  standby_->restart(Stop::kImmediate);
  EXPECT_EQ(run.wait(2 * kPatience).code, 0) << run.out() << run.err();
  expect_exact();
}

}  // namespace
}  // namespace pgsluice::test
