// Goal: bench yields to replicas as a run does, and ends when they stay late. Method: replay stands still
// while batches are rolled back on the primary.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/trial.hpp"
#include "support/replica.hpp"

namespace pgsluice::test {
namespace {

using testing::HasSubstr;

TEST(BenchBesideAReplica, EndsWithTheReasonWhenTheReplicaStaysLate) {
  PrivateServer primary;
  Replica replica(primary);
  Trial trial(primary);
  trial.db().exec(
      "CREATE TABLE users (id bigint PRIMARY KEY, plan int);"
      "INSERT INTO users SELECT g FROM generate_series(1, 20000) g; ANALYZE users");
  trial.job(backfill_job("users", "plan = '1'", "where = \"plan IS NULL\"",
                         "[throttle]\nreplica_lag = \"1s\"\nreplica_lag_bytes = \"1MB\""));
  replica.await_caught_up();
  Process process(trial.command(
      "bench", {"--for", "120s", "--sizes", "200", "--lanes", "2", "--walks", "keyset", "--repeat", "100"}));
  wait_for([&] { return process.err().find("bench: 1: ") != std::string::npos; }, "the first trial");
  replica.pause_replay();
  EXPECT_EQ(process.wait(3 * kPatience).code, 75) << process.out() << process.err();
  const auto report = Json::parse(process.out());
  EXPECT_THAT(report.at("ended_early").get<std::string>(), HasSubstr("replica1"));
  EXPECT_GE(report.at("trials_done").get<int>(), 1) << "what was measured until then is told";
  EXPECT_TRUE(trial.is_untouched());
  replica.resume_replay();
}

}  // namespace
}  // namespace pgsluice::test
