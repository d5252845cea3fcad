// Goal: what a step with `keep` changed goes back exactly, and only where the value is still ours; what is
// not put back is named; whoever is killed, and whatever the table is like. Method: the real program, on
// tables of many types, against a copy taken before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <thread>

#include "pg/trial.hpp"
#include "support/environment.hpp"

namespace pgsluice::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// How the walk is forced, and whether the table is partitioned.
struct Shape {
  const char* name;
  const char* walk;
  bool is_partitioned;
};

class ImagesTest : public testing::Test {
 protected:
  Db& db() { return trial_.db(); }

  /// `orders`, of every type that is awkward to compare: 3,000 rows; and `before`, its copy.
  void make_orders(bool is_partitioned) {
    db().exec(
        "CREATE TYPE pair AS (a int, b text);"
        "CREATE TABLE orders (id int, region text, price numeric, note text, doc json, place point, tags "
        "text[], "
        "flag boolean, two pair, wide text, PRIMARY KEY (id, region))" +
        std::string(is_partitioned ? " PARTITION BY LIST (region)" : ""));
    if (is_partitioned)
      db().exec(
          "CREATE TABLE orders_n PARTITION OF orders FOR VALUES IN ('n');"
          "CREATE TABLE orders_s PARTITION OF orders FOR VALUES IN ('s')");
    db().exec(
        "ALTER TABLE orders ALTER wide SET STORAGE EXTERNAL;"
        "INSERT INTO orders SELECT g, CASE WHEN g % 2 = 0 THEN 'n' ELSE 's' END, CASE g % 3 WHEN 0 THEN 1.0 "
        "WHEN 1 THEN "
        "1.00 END, 'note ' || g, json_build_object('g', g), point(g, 0), ARRAY['a', NULL, g::text], CASE g % "
        "3 WHEN 0 "
        "THEN true WHEN 1 THEN false END, ROW(g, NULL)::pair, CASE WHEN g % 10 = 0 THEN repeat('x' || g, "
        "2000) END "
        "FROM generate_series(1, 3000) g;"
        "CREATE TABLE before AS SELECT * FROM orders; ANALYZE");
  }

  /// Changes all columns of all rows but 500, so that each changed row stops matching.
  void take_fill(const std::string& rest = "keep = true") {
    trial_.job(backfill_job("orders",
                            "price = \"coalesce(price, 0) + 1000\", note = \"upper(note)\", doc = \"'{}'\", "
                            "place = \"NULL\", tags = \"tags || 'b'::text\", flag = \"NOT flag\", two = "
                            "\"ROW(1, note)::pair\", wide = \"right(wide, 10)\"",
                            "where = \"id > 500 AND coalesce(price, 0) < 1000\"\n" + rest));
  }

  void expect_verb(const std::string& verb, int code, const std::vector<std::string>& args = {}) {
    const auto done = trial_.verb(verb, args);
    ASSERT_EQ(done.code(), code) << done.out << done.err;
  }

  /// Keys of rows that are not byte for byte as they were.
  std::vector<std::string> changed_rows() {
    return db().column(
        "SELECT coalesce(o.id, b.id)::text FROM orders o FULL JOIN before b ON o.id = b.id AND o.region = "
        "b.region "
        "WHERE o.id IS NULL OR b.id IS NULL OR NOT o *= b ORDER BY 1");
  }

  std::string images_table() {
    return db().text(
        "SELECT coalesce(min(c.oid::regclass::text), '') FROM pg_class c WHERE relname ~ '^image_[0-9]+$'");
  }

  std::vector<std::string> failures() {
    std::vector<std::string> out;
    const auto said = trial_.verb("failures");
    EXPECT_EQ(said.code(), 0) << said.err;
    for (const auto& row : events_of(said.out, "failure"))
      out.push_back(row.at("key").get<std::string>() + ": " + row.at("message").get<std::string>());
    return out;
  }

  Trial trial_;
};

class EveryShape : public ImagesTest, public testing::WithParamInterface<Shape> {};

