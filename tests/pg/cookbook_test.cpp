// Goal: the jobs of docs/cookbook.md do what the page says, on the table of its fixture. Method: the TOML of
// the page itself, so that the page cannot grow old.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "pg/shipped_job.hpp"
#include "support/environment.hpp"
#include "support/process.hpp"
#include "support/server_user.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using testing::HasSubstr;

/// The job files of the page, by their names.
std::map<std::string, std::string> recipes() {
  std::map<std::string, std::string> found;
  std::istringstream page(read_file(of_source("docs/cookbook.md")));
  std::string text;
  bool is_toml = false;
  for (std::string line; std::getline(page, line);) {
    if (line == "```toml") {
      is_toml = true;
      text.clear();
    } else if (line == "```" && is_toml) {
      is_toml = false;
      const auto begin = text.find('"') + 1;
      found[text.substr(begin, text.find('"', begin) - begin)] = text;
    } else if (is_toml) {
      text += line + "\n";
    }
  }
  return found;
}

class Cookbook : public testing::Test {
 protected:
  Cookbook() {
    run_ok({postgres_program("psql"),
            {"-XqAt", "-d", trial_.dsn(), "-v", "rows=10000", "-f", of_source("tests/fixtures/orders.sql")}},
           4 * kPatience);
  }

  void take(const std::string& name) {
    const auto all = recipes();
    ASSERT_TRUE(all.contains(name)) << name;
    trial_.job(all.at(name));
  }

  void expect_exit(int code, const std::string& verb) {
    const auto finished = trial_.verb(verb);
    EXPECT_EQ(finished.code(), code) << verb << finished.out << finished.err;
  }

  std::string orders() {
    return trial_.db().text("SELECT md5(string_agg(o::text, ',' ORDER BY id)) FROM orders o");
  }

  Trial trial_;
};

TEST_F(Cookbook, HasOnlyJobsThatCanBePlanned) {
  const auto all = recipes();
  EXPECT_GE(all.size(), 11U);
  for (const auto& [name, text] : all) {
    trial_.job(text);
    expect_exit(0, "plan");
  }
  EXPECT_TRUE(trial_.is_untouched());
}

TEST_F(Cookbook, JobsThatRunLeaveNothingBehindWhenTheyAreRolledBack) {
  const auto before = orders();
  for (const char* name :
       {"orders-channel", "orders-size", "orders-lower-numbers", "orders-emails", "orders-index"}) {
    SCOPED_TRACE(name);
    take(name);
    expect_exit(0, "run");
    expect_exit(0, "verify");
    expect_exit(0, "rollback");
    EXPECT_EQ(orders(), before);
  }
}

TEST_F(Cookbook, ConstraintsNameTheRowsThatBreakThemAndAreAddedOnceTheyAreMended) {
  const std::map<std::string, std::pair<std::string, std::string>> dirty{
      {"orders-amounts", {"(5), (2718)", "UPDATE orders SET amount_cents = 0 WHERE amount_cents < 0"}},
      {"orders-customer", {"3 rows", "UPDATE orders SET customer_id = NULL WHERE customer_id = 77777"}},
      {"orders-numbers",
       {"(A-399), (A-6999)", "UPDATE orders SET number = number || '-2' WHERE id IN (400, 7000)"}}};
  for (const auto& [name, row] : dirty) {
    SCOPED_TRACE(name);
    take(name);
    const auto finished = trial_.run();
    EXPECT_EQ(finished.code(), 4) << finished.out << finished.err;
    EXPECT_THAT(refusal_of(finished).message, HasSubstr(row.first));
    EXPECT_THAT(run_ok(trial_.text_command("failures")), HasSubstr("breaks the constraint"));
    trial_.db().exec(row.second);
    expect_exit(0, "run");
    expect_exit(0, "rollback");
  }
}

TEST_F(Cookbook, RowsThatCannotBeChangedAreSetAside) {
  take("orders-root");
  expect_exit(3, "run");
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM orders WHERE root IS NULL"), 2);
  EXPECT_THAT(run_ok(trial_.text_command("failures")), HasSubstr("square root"));
}

TEST_F(Cookbook, OldRowsGoToTheirArchive) {
  trial_.db().exec("UPDATE orders SET placed_at = now() WHERE id > 6000");
  const auto young = trial_.db().number("SELECT count(*) FROM orders WHERE id > 6000");
  take("orders-purge");
  expect_exit(0, "run");
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM orders"), young);
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM orders_archive WHERE placed_at < '2020-01-01'"),
            10'000 - young);
  expect_exit(0, "verify");
  expect_exit(5, "rollback");
}

TEST_F(Cookbook, ATableMovesWhileItIsWritten) {
  take("orders-move");
  Process run(trial_.command("run"));
  const std::string following =
      "SELECT to_regclass('pgsluice.follow') IS NOT NULL AND EXISTS (SELECT FROM pgsluice.step WHERE state = "
      "'running' AND part = 'follow')";
  wait_for(
      [&] {
        const bool is_begun = trial_.db().yes("SELECT to_regclass('pgsluice.step') IS NOT NULL");
        return !run.running() || (is_begun && trial_.db().yes(following));
      },
      2 * kPatience, "the run to follow");
  trial_.db().exec(
      "UPDATE orders SET amount_cents = amount_cents + 1 WHERE id < 500; DELETE FROM orders WHERE id = 7");
  expect_exit(0, "switch");
  EXPECT_EQ(run.wait(2 * kPatience).code, 0) << run.out() << run.err();
  EXPECT_EQ(orders(), trial_.db().text("SELECT md5(string_agg(o::text, ',' ORDER BY id)) FROM orders_new o"));
  EXPECT_THROW(trial_.db().exec("DELETE FROM orders WHERE id = 8"), std::exception);
}

}  // namespace
}  // namespace pgsluice::test
