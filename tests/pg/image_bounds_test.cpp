// Goal: before-images at the edge of what a table or a role allows either work or are refused by name before
// the first write; a rollback that was interrupted is finished as the operator now wants it. Method: the real
// program on tables made for one edge each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/trial.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class ImageBounds : public testing::Test {
 protected:
  Db& db() { return trial_.db(); }

  void expect_verb(const std::string& verb, int code, const std::vector<std::string>& args = {}) {
    const auto done = trial_.verb(verb, args);
    ASSERT_EQ(done.code(), code) << done.out << done.err;
  }

  /// Is killed at the failpoint.
  void kill_at(const std::string& verb, const std::string& failpoint) {
    auto command = trial_.command(verb);
    command.env["PGSLUICE_FAILPOINT"] = failpoint;
    Process process(command);
    ASSERT_EQ(process.wait().signal, SIGKILL) << process.err();
  }

  std::vector<std::string> failures() {
    std::vector<std::string> out;
    for (const auto& row : events_of(trial_.verb("failures").out, "failure"))
      out.push_back(row.at("key").get<std::string>() + ": " + row.at("message").get<std::string>());
    return out;
  }

  /// `orders` with that many columns c1, c2, … beside its key, all 0; a job that sets all of them.
  void take_columns(int count, const std::string& type, const std::string& rest = {}) {
    std::string columns;
    std::string set;
    for (int i = 1; i <= count; ++i) {
      const auto name = "c" + std::to_string(i);
      columns += ", " + name + " " + type + " NOT NULL DEFAULT 0";
      set += (set.empty() ? "" : ", ") + name + " = \"" + name + " + 1\"";
    }
    db().exec("CREATE TABLE orders (id int PRIMARY KEY" + columns + ");" +
              "INSERT INTO orders SELECT generate_series(1, 20); ANALYZE");
    trial_.job(backfill_job("orders", set, "where = \"c1 = 0\"\nkeep = true\n" + rest));
  }

  void expect_refused(const std::string& words) {
    const auto checked = trial_.verb("check");
    EXPECT_EQ(checked.code(), 5) << checked.out;
    EXPECT_THAT(checked.out, HasSubstr("cannot keep before-images"));
    const auto refused = refusal_of(trial_.run());
    EXPECT_EQ(refused.code, 5);
    EXPECT_THAT(refused.message, HasSubstr(words));
    EXPECT_TRUE(trial_.is_untouched());
  }

  Trial trial_;
};

// A key of text that its own index just takes, and one with a number before it would not.
TEST_F(ImageBounds, ARowWhoseKeyFillsItsIndexIsNamed) {
  db().exec(
      "CREATE TABLE orders (id text PRIMARY KEY, n int, note text);"
      "ALTER TABLE orders ALTER id SET STORAGE EXTERNAL;"
      "INSERT INTO orders SELECT left((SELECT string_agg(encode(sha512((g || '-' || i)::bytea), 'base64'), "
      "'') FROM generate_series(1, 40) i), 2690), g, 'was ' || g FROM generate_series(1, 300) g; ANALYZE");
  trial_.job(backfill_job("orders", "note = \"'now'\"", "where = \"note <> 'now'\"\nkeep = true"));
  expect_verb("run", 0);
  db().exec("UPDATE orders SET note = 'ours' WHERE n IN (7, 8)");
  expect_verb("rollback", 0);
  EXPECT_EQ(failures().size(), 2u);
  EXPECT_EQ(db().number("SELECT count(*) FROM orders WHERE note <> 'was ' || n"), 2);
  EXPECT_EQ(db().number("SELECT count(*) FROM pgsluice.quarantine q JOIN orders o ON q.key = ARRAY[o.id]"),
            2);
}

TEST_F(ImageBounds, ARowWhoseKeyFillsItsIndexIsQuarantinedByTheFill) {
  db().exec(
      "CREATE TABLE orders (id text PRIMARY KEY, n int, note text);"
      "ALTER TABLE orders ALTER id SET STORAGE EXTERNAL;"
      "INSERT INTO orders SELECT left((SELECT string_agg(encode(sha512((g || '-' || i)::bytea), 'base64'), "
      "'') FROM generate_series(1, 40) i), 2690), g FROM generate_series(1, 50) g; ANALYZE");
  trial_.job(
      backfill_job("orders", "note = \"1 / (n - 7)\"", "where = \"note IS NULL\"", "max_quarantined = 1"));
  expect_verb("run", 3);
  EXPECT_THAT(failures(), ElementsAre(HasSubstr("division by zero")));
}

