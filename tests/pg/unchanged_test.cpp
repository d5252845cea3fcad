// Goal: a row that a batch selects and that stays as it was, since a trigger or a rule left it so, is never
// called right: it is counted by itself, told with the table and its cause, and the job ends with 4, by every
// walk, after a kill, and in every later run. Method: such triggers and rules on 3,000 rows; and triggers
// that look alike and leave nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/trial.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr int kRows = 3'000;

/// A trigger function that says `body` to every row.
std::string trigger(const std::string& body, const std::string& when = "BEFORE UPDATE ON t",
                    const std::string& table = "t") {
  return "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + body +
         " END $$; CREATE TRIGGER keep " + when + " FOR EACH ROW EXECUTE FUNCTION keep(); ANALYZE " + table;
}

const std::string kSkipEveryTenth = "IF OLD.id % 10 = 0 THEN RETURN NULL; END IF; RETURN NEW;";

class Unchanged : public testing::TestWithParam<const char*> {
 protected:
  void make_table(const std::string& setup, const std::string& key = "PRIMARY KEY") {
    trial_.db().exec("CREATE TABLE t (id int " + key +
                     ", c text, n int NOT NULL DEFAULT 0); INSERT INTO t "
                     "SELECT i FROM generate_series(1, " +
                     std::to_string(kRows) + ") i; " + setup);
  }

  void job(const std::string& walk, const std::string& where = "where = \"c IS NULL\"\n") {
    trial_.job(backfill_job("t", "c = \"'x'\", n = \"n + 1\"", "walk = \"" + walk + "\"\n" + where,
                            "[batch]\nrows = 200"));
  }

  /// The run's summary: `unchanged` rows of all, the others changed.
  Json expect_run(int unchanged) {
    const auto finished = trial_.run();
    EXPECT_EQ(finished.code(), unchanged > 0 ? 4 : 0) << finished.out << finished.err;
    auto summary = summary_of(finished);
    EXPECT_EQ(summary["rows_unchanged"], unchanged);
    EXPECT_EQ(summary["rows_changed"], kRows - unchanged);
    // A walk over blocks also comes by new versions of rows that it has changed.
    EXPECT_LT(summary["rows_already_right"].get<int>(), kRows / 2);
    EXPECT_EQ(trial_.db().number("SELECT count(*) FROM t WHERE c IS NULL"), unchanged);
    return summary;
  }

  bool is_killed_at(const std::string& failpoint) {
    auto command = trial_.command("run");
    command.env["PGSLUICE_FAILPOINT"] = failpoint;
    return run(command, 2 * kPatience).exit.signal == SIGKILL;
  }

  Trial trial_;
};

TEST_P(Unchanged, RowsThatATriggerSkipsAreCountedAndEndTheJobWith4) {
  make_table(trigger(kSkipEveryTenth));
  job(GetParam());
  const auto summary = expect_run(kRows / 10);
  EXPECT_EQ(summary["outcome"], "done, rows unchanged");
  EXPECT_THAT(summary["reason"].get<std::string>(),
              AllOf(HasSubstr("300 rows of table \"public\".\"t\""), HasSubstr("trigger \"keep\"")));
  EXPECT_EQ(trial_.logged("step_ended").back()["rows_unchanged"], kRows / 10);
  EXPECT_EQ(trial_.db().text("SELECT state FROM pgsluice.job"), "done");
}

TEST_P(Unchanged, IsToldAgainByALaterRunAndByStatus) {
  make_table(trigger(kSkipEveryTenth));
  job(GetParam());
  expect_run(kRows / 10);
  const auto later = trial_.run();
  EXPECT_EQ(later.code(), 4);
  EXPECT_THAT(summary_of(later)["reason"].get<std::string>(), HasSubstr("300 rows"));
  const auto status = Json::parse(trial_.verb("status").out);
  EXPECT_EQ(status["jobs"][0]["steps"][0]["rows_unchanged"], kRows / 10) << status.dump();
}

TEST_P(Unchanged, IsCountedOnceThroughKills) {
  make_table(trigger(kSkipEveryTenth));
  job(GetParam());
  for (const char* place : {"after_update:3", "after_commit:2", "after_position:4"})
    EXPECT_TRUE(is_killed_at(place)) << place;
  expect_run(kRows / 10);
}