INSTANTIATE_TEST_SUITE_P(Of, EveryShape,
                         testing::Values(Shape{"keyset", "keyset", false}, Shape{"blocks", "blocks", false},
                                         Shape{"interleaved", "interleaved", false},
                                         Shape{"partitioned_keyset", "keyset", true},
                                         Shape{"partitioned_interleaved", "interleaved", true}),
                         [](const auto& of) { return std::string(of.param.name); });

TEST_P(EveryShape, GoesBackByteForByte) {
  make_orders(GetParam().is_partitioned);
  take_fill("keep = true\nwalk = \"" + std::string(GetParam().walk) + "\"");
  expect_verb("run", 0);
  ASSERT_EQ(changed_rows().size(), 2500u);
  ASSERT_EQ(db().number("SELECT count(*) FROM " + images_table()), 2500)
      << "an image for each changed row, no more";
  expect_verb("verify", 0);
  expect_verb("rollback", 0);
  EXPECT_THAT(changed_rows(), IsEmpty());
  EXPECT_EQ(images_table(), "") << "nothing is left to undo, so the images are freed";
  expect_verb("run", 0);  // anew
  EXPECT_EQ(changed_rows().size(), 2500u);
  expect_verb("rollback", 0);
  EXPECT_THAT(changed_rows(), IsEmpty());
}

TEST_F(ImagesTest, WhatTheApplicationChangedSinceIsKeptAndNamed) {
  make_orders(false);
  take_fill();
  expect_verb("run", 0);
  db().exec("UPDATE orders SET note = 'ours' WHERE id IN (600, 601)");
  db().exec("DELETE FROM orders WHERE id = 700");
  db().exec("UPDATE orders SET id = 9000 WHERE id = 800");
  db().exec(
      "UPDATE orders o SET (price, note, doc, place, tags, flag, two, wide) = (SELECT price, note, doc, "
      "place, tags, "
      "flag, two, wide FROM before b WHERE b.id = o.id) WHERE id = 900");  // has its old value again
  const auto back = trial_.verb("rollback");
  ASSERT_EQ(back.code(), 0) << back.err;
  EXPECT_THAT(summary_of(back).at("reason").get<std::string>(),
              HasSubstr("4 rows were changed since or are gone"));
  EXPECT_THAT(changed_rows(), UnorderedElementsAre("600", "601", "700", "800", "9000"));
  EXPECT_THAT(failures(), UnorderedElementsAre("(600, n): its value was changed since, and is kept",
                                               "(601, s): its value was changed since, and is kept",
                                               "(700, n): the row is gone: deleted, or its key changed",
                                               "(800, n): the row is gone: deleted, or its key changed"));
}

TEST_F(ImagesTest, ForceOverwritesWhatWasChangedSince) {
  make_orders(false);
  take_fill();
  expect_verb("run", 0);
  db().exec("UPDATE orders SET note = 'ours' WHERE id = 600");
  expect_verb("rollback", 0, {"--force"});
  EXPECT_THAT(changed_rows(), IsEmpty());
}

// A row that begins to match again is changed again: its oldest value that is ours goes back.
TEST_F(ImagesTest, SeveralImagesOfARowAreJoined) {
  make_orders(false);
  take_fill();
  expect_verb("run", 0);
  const auto images = images_table();
  // As a second and third batch would have left them: row 600 twice by us alone; row 601 with a value of the
  // application's between.
  const auto again = [&](const std::string& id, const std::string& old_note, const std::string& new_note) {
    db().exec("INSERT INTO " + images +
              " SELECT (n & -65536) | ((n & 7) << 13) | ((n & 65535) >> 3), k1, k2, n1, " + old_note +
              ", n3, n4, n5, n6, n7, n8, n1, " + new_note + ", n3, n4, n5, n6, n7, n8 FROM " + images +
              ", nextval('pgsluice." + images.substr(images.find("image")) +
              "_number') AS n WHERE k1 = " + id + " AND n2 NOT LIKE 'third%'");
    db().exec("UPDATE orders SET note = " + new_note + " WHERE id = " + id);
  };
  again("600", "n2", "'second'");
  again("601", "'application'", "'third'");
  expect_verb("rollback", 0);
  EXPECT_THAT(changed_rows(), ElementsAre("601"));
  EXPECT_EQ(db().text("SELECT note FROM orders WHERE id = 601"), "application");
  EXPECT_THAT(failures(), IsEmpty());
}

