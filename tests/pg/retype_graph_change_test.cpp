// Goal: whoever changes what hangs on the changing columns while the retype waits loses nothing and finds a
// way on: foreign keys, CHECKs, indexes and partitions that come, go or are made anew. Method: the real
// program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/journals.hpp"

namespace pgsluice::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kTables = R"sql(
CREATE TABLE people (id int PRIMARY KEY, name text);
CREATE TABLE notes (id int PRIMARY KEY, writer int NOT NULL REFERENCES people, reader int REFERENCES people, kind text);
CREATE TABLE marks (id int PRIMARY KEY, person int REFERENCES people);
CREATE INDEX notes_writer ON notes (writer);
ALTER TABLE notes ADD CONSTRAINT notes_order CHECK (writer IS NOT NULL);
INSERT INTO people SELECT g, 'p' || g FROM generate_series(1, 200) AS g;
INSERT INTO notes SELECT g, 1 + g % 200, CASE WHEN g % 2 = 0 THEN 1 + g % 7 END, 'k' || g FROM generate_series(1, 1000) AS g;
INSERT INTO marks SELECT g, g FROM generate_series(1, 200) AS g;
)sql";

class RetypeGraphChange : public testing::Test {
 protected:
  void make(const std::string& to, const std::string& lines = {}) {
    db().exec(kTables);
    before_ = schema_of(trial_);
    trial_.job(
        "name = \"people\"\n\n[[step]]\nkind = \"retype\"\nname = \"ids\"\ntables = [\"people\"]\nto = \"" +
        to + "\"\n" + lines);
    expect("run", 9);
  }
  Finished expect(const std::string& verb, int code) {
    auto finished = trial_.verb(verb);
    EXPECT_EQ(finished.code(), code) << verb << "\n" << finished.out << finished.err;
    return finished;
  }
  /// Fails unless the verb is refused with these words.
  void expect_refusal(const std::string& verb, const std::string& words) {
    EXPECT_THAT(expect(verb, 5).err, HasSubstr(words));
  }
  Db& db() { return trial_.db(); }

  Trial trial_;
  std::vector<std::string> before_;
};

TEST_F(RetypeGraphChange, ForeignKeyOfOneOfTwoReferencesIsDropped) {
  for (const std::string mapping : {"", "mapping = \"random\"\nnew_ids = \"gen_random_uuid()\"\n"}) {
    SCOPED_TRACE(mapping);
    make(mapping.empty() ? "bigint" : "uuid", mapping);
    db().exec("ALTER TABLE notes DROP CONSTRAINT notes_reader_fkey");
    expect_refusal("cutover", "\"reader_new\"");
    db().exec("INSERT INTO notes VALUES (5001, 1, 2, 'still')");
    expect_refusal("run", "\"reader_new\"");
    expect("rollback", 0);
    EXPECT_THAT(without(schema_of(trial_), before_), IsEmpty());
    EXPECT_THAT(traces_of(trial_), IsEmpty());
    db().exec("DROP TABLE marks, notes, people; DELETE FROM pgsluice.job");
  }
}

TEST_F(RetypeGraphChange, ForeignKeyGivenBackLetsItGoOn) {
  make("bigint");
  db().exec("ALTER TABLE notes DROP CONSTRAINT notes_reader_fkey");
  expect("cutover", 5);
  db().exec("ALTER TABLE notes ADD CONSTRAINT notes_reader_fkey FOREIGN KEY (reader) REFERENCES people");
  expect("cutover", 0);
  EXPECT_EQ(db().text("SELECT pg_typeof(reader) FROM notes LIMIT 1"), "bigint");
}

TEST_F(RetypeGraphChange, OnlyForeignKeyOfAChildIsDroppedAndItIsUndone) {
  make("bigint");
  db().exec("ALTER TABLE marks DROP CONSTRAINT marks_person_fkey");
  expect("rollback", 0);
  EXPECT_THAT(without(schema_of(trial_), before_), IsEmpty());
  EXPECT_THAT(traces_of(trial_), IsEmpty());
}

TEST_F(RetypeGraphChange, ColumnIsMadeAReference) {
  make("bigint");
  db().exec("ALTER TABLE marks ADD CONSTRAINT marks_id_fkey FOREIGN KEY (id) REFERENCES people");
  expect_refusal("cutover", "\"id_new\"");
  expect_refusal("run", "\"id_new\"");
  db().exec("ALTER TABLE marks DROP CONSTRAINT marks_id_fkey");
  expect("cutover", 0);
}

