// An interleaved walk prunes while it runs, and each prune conflicts with older queries on a standby: it is
// left where one may serve queries, and given up when replay falls behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/trial.hpp"
#include "support/replica.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using testing::HasSubstr;

class InterleavedBesideAReplica : public ::testing::Test {
 protected:
  InterleavedBesideAReplica() : replica_(primary_), trial_(primary_) {
    trial_.db().exec(
        "CREATE TABLE t (id int PRIMARY KEY, filler text NOT NULL, done boolean);"
        "INSERT INTO t SELECT i, repeat('x', 100), NULL FROM generate_series(1, 80000) i");
    trial_.db().exec("VACUUM ANALYZE t");
    replica_.await_caught_up();
  }

  void job(const std::string& rest) {
    trial_.job(backfill_job("t", "done = \"true\"", "where = \"done IS NULL\"\n" + rest,
                            "[batch]\nrows = 200\nrows_max = 200\n[throttle]\nreplica_lag = \"300ms\""));
  }

  PrivateServer primary_;
  Replica replica_;
  Trial trial_;
};

TEST_F(InterleavedBesideAReplica, IsNotChosenWhereQueriesMayRunUnheardOf) {
  job("");
  const auto plan = trial_.verb("plan").out;
  EXPECT_THAT(plan, HasSubstr("hot_standby_feedback"));
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 0) << finished.out << finished.err;
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM pgsluice.range WHERE walk = 'blocks'"), 0);
}

TEST_F(InterleavedBesideAReplica, IsGivenUpWhenALongQueryThereHoldsReplayUp) {
  job("allow_replica_conflicts = true\n");
  // Batches long enough that replay is late before the table is done.
  trial_.db().exec(
      "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.02); RETURN "
      "NULL; END'; CREATE TRIGGER slow BEFORE UPDATE ON t EXECUTE FUNCTION dawdle()");
  replica_.await_caught_up();
  Db query(replica_.dsn(trial_.database()));
  query.exec("BEGIN ISOLATION LEVEL REPEATABLE READ");
  EXPECT_EQ(query.number("SELECT count(*) FROM t"), 80'000);
  Process process(trial_.command("run"));
  const auto is_told = [&] {
    for (const auto& tune : trial_.logged("tune")) {
      if (tune.value("field", "") == "walk" && tune.dump().find("is falling behind") != std::string::npos)
        return true;
    }
    return false;
  };
  await_batches(trial_);
  wait_for(is_told, 2 * kPatience, "the walk to be changed");
  trial_.db().exec("ALTER TABLE t DISABLE TRIGGER slow");
  query.exec("ROLLBACK");  // before the standby cancels it (max_standby_streaming_delay, 30 s)
  EXPECT_EQ(process.wait(2 * kPatience).code, 0) << process.out() << process.err();
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM t WHERE done"), 80'000);
}

}  // namespace
}  // namespace pgsluice::test
