// Goal: a constraint step ends in the constraint that plain ALTER TABLE would have made, from wherever it was
// killed or whatever was there before; rows that break it are named before anything is added; rollback takes
// it back, and nothing else. Method: the real program on plain and partitioned tables; the catalog compared
// with a twin's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/trial.hpp"
#include "support/environment.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A constraint as the job file asks for it, and as plain SQL makes it.
struct Case {
  const char* name;
  const char* keys;   // of the step
  const char* alter;  // on `twin`
};

const std::vector<Case> kCases{
    {"not_null", "not_null = \"email\"", "ALTER COLUMN email SET NOT NULL"},
    {"check", "check = \"plan >= 0\"", "ADD CONSTRAINT orders_step_check CHECK (plan >= 0)"},
    {"foreign_key",
     "foreign_key = { columns = [\"user_id\"], references = \"users (id)\", on_delete = \"cascade\" }",
     "ADD CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE"},
    {"unique", "unique = [\"id\", \"email\"]", "ADD CONSTRAINT orders_id_email_key UNIQUE (id, email)"},
    {"primary_key", "primary_key = [\"id\"]", "ADD CONSTRAINT orders_pkey PRIMARY KEY (id)"},
};

std::string step_of(const std::string& keys) {
  return "name = \"j\"\n[[step]]\nkind = \"constraint\"\nname = \"step\"\ntable = \"orders\"\n" + keys + "\n";
}

class ConstraintTest : public testing::Test {
 protected:
  /// `orders` and its twin, in a schema of its own: 1,000 rows that meet every case.
  void make_tables(bool is_partitioned) {
    const std::string columns = "(id int, user_id int, email text, plan int)";
    trial_.db().exec(
        "CREATE TABLE users (id int PRIMARY KEY);"
        "INSERT INTO users SELECT generate_series(1, 100);"
        "CREATE SCHEMA twin");
    for (const std::string schema : {"public.", "twin."}) {
      trial_.db().exec("CREATE TABLE " + schema + "orders " + columns +
                       (is_partitioned ? " PARTITION BY RANGE (id)" : ""));
      if (is_partitioned)
        trial_.db().exec("CREATE TABLE " + schema + "orders_low PARTITION OF " + schema +
                         "orders FOR VALUES FROM (MINVALUE) TO (500);"
                         "CREATE TABLE " +
                         schema + "orders_high PARTITION OF " + schema +
                         "orders FOR VALUES FROM (500) TO (MAXVALUE)");
      trial_.db().exec("INSERT INTO " + schema +
                       "orders SELECT g, 1 + g % 100, 'mail' || g, g % 3 FROM generate_series(1, 1000) g");
    }
    trial_.db().exec("ANALYZE");
  }

  void alter_twin(const std::string& change) {
    trial_.db().exec("SET search_path = twin, public; ALTER TABLE twin.orders " + change +
                     "; RESET search_path");
  }

  /// Constraints and NOT NULL of a schema's tables; names of keys on partitions are not the operator's.
  std::vector<std::vector<std::string>> shape(const std::string& schema) {
    return trial_.db().rows(
        "SELECT c.relname::text, CASE WHEN c.relispartition AND k.contype IN ('u', 'p') THEN '' ELSE "
        "k.conname::text END, "
        "replace(pg_get_constraintdef(k.oid), '" +
        schema +
        ".', ''), k.convalidated::text "
        "FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE c.relnamespace = '" +
        schema +
        "'::regnamespace AND c.relname LIKE 'orders%' "
        "UNION ALL SELECT c.relname::text, a.attname::text, 'NOT NULL', '' FROM pg_attribute a JOIN pg_class "
        "c ON c.oid = "
        "a.attrelid WHERE c.relnamespace = '" +
        schema +
        "'::regnamespace AND c.relname LIKE 'orders%' AND a.attnum > 0 AND a.attnotnull AND c.relkind IN "
        "('r', 'p') "
        "ORDER BY 1, 2, 3");
  }
  std::int64_t indexes() {
    return trial_.db().number("SELECT count(*) FROM pg_index WHERE indrelid::regclass::text LIKE 'orders%'");
  }

  void expect_exit(int code, const Finished& finished) {
    EXPECT_EQ(finished.code(), code) << finished.out << finished.err;
  }

  Trial trial_;
};

class EveryConstraint : public ConstraintTest,
                        public testing::WithParamInterface<std::tuple<std::size_t, bool>> {
 protected:
  EveryConstraint() {
    make_tables(std::get<1>(GetParam()));
    trial_.job(step_of(asked().keys));
  }
  static const Case& asked() { return kCases[std::get<0>(GetParam())]; }
};

TEST_P(EveryConstraint, IsTheOneThatPlainSqlMakesAndGoesAgainWithoutATrace) {
  const auto before = shape("public");
  expect_exit(0, trial_.run());
  alter_twin(asked().alter);
  EXPECT_EQ(shape("public"), shape("twin"));
  expect_exit(0, trial_.run());
  expect_exit(0, trial_.verb("rollback", {"--yes"}));
  EXPECT_EQ(shape("public"), before);
  EXPECT_EQ(indexes(), 0);
}