TEST_F(RetypeGraphChange, CheckComesWhileReady) {
  make("bigint");
  db().exec("ALTER TABLE notes ADD CONSTRAINT notes_late CHECK (writer < 100000)");
  expect("cutover", 5);
  expect("run", 9);
  expect("cutover", 0);
  EXPECT_THROW(db().exec("UPDATE notes SET writer = 100001 WHERE id = 1"), std::exception);
  expect("rollback", 0);
  EXPECT_THROW(db().exec("UPDATE notes SET writer = 100001 WHERE id = 1"), std::exception);
  EXPECT_THAT(traces_of(trial_), IsEmpty());
}

TEST_F(RetypeGraphChange, CheckIsDroppedWhileReady) {
  make("bigint");
  db().exec("ALTER TABLE notes DROP CONSTRAINT notes_order");
  expect_refusal("cutover", "notes_order_new");
  db().exec("ALTER TABLE notes DROP CONSTRAINT notes_order_new");
  expect("cutover", 0);
}

TEST_F(RetypeGraphChange, IndexBecomesAUniqueOneOfTheSameName) {
  make("bigint");
  db().exec("DROP INDEX notes_writer; CREATE UNIQUE INDEX notes_writer ON notes (writer, id)");
  expect_refusal("cutover", "notes_writer");
  db().exec("DROP INDEX notes_writer_new");
  expect("run", 9);
  expect("cutover", 0);
  EXPECT_EQ(db().text("SELECT pg_get_indexdef('notes_writer'::regclass)"),
            "CREATE UNIQUE INDEX notes_writer ON public.notes USING btree (writer, id)");
}

TEST_F(RetypeGraphChange, ContractEndsWhatAnInterruptedWayBackBegan) {
  make("uuid", "mapping = \"embed\"\nnew_ids = \"gen_random_uuid()\"\n");
  expect("cutover", 0);
  auto rollback = trial_.command("rollback");
  rollback.env["PGSLUICE_FAILPOINT"] = "way_back_act:12";
  EXPECT_EQ(run(rollback).exit, (Exit{-1, SIGKILL}));
  EXPECT_NE(db().number("SELECT count(*) FROM pg_constraint WHERE conname LIKE '%\\_fkey\\_old'"), 0);
  expect("contract", 0);
  EXPECT_THAT(traces_of(trial_), IsEmpty());
}

constexpr const char* kPartitioned = R"sql(
CREATE TABLE people (id serial, d int, PRIMARY KEY (id, d)) PARTITION BY LIST (d);
CREATE TABLE people_1 PARTITION OF people FOR VALUES IN (1);
CREATE TABLE people_2 PARTITION OF people FOR VALUES IN (2);
INSERT INTO people (d) SELECT 1 + g % 2 FROM generate_series(1, 300) AS g;
)sql";
constexpr const char* kPartitionedJob =
    "name = \"people\"\n\n[[step]]\nkind = \"retype\"\nname = \"ids\"\ntable = \"people\"\ncolumn = "
    "\"id\"\nto = "
    "\"uuid\"\nmapping = \"random\"\nnew_ids = \"gen_random_uuid()\"\n";

TEST_F(RetypeGraphChange, PartitionsAreRotatedUnderOneName) {
  db().exec(kPartitioned);
  trial_.job(kPartitionedJob);
  expect("run", 9);
  db().exec(
      "ALTER TABLE people DETACH PARTITION people_2; ALTER TABLE people_2 RENAME TO people_2024; ALTER "
      "INDEX "
      "people_2_pkey RENAME TO people_2024_pkey; CREATE TABLE people_2 PARTITION OF people FOR VALUES IN "
      "(2)");
  expect("cutover", 5);
  expect("run", 9);
  expect("cutover", 0);
  expect("contract", 0);
  EXPECT_THAT(traces_of(trial_), IsEmpty());
}

TEST_F(RetypeGraphChange, PartitionThatDrawsFromTheSerialIsDetachedAfterTheCutOver) {
  db().exec(kPartitioned);
  trial_.job(kPartitionedJob);
  expect("run", 9);
  expect("cutover", 0);
  db().exec("ALTER TABLE people DETACH PARTITION people_2");
  expect("contract", 0);
  EXPECT_THAT(traces_of(trial_), IsEmpty());
}

}  // namespace
}  // namespace pgsluice::test
