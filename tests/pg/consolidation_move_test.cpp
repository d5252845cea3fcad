// Goal: the verification service's tables move into the main database while it writes, as the shipped job
// says, with kills; and before the switch there is a way back without a trace. Method: both fixtures, the
// shipped files as they are, the service's own traffic.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/shipped_job.hpp"
#include "support/environment.hpp"
#include "support/server_user.hpp"
#include "support/shared_server.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

const std::vector<std::string> kTables{"requests", "codes", "attempts", "devices", "events"};

class ConsolidationMove : public ShippedJob {
 protected:
  ConsolidationMove() {
    run_sql("tests/fixtures/verification_service.sql");
    services_.write("services", "[verification]\nhost=" + SharedServer::get().socket_folder().string() +
                                    "\nport=5432\nuser=postgres\ndbname=" +
                                    service_.text("SELECT current_database()") + "\n");
    environment_["PGSERVICEFILE"] = (services_.path() / "services").string();
    trial_.job_file(of_source("jobs/verification-consolidation"));
    EXPECT_EQ(verb("run").code(), 0);
    trial_.job_file(of_source("jobs/verification-move.toml"));
  }

  void run_sql(const std::string& file) {
    run_ok({postgres_program("psql"),
            {"-XqAt", "-d", service_dsn_, "-v", "rows=" + std::to_string(rows()), "-f", of_source(file)}});
  }
  static int rows() { return user_rows() / 4; }

  std::unique_ptr<Pgbench> service_at_work() {
    return std::make_unique<Pgbench>(
        Traffic{.dsn = service_dsn_,
                .script = read_file(of_source("tests/fixtures/verification_traffic.sql")),
                .clients = 2,
                .rate = 60,
                .max_tries = 10,
                .variables = {{"rows", std::to_string(rows())}}});
  }

  std::int64_t traces() {
    return service_.number(
        "SELECT (SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pgsluice%') + (SELECT count(*) "
        "FROM pg_class WHERE relnamespace = to_regnamespace('pgsluice'))");
  }

  void expect_same() {
    for (const auto& table : kTables) {
      const auto all = "SELECT t::text FROM verification." + table + " t ORDER BY id";
      EXPECT_EQ(service_.column(all), trial_.db().column(all)) << table;
    }
  }

  void await_following(Process& run) {
    wait_for(
        [&] {
          return !run.running() ||
                 trial_.db().yes("SELECT EXISTS (SELECT FROM pgsluice.follow WHERE is_following)");
        },
        2 * kPatience, "the run to follow");
    ASSERT_TRUE(run.running()) << run.out() << run.err();
  }

  std::string service_dsn_ = SharedServer::get().fresh_database();
  Db service_{service_dsn_};
  TempFolder services_;
};

TEST_F(ConsolidationMove, LosesNothingWhileTheServiceWritesAndIsKilledThreeTimes) {
  auto traffic = service_at_work();
  for (const char* place : {"copy_read:20", "after_step:2", "follow_applied:3"}) {
    SCOPED_TRACE(place);
    run_and_die_at(place);
  }
  Process run(command("run"));
  wait_for(
      [&] {
        return !run.running() || verb("switch", {"--pause", "30s"}).code() == 0;
      },
      2 * kPatience, "the switch");
  EXPECT_NE(traffic->stop().exit.code, 0) << "the service is refused";
  EXPECT_EQ(run.wait(2 * kPatience).code, 0) << run.out() << run.err();
  expect_same();
  EXPECT_THROW(service_.exec("DELETE FROM verification.events"), std::exception);
  const auto next = "SELECT nextval(pg_get_serial_sequence('verification.codes', 'id'))";
  EXPECT_GE(trial_.db().number(next), 1'000'000'000) << "rows made here are told from those that came";
}

TEST_F(ConsolidationMove, GoesBackBeforeTheSwitchWithoutATrace) {
  auto traffic = service_at_work();
  Process run(command("run"));
  await_following(run);
  run.signal(SIGTERM);
  EXPECT_EQ(run.wait(2 * kPatience).code, 75);
  EXPECT_EQ(verb("rollback").code(), 0);
  EXPECT_EQ(traces(), 0);
  const auto seen = traffic->stop();
  EXPECT_EQ(seen.exit.code, 0) << seen.report;
  trial_.job_file(of_source("jobs/verification-consolidation"));
  trial_.db().exec(
      "TRUNCATE verification.requests, verification.codes, verification.attempts, verification.devices, "
      "verification.events");
  EXPECT_EQ(verb("rollback", {"--to", "verification-01-schema"}).code(), 0);
  EXPECT_EQ(
      trial_.db().number("SELECT count(*) FROM pg_class WHERE relnamespace = 'verification'::regnamespace"),
      0);
}

}  // namespace
}  // namespace pgsluice::test
