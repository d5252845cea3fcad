// Goal: tables that refer to each other are followed and switched together, whatever their writers do beside
// the copy: no row comes before the one that it refers to, none is left out. Method: the real program beside
// pgbench, foreign keys on both sides, killed at named places; all tables compared after the switch.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/follow_trial.hpp"
#include "support/environment.hpp"
#include "support/pgbench.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

// New families come, orders move to the newest customer, everything goes again, keys change.
constexpr const char* kFamilies = R"sql(
\set new random(10001, 2000000000)
\set old random(1, :rows)
BEGIN;
INSERT INTO customers VALUES (:new, 'new');
INSERT INTO orders VALUES (:new, :new, 'new');
INSERT INTO lines VALUES (:new, :new, 1), (:new, :new, 2);
UPDATE orders SET customer_id = :new, note = 'moved' WHERE id = :old;
UPDATE customers SET name = 'changed' WHERE id = :old;
END;
BEGIN;
DELETE FROM lines WHERE order_id = :old AND :old % 3 = 0;
DELETE FROM orders WHERE id = :old AND :old % 3 = 0;
DELETE FROM customers c WHERE id = :old AND NOT EXISTS (SELECT FROM orders WHERE customer_id = c.id);
END;
)sql";

class FollowTables : public ::testing::Test {
 protected:
  static constexpr int kRows = 1'500;

  void make(const std::string& deferrable = {}) {
    follow_.copy().both(
        "CREATE TABLE customers (id bigint PRIMARY KEY, name text);"
        "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES "
        "customers " +
        deferrable +
        ", note text);"
        "CREATE TABLE lines (order_id bigint REFERENCES orders " +
        deferrable + ", part bigint, number int, PRIMARY KEY (order_id, number))");
    const auto all = " FROM generate_series(1, " + std::to_string(kRows) + ") g;";
    follow_.source().exec("INSERT INTO customers SELECT g, 'customer ' || g" + all +
                          "INSERT INTO orders SELECT g, g, 'order ' || g" + all +
                          "INSERT INTO lines SELECT g, g, 1" + all + "ANALYZE");
    job();
  }

  void job() {
    follow_.copy().trial().job("name = \"copied\"\n" + std::string(CopyTrial::kSmallBatches) +
                               "\n[[step]]\nkind = \"copy\"\nname = \"move\"\nfrom = { dsn = \"" +
                               follow_.copy().source_dsn() +
                               "\" }\ntables = [\"lines\", \"orders\", \"customers\"]\nfollow = true\n");
  }

  Pgbench families() {
    return Pgbench({.dsn = follow_.copy().source_dsn(),
                    .script = kFamilies,
                    .clients = 2,
                    .rate = 100,
                    .max_tries = 100,
                    .variables = {{"rows", std::to_string(kRows)}}});
  }

  void expect_same() {
    for (const std::string table : {"customers", "orders", "lines"}) {
      SCOPED_TRACE(table);
      follow_.copy().expect_same("TABLE " + table);
    }
  }

  void follow_and_switch_beside_writers() {
    auto traffic = families();
    const auto run = follow_.start();
    follow_.await_following(*run);
    const auto asked = follow_.ask_switch("30s");
    EXPECT_EQ(asked.code(), 0) << asked.out << asked.err;
    traffic.stop();
    EXPECT_EQ(run->wait(2 * kPatience).code, 0) << run->out() << run->err();
    expect_same();
    EXPECT_EQ(count("triggers"), 6);
    EXPECT_EQ(count("queues"), 0);
  }

  /// Of ours at the source.
  std::int64_t count(const std::string& what) {
    if (what == "triggers")
      return follow_.source().number("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pgsluice%'");
    return follow_.source().number(
        "SELECT count(*) FROM pg_class WHERE relnamespace = "
        "to_regnamespace('pgsluice') AND relkind IN ('r', 'S')");
  }

  FollowTrial follow_;
};

TEST_F(FollowTables, BringsFamiliesTogetherBesideWriters) {
  make();
  follow_and_switch_beside_writers();
}

TEST_F(FollowTables, BringsFamiliesTogetherWhereForeignKeysAreDeferred) {
  make("DEFERRABLE INITIALLY DEFERRED");
  follow_and_switch_beside_writers();
}

TEST_F(FollowTables, BringsFamiliesTogetherWhereRowsGoWithTheirParents) {
  make("ON DELETE CASCADE");
  follow_and_switch_beside_writers();
}

