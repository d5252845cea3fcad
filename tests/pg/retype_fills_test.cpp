// Goal: the tables of a retype are filled side by side, each with its own end, limit and blame, and a run
// that dies in the middle costs none of them anything. Method: the real program on three small tables; a
// session that holds a row of one of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/trial.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kMapping = "to = \"uuid\"\nmapping = \"embed\"\nnew_ids = \"gen_random_uuid()\"\n";

std::string fill_of(const std::string& table) {
  return "ids: fill \"public\".\"" + table + "\"";
}

class RetypeFills : public testing::Test {
 protected:
  RetypeFills() {
    for (const std::string table : {"a", "b", "c"}) {
      db().exec("CREATE TABLE " + table + " (id int PRIMARY KEY" +
                (table == "a" ? "" : ", a_id int NOT NULL REFERENCES a") + "); INSERT INTO " + table +
                " SELECT g" + (table == "a" ? "" : ", g") + " FROM generate_series(1, 3000) AS g; ANALYZE " +
                table);
    }
    job();
  }

  void job(const std::string& settings = {}, const std::string& mapping = kMapping) {
    trial_.job("name = \"three\"\n" + settings +
               "[pool]\nlanes = 2\n[batch]\nrows = 100\nrows_min = 100\nrows_max = 100\n"
               "[[step]]\nkind = \"retype\"\nname = \"ids\"\ntables = [\"a\", \"b\", \"c\"]\n" +
               mapping);
  }
  /// UPDATEs of this row raise an error.
  void seal(const std::string& table, int id) {
    db().exec("CREATE FUNCTION seal_" + table +
              "() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.id = " + std::to_string(id) +
              " THEN RAISE EXCEPTION 'sealed'; END IF; RETURN NEW; END $$; CREATE TRIGGER seal BEFORE UPDATE "
              "ON " +
              table + " FOR EACH ROW EXECUTE FUNCTION seal_" + table + "()");
  }
  void die_at(const std::string& failpoint) {
    auto command = trial_.command("run");
    command.env["PGSLUICE_FAILPOINT"] = failpoint;
    const auto finished = test::run(command, 2 * kPatience);
    EXPECT_EQ(finished.exit, (Exit{-1, SIGKILL})) << failpoint << "\n" << finished.out << finished.err;
  }
  /// The columns are there, and no row is filled: from here on a row can be locked and no DDL waits for it.
  void expand() { die_at("before_cut"); }
  /// REQUIRES: expand().
  Db hold(const std::string& table, int id) {
    Db holder(trial_.dsn());
    holder.exec("BEGIN; SELECT FROM " + table + " WHERE id = " + std::to_string(id) + " FOR UPDATE");
    return holder;
  }
  void expect_ready(Process& program) {
    EXPECT_EQ(program.wait(2 * kPatience), (Exit{9, 0})) << program.out() << program.err();
  }

  Db& db() { return trial_.db(); }
  std::string state_of(const std::string& fill) {
    return db().text("SELECT state FROM pgsluice.step WHERE name = '" + fill + "'");
  }
  /// "started a", "done a", …: what the log says of the acts of this kind, in order, since this event.
  std::vector<std::string> story(const std::string& kinds, std::int64_t since) {
    return db().column(
        "SELECT CASE type WHEN 'step_started' THEN 'started' ELSE fields->>'outcome' END || ' ' || "
        "replace(replace(fields->>'step', 'ids: fill \"public\".\"', ''), '\"', '') "
        "FROM pgsluice.event WHERE type IN ('step_started', 'step_ended') AND fields->>'kind' = ANY "
        "(string_to_array('" +
        kinds + "', ',')) AND event_id > " + std::to_string(since) + " ORDER BY event_id");
  }
  std::int64_t last_event() { return db().number("SELECT max(event_id) FROM pgsluice.event"); }

  Trial trial_;
};

// What the acts before it made is there, and the application writes through it.
TEST_F(RetypeFills, AreThereWhenALaterStatementFailsAndTheHintSaysSo) {
  db().exec(
      "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN IF current_query() ~ "
      "'\"public\".\"a\" VALIDATE' "  // of the real table: a rehearsal would find it
      "THEN RAISE EXCEPTION 'not today'; END IF; END $$;"
      "CREATE EVENT TRIGGER refuse ON ddl_command_start EXECUTE FUNCTION refuse()");
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 1) << finished.err;
  const auto refusal = refusal_of(finished);
  EXPECT_THAT(refusal.message, HasSubstr("not today"));
  EXPECT_THAT(refusal.hint, AllOf(HasSubstr("shadow columns and sync triggers are on \"public\".\"a\", "),
                                  HasSubstr("pgsluice rollback"), Not(HasSubstr("nothing"))));
  db().exec("DROP EVENT TRIGGER refuse");
  EXPECT_EQ(trial_.run().code(), 9);
}

