// Proves P1 where connections and servers break: cut during COMMIT, terminated, crashed, pooled.
#include <gtest/gtest.h>

#include "chaos/counted_job.hpp"
#include "support/environment.hpp"
#include "support/pgbouncer.hpp"
#include "support/shared_server.hpp"
#include "support/tcp_proxy.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSlow{20};

/// Lets the run finish at full speed.
void expect_end(CountedJob& job, Process& process) {
  job.slow_down(milliseconds{0});
  EXPECT_EQ(process.wait(3 * kPatience).code, 0) << process.out() << process.err();
  job.expect_finished();
}

class OnceOverANetwork : public testing::TestWithParam<std::string> {};
class OnceOnAServer : public testing::TestWithParam<std::string> {};

TEST_P(OnceOverANetwork, HoldsWhenTheConnectionIsCutDuringCommit) {
  TcpProxy proxy(SharedServer::get());
  CountedJob job({.key = CountKey::kComposite, .rows = 15'000, .walk = GetParam()});
  job.trial().connect_as(proxy.dsn(job.trial().database()));
  job.slow_down(kSlow);
  const auto process = job.start();
  int sprung = 0;
  for (int round = 0; round < (long_run() ? 20 : 4); ++round) {
    for (const auto trap : {Trap::kLoseRequest, Trap::kLoseAnswer, Trap::kOrphan}) {
      job.await_batches(job.batches() + 1);
      proxy.set_trap("; COMMIT", trap);  // of a batch: its counts travel with it
      wait_for([&] { return proxy.sprung() == sprung + 1; }, "the trap to spring");
      ++sprung;
    }
  }
  proxy.cut_all();  // the orphans' backends, which nobody would ever end
  expect_end(job, *process);
}

TEST_P(OnceOverANetwork, HoldsWhenEveryConnectionIsCutAgainAndAgain) {
  TcpProxy proxy(SharedServer::get());
  CountedJob job({.rows = 6'000, .walk = GetParam()});
  job.trial().connect_as(proxy.dsn(job.trial().database()));
  job.slow_down(kSlow);
  const auto process = job.start();
  for (int i = 0; i < 5; ++i) {
    job.await_batches(job.batches() + 5);
    proxy.refuse(true);
    proxy.cut_all();
    proxy.refuse(false);
  }
  expect_end(job, *process);
}

TEST_P(OnceOverANetwork, HoldsWhenBackendsAreTerminatedInTheMiddleOfABatch) {
  CountedJob job({.key = CountKey::kComposite, .rows = 6'000, .walk = GetParam()});
  job.slow_down(kSlow);
  const auto process = job.start();
  for (int i = 0; i < 10; ++i) {
    job.await_batches(job.batches() + 3);
    const auto terminate_one = [&] {
      return job.db().yes(
          "SELECT coalesce(bool_or(pg_terminate_backend(pid)), false) FROM (SELECT pid FROM pg_stat_activity "
          "WHERE datname = current_database() AND application_name ~ 'pgsluice .* lane' AND wait_event = "
          "'PgSleep' LIMIT 1) one");
    };
    wait_for(terminate_one, "a batch in the middle");
  }
  expect_end(job, *process);
}

TEST_P(OnceOverANetwork, HoldsThroughATransactionPoolerAndAKill) {
  Pgbouncer pooler(SharedServer::get());
  CountedJob job({.key = CountKey::kComposite, .rows = 6'000, .walk = GetParam(), .lanes = 3});
  job.trial().connect_as(pooler.dsn(job.trial().database()));
  job.slow_down(kSlow);
  for (int i = 0; i < 2; ++i) {
    const auto killed = job.start();
    job.await_batches(job.batches() + 6);
    killed->kill();
  }
  const auto process = job.start();
  job.slow_down(milliseconds{0});
  EXPECT_EQ(process->wait(3 * kPatience).code, 0) << process->out() << process->err();
  job.expect_exact();
  const auto before = job.fingerprint();
  job.expect_run(0);
  EXPECT_EQ(job.fingerprint(), before);
}

TEST_P(OnceOnAServer, HoldsWhenItCrashesAndTheRunGoesOnByItself) {
  PrivateServer server;
  CountedJob job(server, {.rows = 6'000, .walk = GetParam()});
  job.slow_down(kSlow);
  const auto process = job.start();
  const auto dsn = job.trial().dsn();
  const auto batches = [&dsn] { return Db(dsn).number("SELECT sum(batches) FROM pgsluice.range"); };
  job.await_batches(10);
  for (int i = 0; i < (long_run() ? 10 : 3); ++i) {
    const auto before = batches();
    wait_for([&] { return batches() > before + 4; }, 2 * kPatience, "further batches");
    server.crash_and_restart();
  }
  job.db() = Db(dsn);
  expect_end(job, *process);
}

INSTANTIATE_TEST_SUITE_P(Along, OnceOverANetwork, testing::ValuesIn(walks()),
                         [](const auto& test) { return test.param; });
INSTANTIATE_TEST_SUITE_P(Along, OnceOnAServer, testing::ValuesIn(walks()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace pgsluice::test