TEST_F(ImagesTest, ATriggerThatAltersTheWayBackIsFoundOut) {
  make_orders(false);
  take_fill();
  expect_verb("run", 0);
  db().exec(
      "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id = 600 THEN NEW.note := "
      "'spoilt'; "
      "END IF; RETURN NEW; END $$;"
      "CREATE TRIGGER spoil BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION spoil()");
  const auto back = trial_.verb("rollback");
  ASSERT_EQ(back.code(), 0) << back.err;
  EXPECT_THAT(back.out, HasSubstr("fires trigger"));
  EXPECT_THAT(changed_rows(), ElementsAre("600"));
  EXPECT_THAT(failures(), ElementsAre(HasSubstr("(600, n): ")));
}

TEST_F(ImagesTest, AnOldValueThatTheTableRefusesIsNamed) {
  make_orders(false);
  take_fill("keep = true\n");
  expect_verb("run", 0);
  db().exec("ALTER TABLE orders ADD CHECK (note <> 'note 600') NOT VALID");
  const auto stopped = trial_.verb("rollback");
  EXPECT_EQ(stopped.code(), 1) << stopped.out;
  EXPECT_EQ(db().text("SELECT state FROM pgsluice.job"), "rolling back");
  expect_verb("run", 5);  // no run beside a rollback that is not finished
  const auto name = db().text("SELECT name FROM pgsluice.job");
  expect_verb("set", 0, {"max_quarantined=5"});
  const auto back = trial_.verb("rollback");
  EXPECT_EQ(back.code(), 3) << back.err;
  EXPECT_THAT(changed_rows(), ElementsAre("600"));
  EXPECT_THAT(failures(), ElementsAre(HasSubstr("(600, n): ")));
}

TEST_F(ImagesTest, WhatCannotBeToldApartIsRefused) {
  db().exec(
      "CREATE TABLE orders (id int, price int); INSERT INTO orders SELECT g, 0 FROM generate_series(1, 10) "
      "g");
  trial_.job(backfill_job("orders", "price = \"1\"", "where = \"price = 0\"\nkeep = true"));
  const auto refused = refusal_of(trial_.run());
  EXPECT_EQ(refused.code, 5);
  EXPECT_THAT(refused.message, HasSubstr("cannot keep before-images"));
  EXPECT_EQ(db().number("SELECT count(*) FROM orders WHERE price = 1"), 0);
}

TEST_F(ImagesTest, FreedImagesMakeRollbackImpossibleAndSaySo) {
  make_orders(false);
  take_fill();
  expect_verb("run", 0);
  const auto status = trial_.verb("status");
  EXPECT_GT(Json::parse(status.out).at("jobs").at(0).at("steps").at(0).at("undo_bytes").get<int>(), 0)
      << status.out;
  expect_verb("drop-undo", 5);  // no terminal, no --yes
  expect_verb("drop-undo", 0, {"--yes"});
  EXPECT_EQ(images_table(), "");
  const auto refused = refusal_of(trial_.verb("rollback"));
  EXPECT_EQ(refused.code, 5);
  EXPECT_THAT(refused.message, HasSubstr("its before-images were freed"));
  EXPECT_EQ(changed_rows().size(), 2500u);
}

TEST_F(ImagesTest, AreFreedWhenTheirTimeIsOver) {
  make_orders(false);
  take_fill("keep = \"30d\"");
  expect_verb("run", 0);
  expect_verb("run", 0);
  ASSERT_NE(images_table(), "");
  db().exec("UPDATE pgsluice.step SET ended_at = ended_at - interval '30 days'");
  expect_verb("run", 0);
  EXPECT_EQ(images_table(), "");
}

TEST_F(ImagesTest, AColumnThatChangedItsTypeIsRefusedBeforeAnythingIsTouched) {
  make_orders(false);
  take_fill();
  expect_verb("run", 0);
  db().exec("ALTER TABLE orders ALTER price TYPE float8");
  const auto refused = refusal_of(trial_.verb("rollback"));
  EXPECT_EQ(refused.code, 5);
  EXPECT_THAT(refused.message, HasSubstr("column \"price\" of table \"public\".\"orders\" has another type"));
  EXPECT_EQ(db().text("SELECT state FROM pgsluice.job"), "done");
}

