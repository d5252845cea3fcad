#include "pg/shipped_job.hpp"

#include <sstream>

#include "support/environment.hpp"
#include "support/server_user.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

/// A million rows, ASan, traffic beside it.
const auto kJobPatience = long_run() ? 40 * kPatience : 4 * kPatience;

void psql_file(const Trial& trial, const std::string& file, int rows) {
  run_ok({postgres_program("psql"),
          {"-XqAt", "-d", trial.dsn(), "-v", "rows=" + std::to_string(rows), "-f", of_source(file)}},
         4 * kPatience);
}

}  // namespace

int user_rows() {
  return long_run() ? 1'200'000 : 20'000;
}

std::filesystem::path of_source(const std::string& path) {
  return std::filesystem::path(PGSLUICE_SOURCE_FOLDER) / path;
}

void make_users(const Trial& trial, int rows) {
  psql_file(trial, "tests/fixtures/users.sql", rows);
}

ShippedJob::ShippedJob() {
  make_users(trial_, user_rows());
  psql_file(trial_, "tests/fixtures/users_twin.sql", user_rows());
  shape_before_ = shape();
}

Finished ShippedJob::verb(const std::string& verb, const std::vector<std::string>& args) {
  return test::run(command(verb, args), kJobPatience);
}

Command ShippedJob::command(const std::string& verb, const std::vector<std::string>& args) {
  auto command = trial_.command(verb, args);
  command.env.insert(environment_.begin(), environment_.end());
  return command;
}

void ShippedJob::sign_up(const std::string& name) {
  trial_.db().exec(
      "WITH come AS (INSERT INTO users (email, password_digest, full_name) VALUES ('" + name +
      "@example.com', 'x', '" + name +
      "') RETURNING id, email, password_digest, full_name, locale, is_active, sign_in_count, created_at, "
      "updated_at, last_sign_in_at) INSERT INTO twin.users SELECT * FROM come");
}

void ShippedJob::die_at(const std::string& verb, const std::string& place) {
  auto command = this->command(verb);
  command.env["PGSLUICE_FAILPOINT"] = place;
  const auto finished = test::run(command, kJobPatience);
  EXPECT_EQ(finished.exit, (Exit{-1, SIGKILL})) << verb << place << finished.out << finished.err;
}

void ShippedJob::expect_done() {
  const auto finished = run_job();
  EXPECT_EQ(finished.code(), 0) << finished.out << finished.err;
  EXPECT_EQ(verb("verify").code(), 0);
  EXPECT_EQ(trial_.db().text("SELECT state FROM pgsluice.job"), "done");
}

void ShippedJob::roll_back() {
  const auto finished = verb("rollback");
  EXPECT_EQ(finished.code(), 0) << finished.out << finished.err;
  EXPECT_EQ(trial_.db().text("SELECT state FROM pgsluice.job"), "rolled back");
  expect_as_before();
}

void ShippedJob::expect_as_before() {
  EXPECT_EQ(shape(), shape_before_);
  EXPECT_EQ(differences(trial_.db(), "TABLE users", "TABLE twin.users"), 0);
}

std::string ShippedJob::shape() {
  const auto dump =
      run_ok({postgres_program("pg_dump"),
              {"--schema-only", "--exclude-schema=pgsluice", "--exclude-schema=twin", trial_.dsn()}});
  std::string kept;
  std::istringstream lines(dump);
  for (std::string line; std::getline(lines, line);) {
    // \restrict and \unrestrict carry a word drawn at random.
    if (!line.starts_with("\\")) kept += line + "\n";
  }
  return kept;
}

std::unique_ptr<Pgbench> ShippedJob::users_at_work() {
  Traffic traffic;
  traffic.dsn = trial_.dsn();
  traffic.script = read_file(of_source("tests/fixtures/users_traffic.sql"));
  traffic.clients = 4;
  traffic.rate = 100;
  traffic.duration = std::chrono::seconds(3600);
  traffic.variables = {{"highest", trial_.db().text("SELECT max(id) FROM users")}};
  return std::make_unique<Pgbench>(traffic);
}

void ShippedJob::expect_that_nobody_was_failed(Pgbench& traffic) {
  const auto noticed = traffic.stop();
  EXPECT_EQ(noticed.exit, (Exit{0, 0})) << noticed.report;
  EXPECT_EQ(noticed.failed, 0) << noticed.report;
  EXPECT_GT(trial_.db().number("SELECT count(*) FROM twin.users WHERE email LIKE 'new%'"), 0);
  expect_as_before();
}

void ShippedJob::expect_to_come_and_go_under_traffic(const std::vector<std::string>& places,
                                                     const std::vector<std::string>& places_back) {
  const auto traffic = users_at_work();
  for (const auto& place : places) run_and_die_at(place);
  expect_done();
  for (const auto& place : places_back) roll_back_and_die_at(place);
  roll_back();
  expect_that_nobody_was_failed(*traffic);
}

}  // namespace pgsluice::test