TEST_F(RetypeFills, GoOnWithTheOtherTablesWhileARowOfOneIsHeld) {
  expand();
  const auto before = last_event();
  Db holder = hold("a", 1'500);
  Process program(trial_.command("run"));
  wait_for([&] { return state_of(fill_of("b")) == "done" && state_of(fill_of("c")) == "done"; },
           "b and c to be filled");
  EXPECT_EQ(state_of(fill_of("a")), "running");
  wait_for([&] { return db().yes("SELECT EXISTS (SELECT FROM a WHERE id > 1500 AND id_new IS NOT NULL)"); },
           "the free lane to help behind the row that is held");
  holder.exec("ROLLBACK");
  expect_ready(program);
  EXPECT_THAT(story("backfill", before),
              ElementsAre("started a", "started b", "started c", "done b", "done c", "done a"));
}

TEST_F(RetypeFills, GetALaneEachBeforeATableGetsTwo) {
  db().exec("INSERT INTO a SELECT g FROM generate_series(3001, 9000) AS g; ANALYZE a");  // four ranges
  expand();
  Db holder_of_a = hold("a", 1);
  Db holder_of_b = hold("b", 1);
  Process program(trial_.command("run"));
  wait_for(
      [&] {
        return db().yes(
            "SELECT EXISTS (SELECT FROM pgsluice.range r JOIN pgsluice.step s USING (step_id) "
            "JOIN pgsluice.run u USING (run_id) WHERE u.ended_at IS NULL AND s.name = '" +
            fill_of("b") + "')");
      },
      "a lane on b");
  EXPECT_EQ(db().number("SELECT count(*) FROM a WHERE id_new IS NOT NULL"), 0);
  holder_of_a.exec("ROLLBACK");
  holder_of_b.exec("ROLLBACK");
  expect_ready(program);
}

TEST_F(RetypeFills, AreShownTogetherWithTheSumOfTheirRows) {
  expand();
  Db holder = hold("a", 1'500);
  Process program(trial_.command("run"));
  const auto is_shown = [&] {
    for (const auto& status : events_of(program.out(), "status")) {
      if (status.at("step") == fill_of("a") + " and 2 more" && status.at("rows_expected") == 9'000 &&
          status.at("rows_changed") > 6'000)
        return true;
    }
    return false;
  };
  wait_for(is_shown, "a status of all three");
  holder.exec("ROLLBACK");
  expect_ready(program);
}

TEST_F(RetypeFills, ThatDieAnywhereChangeEveryRowOnce) {
  for (const char* place : {"after_cut:2", "after_lease:2", "after_update:4", "after_commit:7",
                            "after_commit:20", "after_step", "after_step"})
    die_at(place);
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 9) << finished.out << finished.err;
  EXPECT_THAT(db().column("SELECT format('%s: %s changed, %s visited', s.name, sum(r.rows_changed), "
                          "sum(r.rows_visited)) FROM pgsluice.step s JOIN pgsluice.range r USING (step_id) "
                          "WHERE s.part = 'fill' GROUP BY s.name, s.number ORDER BY s.number"),
              ElementsAre(fill_of("a") + ": 3000 changed, 3000 visited",
                          fill_of("b") + ": 3000 changed, 3000 visited",
                          fill_of("c") + ": 3000 changed, 3000 visited"));
}

TEST_F(RetypeFills, BlameOnlyTheTableThatCannotBeFilled) {
  seal("b", 50);
  expand();
  const auto before = last_event();
  Db holder = hold("a", 1'500);
  const auto finished = trial_.run();
  holder.exec("ROLLBACK");
  EXPECT_EQ(finished.code(), 1) << finished.out << finished.err;
  EXPECT_THAT(refusal_of(finished).message,
              AllOf(HasSubstr("row 50 of table \"public.b\""), HasSubstr("sealed")));
  EXPECT_THAT(story("backfill", before), ElementsAre("started a", "started b", "started c", "interrupted a",
                                                     "failed b", "interrupted c"));
  EXPECT_EQ(state_of(fill_of("a")), "running");
  EXPECT_EQ(state_of(fill_of("b")), "failed");
  db().exec("DROP TRIGGER seal ON b");
  EXPECT_EQ(trial_.run().code(), 9);
}

TEST_F(RetypeFills, SetAsideAsManyRowsOfEachTableAsAreAllowed) {
  seal("a", 70);
  seal("b", 50);
  job("max_quarantined = 1\n");
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 1) << "the proof finds the rows that were set aside\n" << finished.out;
  EXPECT_EQ(db().number("SELECT count(*) FROM pgsluice.quarantine"), 2);
  for (const char* table : {"a", "b", "c"}) EXPECT_EQ(state_of(fill_of(table)), "done") << table;
}

TEST_F(RetypeFills, ThatLookAtEachOtherWaitForTheFence) {
  job({}, "to = \"uuid\"\nmapping = \"random\"\nnew_ids = \"gen_random_uuid()\"\n");
  EXPECT_EQ(trial_.run().code(), 9);
  const auto told = story("backfill,fence", 0);
  ASSERT_EQ(told.size(), 12U);
  const auto part = [&](int from, int to) {
    return std::vector<std::string>(told.begin() + from, told.begin() + to);
  };
  EXPECT_THAT(part(0, 3), ElementsAre("started a", "started b", "started c"));
  EXPECT_THAT(part(3, 6), Each(HasSubstr("done")));
  EXPECT_THAT(part(6, 8), Each(HasSubstr("wait for transactions")));
  EXPECT_THAT(part(8, 10), ElementsAre("started b, level 1", "started c, level 1"));
  EXPECT_THAT(part(10, 12), Each(HasSubstr("level 1")));
}

}  // namespace
}  // namespace pgsluice::test
