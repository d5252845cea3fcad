// Goal: no cut-over happens over columns that are not in step. Method: a retype of a parent and its children,
// whose sync triggers somebody switches off, on, or takes away, before and after the cut-over, with writes
// meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/trial.hpp"

namespace pgsluice::test {
namespace {

using testing::HasSubstr;

constexpr const char* kWrite = "UPDATE child SET p_id = 2, note = 'p2' WHERE id <= 10";
/// The name of our trigger for UPDATE, as `DO` finds it.
constexpr const char* kOurs =
    "(SELECT quote_ident(tgname) FROM pg_trigger WHERE tgrelid = 'child'::regclass AND tgname LIKE "
    "'%pgsluice%update')";

class SyncState : public testing::TestWithParam<const char*> {
 protected:
  SyncState() {
    trial_.db().exec(
        "CREATE TABLE parent (id int PRIMARY KEY, name text, made timestamptz NOT NULL DEFAULT now());"
        "CREATE TABLE child (id int PRIMARY KEY, p_id int NOT NULL REFERENCES parent, note text, made "
        "timestamptz NOT NULL DEFAULT now());"
        "INSERT INTO parent SELECT g, 'p' || g FROM generate_series(1, 300) g;"
        "INSERT INTO child SELECT g, 1 + g % 300, 'p' || 1 + g % 300 FROM generate_series(1, 900) g");
    const std::string mapping = GetParam();
    trial_.job(
        "name = \"sync\"\n[[step]]\nkind = \"retype\"\nname = \"ids\"\ntables = [\"parent\", \"child\"]\nto "
        "= "
        "\"uuid\"\nmapping = \"" +
        mapping + "\"\nnew_ids = \"gen_random_uuid()\"\n" + (mapping == "v7" ? "from = \"made\"\n" : ""));
    expect("run", 9);
  }

  Finished expect(const std::string& verb, int code) {
    auto finished = trial_.verb(verb);
    EXPECT_EQ(finished.code(), code) << verb << finished.out << finished.err;
    return finished;
  }

  void alter(const std::string& change) { trial_.db().exec("ALTER TABLE child " + change); }
  void alter_ours(const std::string& change) {
    trial_.db().exec("DO $$BEGIN EXECUTE 'ALTER TABLE child " + change + " TRIGGER ' || " + kOurs +
                     "; END$$");
  }

  std::int64_t wrong_parents() {
    return trial_.db().number(
        "SELECT count(*) FROM child LEFT JOIN parent ON parent.id = p_id WHERE name IS DISTINCT FROM note");
  }
  std::string key_type() { return trial_.db().text("SELECT pg_typeof(p_id) FROM child LIMIT 1"); }

  /// With the triggers off only a mapping by value, which the server itself proves, refuses the write.
  void write() {
    try {
      trial_.db().exec(kWrite);
    } catch (const std::exception&) {
      EXPECT_STREQ(GetParam(), "embed");
    }
  }

  void expect_refused(const std::string& verb, int code, const std::string& words) {
    const auto finished = expect(verb, code);
    EXPECT_THAT(finished.out + finished.err, HasSubstr(words));
  }

  void expect_sound_cutover() {
    expect("verify", 0);
    expect("cutover", 0);
    EXPECT_EQ(key_type(), "uuid");
    EXPECT_EQ(wrong_parents(), 0);
  }

