#include "pg/follow_trial.hpp"

#include <gtest/gtest.h>

#include "support/wait_for.hpp"

namespace pgsluice::test {

const char* const kFollowTraffic = R"sql(
\set id random(1, :rows)
\set other random(1, :rows)
\set key random(:rows + 1, 1000000)
BEGIN;
UPDATE t SET n = n + 1, note = 'changed ' || :key WHERE id = :id;
INSERT INTO t VALUES (:key, 1, 'new') ON CONFLICT DO NOTHING;
DELETE FROM t WHERE id = :other AND id % 3 = 0;
UPDATE t SET id = id + 2000000 WHERE id = :other AND id % 50 = 1;
END;
)sql";

void FollowTrial::make(int rows, const std::string& rest) {
  copy_.both("CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL, note text)");
  source().exec("INSERT INTO t SELECT g, g % 7, 'row ' || g FROM generate_series(1, " + std::to_string(rows) +
                ") g; ANALYZE t");
  job(rest);
}

void FollowTrial::job(const std::string& rest, const std::string& from, const std::string& settings) {
  copy_.job("t", from, "follow = true\n" + rest, settings);
}

std::unique_ptr<Process> FollowTrial::start(const std::string& failpoint) {
  auto command = copy_.trial().command("run");
  if (!failpoint.empty()) command.env["PGSLUICE_FAILPOINT"] = failpoint;
  return std::make_unique<Process>(command);
}

std::vector<std::string> FollowTrial::queues() {
  return source().column(
      "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = to_regnamespace('pgsluice') AND relkind "
      "= "
      "'r' AND relname LIKE 'changes%'");
}

std::int64_t FollowTrial::queued() {
  const auto names = queues();
  std::int64_t entries = names.empty() ? -1 : 0;
  for (const auto& name : names) entries += source().number("SELECT count(*) FROM " + name);
  return entries;
}

void FollowTrial::await_following(Process& run) {
  wait_for(
      [&] {
        return !run.running() ||
               (target().yes("SELECT to_regclass('pgsluice.follow') IS NOT NULL") &&
                target().yes("SELECT EXISTS (SELECT FROM pgsluice.follow WHERE is_following)"));
      },
      2 * kPatience, "the run to follow");
  ASSERT_TRUE(run.running()) << run.out() << run.err();
}

void FollowTrial::await_caught_up(Process& run) {
  await_following(run);
  wait_for([&] { return !run.running() || queued() == 0; }, 2 * kPatience, "the queue to be empty");
  ASSERT_TRUE(run.running()) << run.out() << run.err();
}

void FollowTrial::stop(Process& run) {
  run.signal(SIGTERM);
  EXPECT_EQ(run.wait(2 * kPatience).code, 75) << run.out() << run.err();
}

Finished FollowTrial::ask_switch(const std::string& pause) {
  return copy_.trial().verb("switch", {"--pause", pause});
}

void FollowTrial::expect_switch(Process& run) {
  const auto asked = ask_switch("30s");
  EXPECT_EQ(asked.code(), 0) << asked.out << asked.err;
  EXPECT_EQ(run.wait(2 * kPatience).code, 0) << run.out() << run.err();
}

std::vector<std::string> FollowTrial::triggers() {
  return source().column(
      "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass('t') AND tgname LIKE 'pgsluice%' ORDER BY "
      "1");
}

void FollowTrial::expect_removed(bool with_refusal) {
  EXPECT_EQ(queued(), -1);
  const auto functions =
      source().number("SELECT count(*) FROM pg_proc WHERE pronamespace = to_regnamespace('pgsluice')");
  EXPECT_EQ(functions, with_refusal ? 0 : 1);
  EXPECT_EQ(triggers().size(), with_refusal ? 0U : 2U);
}

}  // namespace pgsluice::test