TEST_P(Unchanged, IsNothingWhereATriggerOnlyStampsRows) {
  make_table(trigger("NEW.n := NEW.n; RETURN NEW;"));
  job(GetParam());
  expect_run(0);
}

INSTANTIATE_TEST_SUITE_P(EveryWalk, Unchanged, testing::Values("keyset", "blocks", "interleaved"),
                         [](const auto& walk) { return std::string(walk.param); });

TEST_F(Unchanged, RowsOfAStepWithoutWhereAreCountedToo) {
  make_table(trigger(kSkipEveryTenth));
  job("keyset", "");
  expect_run(kRows / 10);
}

TEST_F(Unchanged, RowsOfATableWithoutAKeyAreCountedOnce) {
  make_table(trigger(kSkipEveryTenth), "");
  job("blocks");
  expect_run(kRows / 10);
}

TEST_F(Unchanged, RowsOfAPartitionWithATriggerOfItsOwnAreCounted) {
  trial_.db().exec(
      "CREATE TABLE t (id int PRIMARY KEY, c text, n int NOT NULL DEFAULT 0) PARTITION BY RANGE (id);"
      "CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (1001);"
      "CREATE TABLE high PARTITION OF t FOR VALUES FROM (1001) TO (9999);"
      "INSERT INTO t SELECT i FROM generate_series(1, 3000) i;" +
      trigger("RETURN NULL;", "BEFORE UPDATE ON low"));
  job("keyset");
  expect_run(1'000);
}

TEST_F(Unchanged, RowsThatAConditionalRuleTakesAwayAreCounted) {
  make_table("CREATE RULE skip AS ON UPDATE TO t WHERE OLD.id % 10 = 0 DO INSTEAD NOTHING; ANALYZE t");
  job("keyset");
  EXPECT_THAT(expect_run(kRows / 10)["reason"].get<std::string>(), HasSubstr("rule \"skip\""));
}

TEST_F(Unchanged, IsEveryRowWhereARuleSendsUpdatesElsewhere) {
  make_table(
      "CREATE TABLE other (id int, c text); INSERT INTO other SELECT id FROM t; ANALYZE t;"
      "CREATE RULE away AS ON UPDATE TO t DO INSTEAD UPDATE other SET c = NEW.c WHERE id = OLD.id");
  job("keyset");
  expect_run(kRows);
}

TEST_F(Unchanged, IsNotWhatTheServersOwnTriggerFindsRight) {
  make_table(
      "UPDATE t SET c = 'x' WHERE id <= 1000; ANALYZE t; CREATE TRIGGER same BEFORE UPDATE ON t "
      "FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()");
  trial_.job(backfill_job("t", "c = \"'x'\"", "walk = \"keyset\""));
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 0) << finished.err;
  EXPECT_EQ(summary_of(finished)["rows_already_right"], 1'000);
}

TEST_F(Unchanged, CannotBeBecauseOfADisabledTriggerOrOneOfAnotherColumn) {
  make_table(
      trigger("RETURN NULL;") +
      "; ALTER TABLE t DISABLE TRIGGER keep; CREATE TRIGGER other BEFORE UPDATE OF id ON t FOR EACH ROW "
      "EXECUTE FUNCTION keep()");
  job("keyset");
  expect_run(0);
}

TEST_F(Unchanged, IsWhatCheckWarnsOfWhereARuleIs) {
  make_table("CREATE RULE away AS ON UPDATE TO t DO INSTEAD NOTHING; ANALYZE t");
  job("keyset");
  const auto checked = trial_.verb("check");
  EXPECT_EQ(checked.code(), 0);
  EXPECT_THAT(checked.out, AllOf(HasSubstr("rule \\\"away\\\""), HasSubstr("every row stays as it is")));
}

TEST_F(Unchanged, CannotBeToldByBlocksBesideARuleSoTheyAreRefused) {
  make_table("CREATE RULE more AS ON UPDATE TO t DO ALSO NOTHING; ANALYZE t");
  job("blocks");
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 5);
  EXPECT_THAT(refusal_of(finished).message, HasSubstr("rule \"more\" rewrites"));
}

}  // namespace
}  // namespace pgsluice::test