  Trial trial_;
};

TEST_P(SyncState, RefusesTriggersThatAreSwitchedOff) {
  alter("DISABLE TRIGGER USER");
  expect_refused("check", 5, "zzz_pgsluice");
  expect_refused("check", 5, "is switched off");
  expect_refused("verify", 4, "is switched off");
  expect_refused("cutover", 5, "is switched off");
  expect_refused("run", 5, "is switched off");
  EXPECT_EQ(key_type(), "integer");
  expect("rollback", 0);
}

TEST_P(SyncState, RefusesTriggersThatWereSwitchedOnForSomeSessionsOnly) {
  alter("DISABLE TRIGGER USER");
  write();
  alter("ENABLE TRIGGER USER");
  expect_refused("check", 5, "not fired by replication");
  expect_refused("verify", 4, "not fired by replication");
  expect_refused("cutover", 5, "not fired by replication");
  EXPECT_EQ(key_type(), "integer");
}

TEST_P(SyncState, FindsRowsWrittenWhileTheTriggersWereOff) {
  alter_ours("DISABLE");
  write();
  alter_ours("ENABLE ALWAYS");
  expect("check", 0);
  if (std::string(GetParam()) == "embed") return expect_sound_cutover();
  expect_refused("verify", 4, "mean different rows");
  const auto refused = expect("cutover", 5);
  EXPECT_THAT(refused.err, HasSubstr("9 rows of"));
  EXPECT_EQ(key_type(), "integer");
  // As the hint says.
  trial_.db().exec("UPDATE child SET p_id_new = NULL WHERE id <= 10");
  expect_sound_cutover();
}

TEST_P(SyncState, LooksForTriggersThatAreGone) {
  trial_.db().exec(std::string("DO $$BEGIN EXECUTE 'DROP TRIGGER ' || ") + kOurs + " || ' ON child'; END$$");
  expect_refused("check", 5, "is gone");
  expect_refused("verify", 4, "is gone");
  expect_refused("cutover", 5, "is gone");
}

TEST_P(SyncState, LetsAReplicationRoleWrite) {
  trial_.db().exec(std::string("SET session_replication_role = replica; ") + kWrite +
                   "; INSERT INTO child VALUES (9001, 7, 'p7'); RESET session_replication_role");
  expect_sound_cutover();
}

TEST_P(SyncState, RefusesTheWayBackWithoutTriggers) {
  expect_sound_cutover();
  alter("DISABLE TRIGGER USER");
  expect_refused("verify", 4, "is switched off");
  expect_refused("rollback", 5, "is switched off");
  EXPECT_EQ(key_type(), "uuid");
  trial_.db().exec(
      "DO $$DECLARE name text; BEGIN FOR name IN SELECT quote_ident(tgname) FROM pg_trigger WHERE tgrelid = "
      "'child'::regclass AND tgname LIKE '%pgsluice%' LOOP EXECUTE 'ALTER TABLE child ENABLE ALWAYS TRIGGER "
      "' || "
      "name; END LOOP; END$$");
  expect("rollback", 0);
  EXPECT_EQ(key_type(), "integer");
  EXPECT_EQ(wrong_parents(), 0);
}

TEST(SyncStateOfAPartition, IsLookedAtToo) {
  Trial trial;
  trial.db().exec(
      "CREATE TABLE parent (id int PRIMARY KEY);"
      "CREATE TABLE child (id int, part int, p_id int NOT NULL REFERENCES parent, PRIMARY KEY (id, part)) "
      "PARTITION BY "
      "LIST (part);"
      "CREATE TABLE child_1 PARTITION OF child FOR VALUES IN (1);"
      "CREATE TABLE child_2 PARTITION OF child FOR VALUES IN (2);"
      "INSERT INTO parent SELECT generate_series(1, 50); INSERT INTO child SELECT g, 1 + g % 2, g FROM "
      "generate_series(1, 50) g");
  trial.job(
      "name = \"sync\"\n[[step]]\nkind = \"retype\"\nname = \"ids\"\ntables = [\"parent\"]\nto = "
      "\"uuid\"\nmapping = "
      "\"random\"\n");
  const auto run = trial.run();
  ASSERT_EQ(run.code(), 9) << run.out << run.err;
  EXPECT_EQ(trial.verb("verify").code(), 0);
  trial.db().exec("ALTER TABLE child_2 DISABLE TRIGGER USER");
  const auto refused = trial.verb("cutover");
  EXPECT_EQ(refused.code(), 5) << refused.out << refused.err;
  EXPECT_THAT(refusal_of(refused).message, HasSubstr("of \"public\".\"child_2\" is switched off"));
}

INSTANTIATE_TEST_SUITE_P(Mappings, SyncState, testing::Values("embed", "random", "v7"),
                         [](const auto& mapping) { return std::string(mapping.param); });

}  // namespace
}  // namespace pgsluice::test