// A ledger of format 7 kept its quarantined rows unique by their keys.
TEST_F(ImageBounds, AnOlderLedgerIsUpgradedToNameAnyKey) {
  db().exec(
      "CREATE TABLE orders (id int PRIMARY KEY, n int); INSERT INTO orders SELECT g FROM "
      "generate_series(1, 20) g; ANALYZE");
  trial_.job(backfill_job("orders", "n = \"1 / (id - 7)\"", "where = \"n IS NULL\"", "max_quarantined = 1"));
  expect_verb("run", 3);
  db().exec(
      "DROP INDEX pgsluice.quarantine_row; ALTER TABLE pgsluice.quarantine DROP COLUMN row_id, ADD PRIMARY "
      "KEY "
      "(step_id, key); UPDATE pgsluice.meta SET schema_version = 7");
  expect_verb("run", 3);
  EXPECT_EQ(db().number("SELECT schema_version FROM pgsluice.meta"), 9);
  EXPECT_EQ(db().column(
                "SELECT relname::text FROM pg_index i JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = "
                "'pgsluice.quarantine'::regclass ORDER BY 1"),
            (std::vector<std::string>{"quarantine_pkey", "quarantine_row"}));
  EXPECT_EQ(failures().size(), 1u);
}

// The number of an image is its row's here; places 1, 2 and 3 are those of rows 8, 16 and 24.
TEST_F(ImageBounds, ForceComesBackToRowsThatAnInterruptedRollbackNamed) {
  db().exec(
      "CREATE COLLATION level2 (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
      "CREATE TABLE orders (id int, part text COLLATE level2 DEFAULT 'aB', note text, PRIMARY KEY (id, "
      "part));"
      "INSERT INTO orders (id, note) SELECT g, 'was ' || g FROM generate_series(1, 3000) g; ANALYZE");
  trial_.job(backfill_job(
      "orders", "note = \"'now'\"", "where = \"note <> 'now'\"\nkeep = true\nwalk = \"keyset\"",
      "[batch]\ntarget = \"100ms\"\nrows = 100\nrows_min = 100\nrows_max = 100\n[pool]\nlanes = 1"));
  expect_verb("run", 0);
  db().exec("UPDATE orders SET note = 'ours' WHERE id IN (8, 16); DELETE FROM orders WHERE id = 32");
  kill_at("rollback", "after_commit:5");
  ASSERT_EQ(failures().size(), 3u);
  ASSERT_EQ(db().text("SELECT note FROM orders WHERE id = 24"), "was 24");
  ASSERT_GT(db().number("SELECT count(*) FROM orders WHERE note = 'now'"), 0);
  db().exec("UPDATE orders SET note = 'after the way back' WHERE id = 24");
  expect_verb("rollback", 0, {"--force"});
  EXPECT_THAT(db().column("SELECT note FROM orders WHERE note <> 'was ' || id"),
              ElementsAre("after the way back"))
      << "a row that was restored once is the application's again";
  EXPECT_THAT(failures(), ElementsAre(HasSubstr("(32, aB): the row is gone")));
}

// The batch reads 0, waits for whoever writes 7, and must not keep the 0.
TEST_F(ImageBounds, AValueThatOthersWriteUnderTheBatchIsTheOneThatGoesBack) {
  for (const std::string walk : {"keyset", "interleaved"}) {
    db().exec(
        "DROP TABLE IF EXISTS orders; DROP SCHEMA IF EXISTS pgsluice CASCADE; CREATE TABLE orders (id int "
        "PRIMARY KEY, price int);"
        "INSERT INTO orders SELECT g, 0 FROM generate_series(1, 1000) g; ANALYZE");
    trial_.job(backfill_job("orders", "price = \"price + 100\"",
                            "where = \"price < 100\"\nkeep = true\nwalk = \"" + walk + "\"",
                            "[throttle]\nlock_wait = \"2s\""));
    Db other(trial_.dsn());
    other.exec("BEGIN; UPDATE orders SET price = 7 WHERE id = 500");
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
    EXPECT_EQ(db().number("SELECT sum(price - 100) FROM orders WHERE price >= 100"), 7) << walk;
    expect_verb("rollback", 0);
    EXPECT_EQ(db().number("SELECT sum(price) FROM orders"), 7) << walk;
    EXPECT_THAT(failures(), IsEmpty());
  }
}

TEST_F(ImageBounds, NamesThatBatchesUseThemselvesAreRefused) {
  db().exec("CREATE TABLE orders (id int PRIMARY KEY, \"pgsluice k1\" int DEFAULT 0)");
  trial_.job(backfill_job("orders", "'\"pgsluice k1\"' = \"1\"", "keep = true"));
  expect_refused("the name of column \"pgsluice k1\" of table \"public\".\"orders\"");
  trial_.job(backfill_job("orders", "'\"pgsluice k1\"' = \"1\""));
  expect_verb("run", 0);
}