TEST_F(FollowTables, BringsFamiliesOnceWhereverTheProgramDies) {
  make();
  auto traffic = families();
  std::vector<std::string> places{"follow_installed", "copy_read:7", "after_step:1", "copy_read:9",
                                  "after_step:1",     "copy_read:3", "after_step:1"};
  for (const std::string place : {"follow_read", "follow_written", "follow_applied", "follow_acknowledged"})
    places.push_back(place + ":2");
  for (const auto& place : places) {
    SCOPED_TRACE(place);
    const auto died = follow_.start(place);
    EXPECT_EQ(died->wait(2 * kPatience).signal, SIGKILL) << died->out() << died->err();
  }
  const auto run = follow_.start();
  follow_.await_following(*run);
  wait_for([&] { return !run->running() || follow_.ask_switch("30s").code() == 0; }, 2 * kPatience,
           "the switch");
  traffic.stop();
  EXPECT_EQ(run->wait(2 * kPatience).code, 0) << run->out() << run->err();
  expect_same();
}

// What the oldest entry's row refers to by now comes with one of the last; and what it referred to before may
// not take it along.
TEST_F(FollowTables, PutsARowOffUntilWhatItRefersToHasCome) {
  make("ON DELETE CASCADE");
  {
    const auto run = follow_.start();
    follow_.await_caught_up(*run);
    follow_.stop(*run);
  }
  follow_.source().exec(
      "UPDATE orders SET note = 'first' WHERE id = 1; UPDATE customers SET name = '' WHERE id = 1");
  follow_.source().exec("UPDATE customers SET name = 'one of many'");
  follow_.source().exec("INSERT INTO customers VALUES (5000, 'last')");
  follow_.source().exec(
      "UPDATE orders SET customer_id = 5000 WHERE id = 1; DELETE FROM customers WHERE id = 1");
  const auto run = follow_.start();
  follow_.await_caught_up(*run);
  expect_same();
  follow_.expect_switch(*run);
}

TEST_F(FollowTables, SwitchesAllOrNone) {
  make();
  const auto run = follow_.start();
  follow_.await_following(*run);
  Db writer(follow_.copy().source_dsn());
  writer.exec("BEGIN; UPDATE lines SET part = 0 WHERE number = 1 AND order_id = 5");
  Process asked(follow_.copy().trial().command("switch"));
  wait_for([&] { return !follow_.copy().trial().logged("batch_failed").empty() || !asked.running(); },
           "an attempt to lock all tables");
  follow_.source().exec("UPDATE customers SET name = 'still written' WHERE id = 1");
  writer.exec("COMMIT");
  EXPECT_EQ(asked.wait(2 * kPatience).code, 0) << asked.out() << asked.err();
  EXPECT_EQ(run->wait(2 * kPatience).code, 0) << run->out() << run->err();
  expect_same();
  for (const std::string write : {"DELETE FROM lines", "UPDATE orders SET note = ''",
                                  "INSERT INTO customers VALUES (-1)", "TRUNCATE lines"})
    EXPECT_THROW(follow_.source().exec(write), std::exception) << write;
  const auto back = follow_.copy().trial().verb("rollback");
  EXPECT_EQ(back.code(), 5) << back.out << back.err;
}

TEST_F(FollowTables, FindsAWrongRowOfAnyOfThemBeforeTheSwitch) {
  make();
  const auto run = follow_.start();
  follow_.await_following(*run);
  follow_.target().exec(
      "UPDATE lines SET part = 7 WHERE order_id = 9; DELETE FROM lines WHERE order_id = 10");
  const auto asked = follow_.ask_switch();
  EXPECT_EQ(asked.code(), 4) << asked.out << asked.err;
  EXPECT_THAT(refusal_of(asked).message, HasSubstr("\"lines\""));
  follow_.source().exec("UPDATE lines SET part = part WHERE order_id IN (9, 10)");
  follow_.expect_switch(*run);
  expect_same();
}

TEST_F(FollowTables, GoesBackBeforeTheSwitch) {
  make();
  const auto run = follow_.start();
  follow_.await_following(*run);
  EXPECT_EQ(count("queues"), 4);
  follow_.stop(*run);
  follow_.copy().expect("verify", 0);
  const auto plan = run_ok(follow_.copy().trial().text_command("plan"));
  for (const std::string table : {"changes_", "note_", "switched_"}) {
    SCOPED_TRACE(table);
    for (const std::string place : {"_1", "_2", "_3"})
      EXPECT_THAT(plan, ContainsRegex("\"" + table + "[0-9a-f]+" + place + "\""));
  }
  follow_.copy().expect("rollback", 0);
  EXPECT_EQ(count("queues"), 0);
  EXPECT_EQ(count("triggers"), 0);
  follow_.source().exec("TRUNCATE customers, orders, lines");
}

}  // namespace
}  // namespace pgsluice::test