// While a batch waits for a row, its key changes within the batch's range: plain UPDATE would follow it.
TEST_F(ImagesTest, ARowWhoseKeyChangesUnderTheBatchIsChangedAndImaged) {
  db().exec(
      "CREATE TABLE orders (id int PRIMARY KEY, price int);"
      "INSERT INTO orders SELECT g * 10, 0 FROM generate_series(1, 100) g; ANALYZE");
  trial_.job(backfill_job("orders", "price = \"price + 1\"",
                          "where = \"price = 0\"\nkeep = true\nwalk = \"keyset\"",
                          "[throttle]\nlock_wait = \"2s\""));
  Db other(trial_.dsn());
  other.exec("BEGIN; UPDATE orders SET id = 505 WHERE id = 500");
  Process run(trial_.command("run"));
  wait_for(
      [&] {
        return db().number(
                   "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = "
                   "current_database()") > 0;
      },
      "the batch to wait for the row");
  other.exec("COMMIT");
  EXPECT_EQ(run.wait().code, 0) << run.err();
  EXPECT_EQ(db().number("SELECT count(*) FROM orders WHERE price <> 1"), 0);
  expect_verb("rollback", 0);
  EXPECT_EQ(db().number("SELECT count(*) FROM orders WHERE price <> 0"), 0);
}

// Rows that the fill could not change are no concern of a rollback that drops their column.
TEST_F(ImagesTest, WhatTheFillQuarantinedIsForgottenWithTheStep) {
  db().exec(
      "CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders SELECT g, g::text FROM "
      "generate_series(1, 100) g; UPDATE orders SET note = 'x' WHERE id IN (3, 70)");
  trial_.job(
      "name = \"fill\"\nmax_quarantined = 5\n[[step]]\nkind = \"sql\"\nname = \"add\"\n"
      "up = \"ALTER TABLE orders ADD size int\"\ndown = \"ALTER TABLE orders DROP COLUMN size\"\n"
      "[[step]]\nkind = \"backfill\"\nname = \"fill\"\ntable = \"orders\"\nset = { size = \"note::int\" }\n"
      "where = \"size IS NULL\"\n");
  expect_verb("run", 3);
  EXPECT_EQ(failures().size(), 2u);
  expect_verb("rollback", 0);
  EXPECT_THAT(failures(), IsEmpty());
}

// Images name rows by the key that they were written along, whatever key the table gets later.
TEST_F(ImagesTest, AKeyThatIsAddedLaterDoesNotMixUpTheRows) {
  db().exec(
      "CREATE TABLE orders (id int NOT NULL, ref int NOT NULL UNIQUE, note text);"
      "INSERT INTO orders SELECT g, 1001 - g, 'was ' || g FROM generate_series(1, 1000) g; ANALYZE");
  trial_.job(backfill_job("orders", "note = \"'now'\"", "where = \"note <> 'now'\"\nkeep = true"));
  expect_verb("run", 0);
  db().exec("ALTER TABLE orders ADD PRIMARY KEY (id)");
  expect_verb("rollback", 0);
  EXPECT_EQ(db().number("SELECT count(*) FROM orders WHERE note <> 'was ' || id"), 0);
}

TEST_F(ImagesTest, ARenamedColumnGetsItsOldValuesAndItsSuccessorNone) {
  db().exec(
      "CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders SELECT g, 'was ' || g FROM "
      "generate_series(1, 100) g; ANALYZE");
  trial_.job(backfill_job("orders", "note = \"'now'\"", "where = \"note <> 'now'\"\nkeep = true"));
  expect_verb("run", 0);
  db().exec("ALTER TABLE orders RENAME note TO remark; ALTER TABLE orders ADD note text DEFAULT 'now'");
  expect_verb("rollback", 0);
  EXPECT_EQ(db().number("SELECT count(*) FROM orders WHERE remark <> 'was ' || id OR note <> 'now'"), 0);
}