TEST_F(ImageBounds, ATableOfSuchANameIsRefused) {
  db().exec("CREATE TABLE \"pgsluice old\" (id int PRIMARY KEY, n int)");
  trial_.job(backfill_job("\"pgsluice old\"", "n = \"1\"", "keep = true"));
  expect_refused("the name of table \"public\".\"pgsluice old\"");
}

TEST_F(ImageBounds, AsManyColumnsAsATableMayHaveGoBack) {
  take_columns(799, "int2");
  expect_verb("run", 0);
  ASSERT_EQ(db().number("SELECT sum(c1 + c799) FROM orders"), 40);
  expect_verb("rollback", 0);
  EXPECT_EQ(db().number("SELECT sum(c1 + c799) FROM orders"), 0);
}

TEST_F(ImageBounds, MoreColumnsThanATableMayHaveAreRefused) {
  take_columns(800, "int2");
  expect_refused("columns and the key take 1602 columns, and a table has at most 1600");
}

TEST_F(ImageBounds, AnImageThatIsWiderThanAPageIsRefused) {
  take_columns(600, "int8");
  expect_refused("an image takes at least 9636 bytes, and a row has at most 8160");
}

TEST_F(ImageBounds, ARoleThatMayNotCreateTheImagesIsToldBeforeTheFirstWrite) {
  const auto role = trial_.make_role("runner");
  db().exec(
      "CREATE TABLE orders (id int PRIMARY KEY, n int); CREATE TABLE first (id int); ALTER TABLE "
      "orders OWNER TO " +
      role + "; ALTER TABLE first OWNER TO " + role);
  trial_.job(
      "name = \"made\"\n[[step]]\nkind = \"verify\"\nname = \"one\"\nquery = \"SELECT 1\"\nexpect = "
      "\"1\"\n");
  expect_verb("run", 0);  // the ledger is the superuser's
  db().exec("GRANT USAGE ON SCHEMA pgsluice TO " + role +
            "; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA pgsluice TO " + role);
  trial_.connect_as(trial_.dsn(role));
  trial_.job(
      "name = \"fill\"\n[[step]]\nkind = \"sql\"\nname = \"add\"\nup = \"ALTER TABLE first ADD m int\"\n"
      "[[step]]\nkind = \"backfill\"\nname = \"fill\"\ntable = \"orders\"\nset = { n = 1 }\nkeep = true\n");
  const auto checked = trial_.verb("check");
  EXPECT_EQ(checked.code(), 77) << checked.out;
  EXPECT_THAT(checked.out, HasSubstr("GRANT CREATE ON SCHEMA"));
  expect_verb("run", 77);
  EXPECT_EQ(
      db().number("SELECT count(*) FROM pg_attribute WHERE attrelid = 'first'::regclass AND attnum > 0"), 1)
      << "nothing was changed";
  db().exec("GRANT CREATE ON SCHEMA pgsluice TO " + role);
  expect_verb("run", 0);
}

TEST_F(ImageBounds, ARowOfADetachedPartitionIsNotSaidToBeDeleted) {
  db().exec(
      "CREATE TABLE orders (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);"
      "CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (1) TO (3);"
      "CREATE TABLE orders_2 PARTITION OF orders FOR VALUES FROM (3) TO (9);"
      "INSERT INTO orders SELECT g, 0 FROM generate_series(1, 8) g; ANALYZE");
  trial_.job(backfill_job("orders", "n = \"1\"", "where = \"n = 0\"\nkeep = true"));
  expect_verb("run", 0);
  db().exec("ALTER TABLE orders DETACH PARTITION orders_1");
  expect_verb("rollback", 0);
  EXPECT_THAT(failures(), UnorderedElementsAre(AllOf(HasSubstr("1: "), HasSubstr("its partition detached")),
                                               AllOf(HasSubstr("2: "), HasSubstr("its partition detached"))));
  EXPECT_EQ(db().number("SELECT sum(n) FROM orders"), 0);
}

TEST_F(ImageBounds, AStepIsResolvedRightAfterItsRunWasKilled) {
  db().exec(
      "CREATE TABLE orders (id int PRIMARY KEY, n int); INSERT INTO orders SELECT g, 0 FROM "
      "generate_series(1, 100) g; ANALYZE");
  trial_.job(backfill_job("orders", "n = \"1\"", "where = \"n = 0\"\nkeep = true"));
  kill_at("run", "after_update:1");
  expect_verb("resolve", 0, {"fill", "--rolled-back"});
}

}  // namespace
}  // namespace pgsluice::test
