// Goal: SIGKILL anywhere in a retype costs nothing but another start: the end is that of an undisturbed one.
// Method: the real program kills itself at named places, act after act, then is started again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/journals.hpp"
#include "support/environment.hpp"

namespace pgsluice::test {
namespace {

using testing::IsEmpty;

const int kUsers = 120;

/// Where a run dies, in the order in which it comes there: each start goes on behind the one before.
std::vector<std::string> run_deaths() {
  if (!long_run())
    return {"after_ddl",   "after_ddl_commit:2", "after_cut",   "after_update",
            "after_index", "after_step:4",       "after_ddl:3", "after_ddl_commit:8"};
  std::vector<std::string> deaths{"after_register",     "after_ddl",      "after_ddl_commit", "after_ddl",
                                  "after_ddl_commit:2", "before_cut",     "after_cut",        "after_lease",
                                  "after_begin",        "after_position", "after_update",     "after_commit",
                                  "after_update",       "after_commit:2", "after_step:2"};
  for (int index = 0; index < 8; ++index) deaths.push_back("after_index");
  for (int act = 0; act < 8; ++act) {
    deaths.push_back("after_ddl");
    deaths.push_back("after_ddl_commit:2");
  }
  return deaths;
}

struct End {
  std::vector<std::string> rows, keys, schema;
};

End end_of(Journals& journals) {
  return {journals.rows(), journals.keys(), schema_of(journals.trial())};
}

void expect_same(const End& left, const End& right) {
  EXPECT_THAT(without(left.rows, right.rows), IsEmpty());
  EXPECT_THAT(without(right.rows, left.rows), IsEmpty());
  EXPECT_EQ(left.keys, right.keys);
  EXPECT_THAT(without(left.schema, right.schema), IsEmpty());
  EXPECT_THAT(without(right.schema, left.schema), IsEmpty());
}

TEST(RetypeKilled, AtItsActsEndsLikeAnUndisturbedOne) {
  Journals undisturbed(kUsers);
  undisturbed.make_ready();
  undisturbed.expect("cutover", 0);
  undisturbed.expect("contract", 0);

  Journals killed(kUsers);
  for (const auto& place : run_deaths()) killed.die_at("run", place);
  killed.make_ready();
  for (const char* place : {"cutover_locked", "cutover_before_commit"}) {
    killed.die_at("cutover", place);
    EXPECT_EQ(killed.key_type(), "integer") << place;
  }
  killed.die_at("cutover", "cutover_committed");
  EXPECT_EQ(killed.key_type(), "uuid");
  killed.expect("run", 0);
  for (const char* place : {"cutover_locked", "cutover_before_commit", "cutover_committed"})
    killed.die_at("contract", place);

  expect_same(end_of(killed), end_of(undisturbed));
  EXPECT_THAT(traces_of(killed.trial()), IsEmpty());
  killed.expect("run", 0);
  killed.expect("verify", 0);
}

TEST(RetypeKilled, OnItsWayBackGivesBackEveryWrite) {
  Journals journals(kUsers);
  const auto schema = schema_of(journals.trial());
  journals.make_ready();
  journals.expect("cutover", 0);
  journals.write_with_uuids();
  const auto rows = journals.rows();
  for (const char* place : {"way_back_act", "after_ddl:2", "after_ddl_commit:3", "way_back_act:7",
                            "cutover_locked", "cutover_before_commit"}) {
    journals.die_at("rollback", place);
    EXPECT_EQ(journals.key_type(), "uuid") << place;
  }
  journals.die_at("rollback", "cutover_committed");
  EXPECT_EQ(journals.key_type(), "integer");
  journals.die_at("rollback", "rollback_before_note");
  journals.expect("rollback", 0);
  EXPECT_EQ(journals.key_type(), "integer");
  EXPECT_EQ(journals.rows(), rows);
  EXPECT_THAT(without(schema_of(journals.trial()), schema), IsEmpty());
  EXPECT_THAT(without(schema, schema_of(journals.trial())), IsEmpty());
  EXPECT_THAT(traces_of(journals.trial()), IsEmpty());
}

TEST(RetypeKilled, BetweenWayBackAndSecondThoughtKeepsWritesOfTheNewShapeInStep) {
  Journals journals(kUsers);
  journals.make_ready();
  journals.expect("cutover", 0);
  journals.die_at("rollback", "way_back_act:14");  // references are right, some old CHECKs are back
  journals.write_with_uuids();                     // the application goes on meanwhile
  const auto rows = journals.rows();
  journals.expect("rollback", 0);
  EXPECT_EQ(journals.rows(), rows);
  EXPECT_EQ(journals.orphans(), 0);
}

TEST(RetypeKilled, WithBothKindsOfForeignKeysInForceLetsCascadesGoOn) {
  Journals journals(kUsers);
  journals.make_ready();
  journals.expect("cutover", 0);
  journals.die_at("rollback", "cutover_locked");  // every old foreign key is back, beside the new ones
  auto& db = journals.db();
  EXPECT_EQ(db.number("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conname LIKE '%_old'"), 8);
  db.exec("INSERT INTO users (email, display_name) VALUES ('new@example.com', 'New')");
  db.exec(
      "UPDATE journals SET user_id = (SELECT id FROM users WHERE email = 'new@example.com') WHERE title = "
      "'Day 2'");
  db.exec(
      "UPDATE journals SET continues = (SELECT id FROM journals WHERE title = 'Day 3') WHERE title = 'Day "
      "9'");
  db.exec("DELETE FROM journals WHERE title IN ('Day 3', 'Day 6')");
  db.exec("DELETE FROM users WHERE email LIKE 'user9@%'");
  db.exec("DELETE FROM tags WHERE name = 'Work 2'");
  const auto rows = journals.rows();
  journals.expect("rollback", 0);
  EXPECT_EQ(journals.rows(), rows);
  EXPECT_EQ(journals.orphans(), 0);
}

TEST(RetypeKilled, BeforeTheCutoverCanBeTakenBackFromAnywhere) {
  for (const char* place : {"after_ddl_commit", "after_ddl_commit:5", "after_update", "after_index:2"}) {
    SCOPED_TRACE(place);
    Journals journals(kUsers);
    const auto before = end_of(journals);
    journals.die_at("run", place);
    journals.die_at("rollback", "cutover_before_commit");
    journals.die_at("rollback", "cutover_committed");
    journals.expect("rollback", 0);
    expect_same(end_of(journals), before);
    EXPECT_THAT(traces_of(journals.trial()), IsEmpty());
  }
}

}  // namespace
}  // namespace pgsluice::test