TEST_F(ImagesTest, AColumnThatWasThereBeforeIsNoReasonToForgetOldValues) {
  db().exec(
      "CREATE TABLE orders (id int PRIMARY KEY, size int); INSERT INTO orders SELECT g, g FROM "
      "generate_series(1, 100) g; ANALYZE");
  trial_.job(
      "name = \"fill\"\n[[step]]\nkind = \"sql\"\nname = \"add\"\nup = \"ALTER TABLE orders ADD COLUMN size "
      "int\"\n"
      "down = \"ALTER TABLE orders DROP COLUMN size\"\n[[step]]\nkind = \"backfill\"\nname = \"fill\"\n"
      "table = \"orders\"\nset = { size = -1 }\nwhere = \"size > 0\"\nkeep = true\n");
  expect_verb("run", 0);
  ASSERT_EQ(db().number("SELECT count(*) FROM orders WHERE size = -1"), 100);
  expect_verb("rollback", 0);
  EXPECT_EQ(db().number("SELECT count(*) FROM orders WHERE size <> id"), 0);
}

// The operator restored by hand and says so: images of the former life may not come back.
TEST_F(ImagesTest, AStepThatIsSaidToBeRolledBackBeginsWithNoImages) {
  db().exec(
      "CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders SELECT g, 'was ' || g FROM "
      "generate_series(1, 500) g; ANALYZE");
  trial_.job(backfill_job("orders", "note = \"'now'\"", "where = \"note <> 'now'\"\nkeep = true"));
  expect_verb("run", 0);
  db().exec("UPDATE orders SET note = 'was ' || id");
  ASSERT_EQ(trial_.verb("resolve", {"fill", "--rolled-back"}).code(), 0);
  EXPECT_EQ(images_table(), "");
  db().exec("UPDATE orders SET note = 'now' WHERE id <= 50");
  expect_verb("run", 0);
  expect_verb("rollback", 0);
  EXPECT_EQ(db().number("SELECT count(*) FROM orders WHERE note = 'now'"), 50) << "the application's own";
  EXPECT_EQ(db().number("SELECT count(*) FROM orders WHERE note = 'was ' || id"), 450);
}

TEST_F(ImagesTest, ATriggerThatKeepsOldValuesOutIsAFault) {
  db().exec(
      "CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders SELECT g, 'was ' || g FROM "
      "generate_series(1, 100) g; ANALYZE");
  trial_.job(backfill_job("orders", "note = \"'now'\"", "where = \"note <> 'now'\"\nkeep = true"));
  expect_verb("run", 0);
  db().exec(
      "CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN NEW.id > 40 THEN "
      "NEW END; "
      "END $$; CREATE TRIGGER skip BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION skip()");
  expect_verb("rollback", 3);
  EXPECT_EQ(failures().size(), 40u);
  EXPECT_THAT(failures().front(), HasSubstr("a trigger kept the old value out"));
  EXPECT_NE(images_table(), "") << "the old values are nowhere else";
  expect_verb("run", 0);  // anew
  EXPECT_EQ(db().number("SELECT count(*) FROM orders WHERE note <> 'now'"), 0);
}

// Two rollbacks that start together: one begins, the other joins; none gives the job back.
TEST_F(ImagesTest, TwoRollbacksAtOnceLeaveTheJobRolledBack) {
  db().exec(
      "CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders SELECT g, 'was ' || g FROM "
      "generate_series(1, 3000) g; ANALYZE");
  trial_.job(backfill_job("orders", "note = \"'now'\"", "where = \"note <> 'now'\"\nkeep = true"));
  for (int i = 0; i < (long_run() ? 10 : 3); ++i) {
    expect_verb("run", 0);
    Process one(trial_.command("rollback", {"--wait", "30s"}));
    Process two(trial_.command("rollback", {"--wait", "30s"}));
    EXPECT_EQ(one.wait().code, 0) << one.out() << one.err();
    EXPECT_EQ(two.wait().code, 0) << two.out() << two.err();
    EXPECT_EQ(db().text("SELECT state FROM pgsluice.job"), "rolled back");
    EXPECT_EQ(db().number("SELECT count(*) FROM orders WHERE note <> 'was ' || id"), 0);
  }
}

}  // namespace
}  // namespace pgsluice::test
