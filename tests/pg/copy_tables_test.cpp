// Goal: one copy step of several tables copies them in the order of their foreign keys, exactly once however
// often it is killed, and refuses a circle by name. Method: the real program, tables whose rows refer to each
// other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/copy_trial.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class CopyTables : public testing::Test {
 protected:
  void make_tables() {
    copy_.both(
        "CREATE TABLE users (id int PRIMARY KEY); CREATE TABLE orders (id int PRIMARY KEY, user_id int NOT "
        "NULL "
        "REFERENCES users); CREATE TABLE lines (order_id int REFERENCES orders, n int, PRIMARY KEY "
        "(order_id, n))");
    copy_.source().exec(
        "INSERT INTO users SELECT generate_series(1, 700); INSERT INTO orders SELECT g, g % 700 + 1 FROM "
        "generate_series(1, 900) g; INSERT INTO lines SELECT g, n FROM generate_series(1, 900) g, "
        "generate_series(1, 2) n");
    job("[\"lines\", \"orders\", \"users\"]");
  }
  void job(const std::string& tables, const std::string& rest = "") {
    copy_.trial().job(std::string("name = \"all\"\n") + CopyTrial::kSmallBatches +
                      "\n[[step]]\nkind = \"copy\"\nname = \"copy\"\nfrom = { dsn = \"" + copy_.source_dsn() +
                      "\" }\ntables = " + tables + "\n" + rest + "\n");
  }
  void expect_all_same() {
    for (const std::string table : {"users", "orders", "lines"}) copy_.expect_same("TABLE " + table);
  }

  CopyTrial copy_;
};

TEST_F(CopyTables, CopiesReferencedTablesFirst) {
  make_tables();
  copy_.expect("plan", 0);
  copy_.expect("check", 0);
  copy_.expect("run", 0);
  expect_all_same();
  copy_.expect("verify", 0);
  copy_.expect("run", 0);
  copy_.target().exec("DELETE FROM lines WHERE n = 2 AND order_id = 5");
  EXPECT_THAT(copy_.trial().verb("verify").out,
              AllOf(HasSubstr("copy: lines"), HasSubstr("row (5, 2) is missing")));
  copy_.expect("verify", 0, {"--repair"});
  expect_all_same();
}

TEST_F(CopyTables, HoldsWhenItIsKilledInEachTable) {
  make_tables();
  for (const std::string at : {"after_commit:5", "copy_read:12", "after_update:9", "after_position:20"}) {
    auto command = copy_.trial().command("run");
    command.env["PGSLUICE_FAILPOINT"] = at;
    EXPECT_EQ(run(command).exit.signal, SIGKILL) << at;
  }
  copy_.expect("run", 0);
  expect_all_same();
  EXPECT_EQ(copy_.trial().verb("rollback").code(), 5) << "nobody knows which rows are the copy's";
}

TEST_F(CopyTables, RefusesACircleByName) {
  make_tables();
  copy_.target().exec("ALTER TABLE users ADD last_order int REFERENCES orders");
  EXPECT_THAT(copy_.trial().verb("check").out, HasSubstr("tables orders, users refer to each other"));
  const auto done = copy_.trial().run();
  EXPECT_EQ(done.code(), 5);
  EXPECT_EQ(copy_.target().number("SELECT count(*) FROM users"), 0);
}

TEST_F(CopyTables, GoesBackWithTheTablesThatItsJobMade) {
  make_tables();
  copy_.target().exec("DROP TABLE lines, orders, users");
  copy_.trial().job(
      "name = \"all\"\n[[step]]\nkind = \"sql\"\nname = \"make\"\nup = \"CREATE TABLE users (id int PRIMARY "
      "KEY); "
      "CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users)\"\ndown = \"DROP TABLE orders, "
      "users\"\n[[step]]\nkind = \"copy\"\nname = \"copy\"\nfrom = { dsn = \"" +
      copy_.source_dsn() + "\" }\ntables = [\"orders\", \"users\"]\n");
  copy_.expect("plan", 0);
  copy_.expect("run", 0);
  copy_.expect_same("TABLE orders");
  copy_.expect("rollback", 0);
  EXPECT_TRUE(copy_.target().yes("SELECT to_regclass('orders') IS NULL"));
}

TEST_F(CopyTables, SaysWhatDoesNotGoWithThem) {
  make_tables();
  job("[\"users\", \"users\"]", "to = \"users\"\nkeep = true");
  const auto done = copy_.trial().run();
  EXPECT_EQ(done.code(), 78);
  EXPECT_THAT(done.out + done.err, AllOf(HasSubstr("to does not go with tables"), HasSubstr("keep does not"),
                                         HasSubstr("names table users twice")));
}

}  // namespace
}  // namespace pgsluice::test
