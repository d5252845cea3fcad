#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pg/trial.hpp"
#include "support/pgbench.hpp"

namespace pgsluice::test {

/// How many users the tests of the shipped jobs work on.
int user_rows();

/// The tables of tests/fixtures/users.sql in the trial's database.
void make_users(const Trial& trial, int rows);

/// A file or folder of the source tree.
std::filesystem::path of_source(const std::string& path);

/// A job that we ship, on the fixture's users and their twin. The table has to equal the twin whenever the
/// job is rolled back, under traffic too. Confined to the test's thread.
class ShippedJob : public testing::Test {
 protected:
  ShippedJob();

  Finished run_job(const std::vector<std::string>& args = {}) { return verb("run", args); }
  /// Like Trial::verb, with time enough for a million rows.
  Finished verb(const std::string& verb, const std::vector<std::string>& args = {});

  Command command(const std::string& verb, const std::vector<std::string>& args = {});

  /// Runs it with a SIGKILL at this place, and asks that it did happen.
  void run_and_die_at(const std::string& place) { die_at("run", place); }
  void roll_back_and_die_at(const std::string& place) { die_at("rollback", place); }

  /// Runs it to its end: 0, proved, done.
  void expect_done();
  /// Undoes it: 0, schema and users as before.
  void roll_back();
  void expect_as_before();

  /// Schema of the whole database but for ours and the twin's, as pg_dump writes it.
  std::string shape();

  /// A user more, and the twin.
  void sign_up(const std::string& name);

  /// Runs it beside users who work, with a SIGKILL at each of these places, rolls it back with a SIGKILL at
  /// each of those, and asks that nobody was failed and no write was lost.
  void expect_to_come_and_go_under_traffic(const std::vector<std::string>& places,
                                           const std::vector<std::string>& places_back);

  /// Users who sign in, up and off, and change their names and addresses: tests/fixtures/users_traffic.sql.
  std::unique_ptr<Pgbench> users_at_work();
  /// Ends them, and asks that no statement of theirs failed and that the table equals its twin.
  void expect_that_nobody_was_failed(Pgbench& traffic);

  Trial trial_;
  std::string shape_before_;
  std::map<std::string, std::string> environment_;  // of the program

 private:
  void die_at(const std::string& verb, const std::string& place);
};

}  // namespace pgsluice::test