TEST_P(EveryConstraint, IsFinishedFromWhereverARunWasKilled) {
  alter_twin(asked().alter);
  std::vector<std::string> points{"after_ddl_commit", "after_index"};
  if (long_run()) points.insert(points.end(), {"after_ddl", "after_step"});
  for (const auto& point : points) {
    bool was_killed = true;
    for (int pass = 1; was_killed; ++pass) {
      auto command = trial_.command("run");
      command.env["PGSLUICE_FAILPOINT"] = point + ":" + std::to_string(pass);
      const auto finished = run(command);
      was_killed = finished.exit.signal == SIGKILL;
      if (was_killed) expect_exit(0, trial_.run());
      EXPECT_EQ(shape("public"), shape("twin")) << point << pass << finished.err;
      expect_exit(0, trial_.verb("rollback", {"--yes"}));
      EXPECT_EQ(indexes(), 0) << point << pass;
    }
  }
}

TEST_P(EveryConstraint, IsMadeOnceByTwoRunsAtOnce) {
  Process one(trial_.command("run", {"--wait", "30s"}));
  Process other(trial_.command("run", {"--wait", "30s"}));
  const auto ends = std::pair{one.wait(), other.wait()};
  EXPECT_EQ(ends.first.code, 0) << one.out() << one.err();
  EXPECT_EQ(ends.second.code, 0) << other.out() << other.err();
  alter_twin(asked().alter);
  EXPECT_EQ(shape("public"), shape("twin"));
}

TEST_P(EveryConstraint, IsTakenForDoneIfItIsThereAndStaysAtRollback) {
  std::string alter = asked().alter;
  trial_.db().exec("ALTER TABLE orders " + alter);
  const auto before = shape("public");
  expect_exit(0, trial_.run());
  expect_exit(0, trial_.verb("rollback", {"--yes"}));
  EXPECT_EQ(shape("public"), before);
}

INSTANTIATE_TEST_SUITE_P(All, EveryConstraint,
                         testing::Combine(testing::Range(std::size_t{0}, kCases.size()), testing::Bool()),
                         [](const auto& tested) {
                           return std::string(kCases[std::get<0>(tested.param)].name) +
                                  (std::get<1>(tested.param) ? "_partitioned" : "");
                         });

struct Broken {
  const char* keys;
  const char* rows;  // that break it
  const char* named;
  const char* mend;
};

TEST_F(ConstraintTest, RowsThatBreakItAreCountedAndNamedBeforeAnythingIsAdded) {
  make_tables(false);
  trial_.db().exec("ALTER TABLE orders ADD PRIMARY KEY (id)");
  const std::vector<Broken> all{

      {"not_null = \"email\"", "UPDATE orders SET email = NULL WHERE id IN (17, 900)",
       "2 rows of table \"public\".\"orders\" break the constraint: (17), (900)",
       "UPDATE orders SET email = 'x' || id"},
      {"check = \"plan >= 0\"", "UPDATE orders SET plan = -1 WHERE id = 5",
       "1 row of table \"public\".\"orders\" break the constraint: (5)", "UPDATE orders SET plan = 0"},
      {"foreign_key = { columns = [\"user_id\"], references = \"users (id)\" }",
       "UPDATE orders SET user_id = 4711 WHERE id <= 25", "25 rows of table",
       "UPDATE orders SET user_id = NULL"},
      {"unique = [\"email\"]", "UPDATE orders SET email = 'same' WHERE id <= 3", "(same)",
       "UPDATE orders SET email = 'x' || id"},
  };
  int number = 0;
  for (const auto& broken : all) {
    const auto before = shape("public");
    trial_.db().exec(broken.rows);
    auto job = step_of(broken.keys);
    job.replace(job.find("\"j\""), 3, "\"j" + std::to_string(++number) + "\"");
    trial_.job(job);
    const auto finished = trial_.run();
    expect_exit(4, finished);
    EXPECT_THAT(refusal_of(finished).message, HasSubstr(broken.named));
    EXPECT_EQ(shape("public"), before);
    const auto failures = run_ok(trial_.text_command("failures"));
    EXPECT_THAT(failures, HasSubstr("breaks the constraint of step"));
    trial_.db().exec(broken.mend);
    expect_exit(0, trial_.run());
    EXPECT_THAT(run_ok(trial_.text_command("failures")), HasSubstr("no rows are quarantined"));
  }
}

TEST_F(ConstraintTest, APrimaryKeysEmptyAndRepeatedValuesAreNamed) {
  make_tables(false);
  trial_.db().exec("UPDATE orders SET id = NULL WHERE id = 3; UPDATE orders SET id = 8 WHERE id = 7");
  trial_.job(step_of("primary_key = \"id\""));
  const auto finished = trial_.run();
  expect_exit(4, finished);
  EXPECT_THAT(refusal_of(finished).message, AllOf(HasSubstr("3 rows of table"), HasSubstr("(8)")));
  EXPECT_THAT(shape("public"), IsEmpty());
}

