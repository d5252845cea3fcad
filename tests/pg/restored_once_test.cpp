// Goal: a rollback that puts old values back does so once for each row, or names the row, however often it is
// killed, with two of them at once and an application that goes on writing; afterwards nothing of it is left.
// Method: the real program on a table whose trigger notes each change that the program makes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <random>

#include "pg/trial.hpp"
#include "support/environment.hpp"
#include "support/pgbench.hpp"

namespace pgsluice::test {
namespace {

using testing::IsEmpty;

const int kKills = long_run() ? 10 : 3;

class RestoredOnce : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    trial_.db().exec(
        "CREATE TABLE counted (id int PRIMARY KEY, n int NOT NULL, note text) WITH (fillfactor = 70);"
        "INSERT INTO counted SELECT g, 0, 'was ' || g FROM generate_series(1, 20000) g;"
        "CREATE TABLE noted (id int, n int);"
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF current_setting('application_name') LIKE 'pgsluice%' THEN INSERT INTO noted VALUES (NEW.id, "
        "NEW.n); END "
        "IF; RETURN NULL; END $$;"
        "CREATE TABLE app (id int, at timestamptz DEFAULT clock_timestamp()); ANALYZE counted");
    trial_.job(backfill_job(
        "counted", "n = \"n + 1\", note = \"'now'\"",
        std::string("where = \"n = 0\"\nkeep = true\nwalk = \"") + GetParam() + "\"",
        "[batch]\ntarget = \"100ms\"\nrows = 100\nrows_min = 100\nrows_max = 100\n[pool]\nlanes = 2"));
  }

  std::int64_t restored() { return trial_.db().number("SELECT count(*) FROM noted"); }

  Trial trial_;
};

INSTANTIATE_TEST_SUITE_P(Walk, RestoredOnce, testing::Values("keyset", "interleaved"),
                         [](const auto& walk) { return std::string(walk.param); });

TEST_P(RestoredOnce, HoweverOftenItIsKilledAndWhoeverElseWrites) {
  auto& db = trial_.db();
  const auto done = trial_.run();
  ASSERT_EQ(done.code(), 0) << done.err;
  db.exec("CREATE TRIGGER note AFTER UPDATE ON counted FOR EACH ROW EXECUTE FUNCTION note()");

  Traffic application;
  application.dsn = trial_.dsn();
  application.script =
      "\\set id random(1, 20000)\n"
      "WITH mine AS (UPDATE counted SET note = 'app' WHERE id = :id RETURNING id) "
      "INSERT INTO app SELECT id FROM mine;\n";
  application.rate = 50;
  Pgbench traffic(application);
  for (int i = 0; i < kKills; ++i) {
    const auto before = restored();
    Process rollback(trial_.command("rollback"));
    wait_for([&] { return restored() > before + 300 || !rollback.running(); }, "rows to be restored");
    kill_program(trial_, rollback);
  }
  Process one(trial_.command("rollback", {"--wait", "60s"}));
  Process two(trial_.command("rollback", {"--wait", "60s"}));
  const auto first = one.wait();
  const auto second = two.wait();
  traffic.stop();
  EXPECT_EQ(first.code, 0) << one.out() << one.err();
  EXPECT_EQ(second.code, 0) << two.out() << two.err();

  EXPECT_EQ(db.number("SELECT count(*) FROM (SELECT id FROM noted GROUP BY id HAVING count(*) > 1) AS twice"),
            0);
  // Restored, or written by the application and named.
  EXPECT_THAT(
      db.column(
          "SELECT id::text FROM counted WHERE (n, note) IS DISTINCT FROM (0, 'was ' || id) AND id NOT IN "
          "(SELECT id FROM app)"),
      IsEmpty());
  EXPECT_THAT(
      db.column(
          "SELECT id::text FROM counted c WHERE n <> 0 AND NOT EXISTS (SELECT FROM pgsluice.quarantine q "
          "WHERE q.key = ARRAY[c.id::text])"),
      IsEmpty());
  EXPECT_EQ(db.text("SELECT state FROM pgsluice.job"), "rolled back");
  EXPECT_EQ(db.number("SELECT count(*) FROM pgsluice.step WHERE parent_id IS NOT NULL"), 0);
  // Old values of rows that are named are nowhere else.
  const bool is_any_named = db.number("SELECT count(*) FROM pgsluice.quarantine") > 0;
  EXPECT_EQ(db.number("SELECT count(*) FROM pg_class WHERE relname LIKE 'image\\_%' AND relkind = 'r'"),
            is_any_named ? 1 : 0);
}

}  // namespace
}  // namespace pgsluice::test
