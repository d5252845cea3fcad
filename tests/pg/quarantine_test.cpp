// Goal: a row that cannot be changed is found among the others and set aside with its reason, as many as the
// operator allows; all others are changed. Method: three rows of 3,000 that a cast, a constraint or a trigger
// refuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/trial.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

struct Fault {
  const char* name;
  const char* setup;  // besides table t(id, word, v)
  const char* set;
  const char* sqlstate;
  const char* reason;
};

void PrintTo(const Fault& fault, std::ostream* out) {
  *out << fault.name;
}

const Fault kFaults[] = {
    {"Cast", "", "v = \"word::int\"", "22P02", "invalid input syntax for type integer"},
    {"Check", "ALTER TABLE t ADD CHECK (v NOT IN (7, 1500, 2999))", "v = \"id\"", "23514",
     "violates check constraint"},
    {"NoSuchPartition",
     "ALTER TABLE t RENAME TO whole; CREATE TABLE t (id int PRIMARY KEY, word text, v int) PARTITION BY "
     "RANGE (id);"
     "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (9999); INSERT INTO t SELECT * FROM whole;"
     "CREATE FUNCTION away() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.word = 'bad' THEN RAISE "
     "EXCEPTION 'row % fits nowhere', NEW.id USING ERRCODE = '23514'; END IF; RETURN NEW; END $$;"
     "CREATE TRIGGER guard BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION away(); ANALYZE t",
     "v = \"id\"", "23514", "fits nowhere"},
    {"NotSupported",
     "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.word = 'bad' THEN RAISE "
     "feature_not_supported USING MESSAGE = 'no such value yet'; END IF; RETURN NEW; END $$;"
     "CREATE TRIGGER guard BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION refuse()",
     "v = \"id\"", "0A000", "no such value yet"},
    {"NotNull", "ALTER TABLE t ALTER v SET DEFAULT 0; UPDATE t SET v = 0; ALTER TABLE t ALTER v SET NOT NULL",
     "v = \"CASE WHEN word <> 'bad' THEN id END\"", "23502", "null value in column"},
    {"Trigger",
     "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.word = 'bad' THEN "
     "RAISE EXCEPTION 'row % is sealed', NEW.id; END IF; RETURN NEW; END $$;"
     "CREATE TRIGGER guard BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION refuse()",
     "v = \"id\"", "P0001", "is sealed"},
    {"LookUp",
     "CREATE TABLE twice (id int); INSERT INTO twice VALUES (7), (7), (1500), (1500), (2999), (2999)",
     "v = \"coalesce((SELECT w.id FROM twice w WHERE w.id = t.id), t.id)\"", "21000", "more than one row"},
};

class Quarantine : public testing::TestWithParam<Fault> {
 protected:
  Quarantine() {
    trial_.db().exec(
        "CREATE TABLE t (id int PRIMARY KEY, word text, v int); INSERT INTO t SELECT n, CASE WHEN n IN (7, "
        "1500, 2999) "
        "THEN 'bad' ELSE n::text END FROM generate_series(1, 3000) n; ANALYZE t");
    trial_.db().exec(GetParam().setup);
  }

  void allow(int rows) {
    trial_.job(backfill_job("t", GetParam().set, "",
                            "max_quarantined = " + std::to_string(rows) + "\n[batch]\nrows = 400"));
  }

  /// Rows that do not hold the new value.
  std::vector<std::string> unchanged() {
    return trial_.db().column("SELECT id FROM t WHERE v IS DISTINCT FROM id ORDER BY id");
  }

  Trial trial_;
};

TEST_P(Quarantine, OfNoneEndsTheRunWithTheKeyAndTheReason) {
  allow(0);
  const auto finished = trial_.run({"--lanes", "1"});
  EXPECT_EQ(finished.code(), 1) << finished.err;
  const auto refusal = refusal_of(finished);
  EXPECT_THAT(refusal.message, AllOf(HasSubstr("row 7 of table \"public.t\" cannot be changed"),
                                     HasSubstr(GetParam().reason), HasSubstr(GetParam().sqlstate)));
  EXPECT_THAT(refusal.hint, HasSubstr("max_quarantined"));
  EXPECT_THAT(trial_.db().column("SELECT id FROM t WHERE v = id ORDER BY id"),
              ElementsAre("1", "2", "3", "4", "5", "6"));
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM pgsluice.quarantine"), 0);

  allow(3);  // a tunable: the same job goes on where it stopped
  const auto again = trial_.run();
  EXPECT_EQ(again.code(), 3) << again.err;
  EXPECT_THAT(unchanged(), ElementsAre("7", "1500", "2999"));
}

TEST_P(Quarantine, OfThreeSetsExactlyTheseAside) {
  allow(3);
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 3) << finished.err;
  EXPECT_EQ(summary_of(finished).at("rows_changed"), 2'997);
  EXPECT_EQ(summary_of(finished).at("rows_quarantined"), 3);
  EXPECT_THAT(unchanged(), ElementsAre("7", "1500", "2999"));

  const auto failures = run_ok(trial_.command("failures"));
  std::vector<std::string> keys;
  for (const auto& row : events_of(failures, "failure")) {
    keys.push_back(row.at("key"));
    EXPECT_EQ(row.at("sqlstate"), GetParam().sqlstate);
    EXPECT_THAT(row.at("message").get<std::string>(), HasSubstr(GetParam().reason));
  }
  EXPECT_THAT(keys, testing::UnorderedElementsAre("7", "1500", "2999")) << failures;
  EXPECT_THAT(run_ok(trial_.text_command("failures")),
              AllOf(HasSubstr("1500"), HasSubstr(GetParam().reason)));

  const auto status = Json::parse(run_ok(trial_.command("status")));
  EXPECT_EQ(status.at("jobs").at(0).at("steps").at(0).at("rows_quarantined"), 3) << status;
  EXPECT_THAT(run_ok(trial_.text_command("status")), HasSubstr("3"));
}

TEST_P(Quarantine, OfTooFewEndsTheRunAtTheNextOne) {
  allow(2);
  const auto finished = trial_.run({"--lanes", "1"});
  EXPECT_EQ(finished.code(), 1) << finished.err;
  EXPECT_THAT(refusal_of(finished).message, HasSubstr("row 2999 of"));
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM pgsluice.quarantine"), 2);
}

TEST(QuarantineLimit, IsKeptByAllLanesTogether) {
  Trial trial;
  trial.db().exec(
      "CREATE TABLE t (id int PRIMARY KEY, v int CHECK (v % 5 <> 0)); INSERT INTO t SELECT "
      "generate_series(1, 20000);"
      "ANALYZE t");
  trial.job(backfill_job("t", "v = \"id\"", "", "max_quarantined = 5\n[batch]\nrows = 50"));
  const auto finished = trial.run({"--lanes", "8"});
  EXPECT_EQ(finished.code(), 1) << finished.err;
  EXPECT_LE(trial.db().number("SELECT count(*) FROM pgsluice.quarantine"), 5);
  EXPECT_EQ(trial.db().number("SELECT count(*) FROM pgsluice.quarantine"),
            summary_of(finished).at("rows_quarantined").get<int>());
}

INSTANTIATE_TEST_SUITE_P(By, Quarantine, testing::ValuesIn(kFaults),
                         [](const auto& fault) { return std::string(fault.param.name); });

}  // namespace
}  // namespace pgsluice::test