TEST_F(ConstraintTest, IsMadeAgainIfSomebodyTookItAwayBehindAKilledRun) {
  make_tables(false);
  trial_.job(step_of("check = \"plan >= 0\""));
  auto command = trial_.command("run");
  command.env["PGSLUICE_FAILPOINT"] = "after_step:1";
  EXPECT_EQ(run(command).exit.signal, SIGKILL);
  trial_.db().exec("ALTER TABLE orders DROP CONSTRAINT orders_step_check");
  expect_exit(0, trial_.run());
  alter_twin("ADD CONSTRAINT orders_step_check CHECK (plan >= 0)");
  EXPECT_EQ(shape("public"), shape("twin"));
}

TEST_F(ConstraintTest, AnotherOneOfItsNameIsRefusedWithWhatDiffers) {
  make_tables(false);
  trial_.db().exec("ALTER TABLE orders ADD CONSTRAINT orders_step_check CHECK (plan >= 1) NOT VALID");
  trial_.job(step_of("check = \"plan >= 0\""));
  const auto finished = trial_.run();
  expect_exit(5, finished);
  EXPECT_THAT(refusal_of(finished).message, AllOf(HasSubstr("(plan >= 1)"), HasSubstr("(plan >= 0)")));
}

TEST_F(ConstraintTest, IsAskedForUnderAnotherName) {
  make_tables(false);
  trial_.job(step_of("check = \"plan >= 0\"\nconstraint_name = \"\\\"Plan\\\"\""));
  expect_exit(0, trial_.run());
  EXPECT_THAT(trial_.db().column("SELECT conname FROM pg_constraint WHERE conrelid = 'orders'::regclass"),
              ElementsAre("Plan"));
}

TEST_F(ConstraintTest, IsPlannedActByActWithItsLocks) {
  make_tables(false);
  trial_.job(step_of("not_null = \"email\""));
  const auto plan = run_ok(trial_.text_command("plan"));
  EXPECT_THAT(
      plan,
      AllOf(HasSubstr("ADD CONSTRAINT \"orders_email_not_null\" CHECK (\"email\" IS NOT NULL) NOT VALID"),
            HasSubstr("VALIDATE CONSTRAINT \"orders_email_not_null\""), HasSubstr("SET NOT NULL"),
            HasSubstr("SHARE UPDATE EXCLUSIVE"), HasSubstr("reads the table first")));
  EXPECT_TRUE(trial_.is_untouched());
}

TEST_F(ConstraintTest, FollowsAColumnThatAnEarlierStepAddsAndFills) {
  make_tables(false);
  trial_.job(
      "name = \"j\"\n[[step]]\nkind = \"sql\"\nname = \"column\"\nup = \"ALTER TABLE orders ADD COLUMN done "
      "boolean\"\n"
      "down = \"ALTER TABLE orders DROP COLUMN done\"\n"
      "[[step]]\nkind = \"backfill\"\nname = \"fill\"\ntable = \"orders\"\nset = { done = \"false\" }\nwhere "
      "= \"done IS "
      "NULL\"\n"
      "[[step]]\nkind = \"constraint\"\nname = \"done\"\ntable = \"orders\"\nnot_null = \"done\"\n");
  expect_exit(0, trial_.verb("check"));
  expect_exit(0, trial_.run());
  EXPECT_TRUE(trial_.db().yes(
      "SELECT attnotnull FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attname = 'done'"));
  expect_exit(0, trial_.verb("rollback", {"--yes"}));
  EXPECT_THAT(shape("public"), IsEmpty());
}

// Whoever drops a table takes the constraint along: nothing is left to undo.
TEST_F(ConstraintTest, WhoseTableWasDroppedIsUndoneWithARemark) {
  make_tables(false);
  for (const auto* gone : {"users", "orders"}) {
    trial_.job(step_of(kCases[2].keys));
    if (std::string(gone) == "orders")
      trial_.db().exec(
          "CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users SELECT generate_series(1, 100)");
    expect_exit(0, trial_.run());
    trial_.db().exec("DROP TABLE " + std::string(gone) + " CASCADE");
    const auto back = trial_.verb("rollback", {"--yes"});
    expect_exit(0, back);
    EXPECT_THAT(back.out, HasSubstr("is gone, and with it what step"));
  }
}

TEST_F(ConstraintTest, AKeyOfAPartitionedTableMustHoldItsPartitionColumns) {
  make_tables(true);
  trial_.job(step_of("unique = [\"email\"]"));
  const auto finished = trial_.run();
  expect_exit(5, finished);
  EXPECT_THAT(refusal_of(finished).message, HasSubstr("must have the columns that it is partitioned by"));
}

}  // namespace
}  // namespace pgsluice::test
