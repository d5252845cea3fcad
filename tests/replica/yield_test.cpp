// Proves P4 against other sessions: whoever waits for a batch is let through, and never becomes a deadlock's
// victim.
#include <gtest/gtest.h>

#include <future>
#include <iostream>

#include "chaos/counted_job.hpp"
#include "support/shared_server.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

/// Batches that last some five seconds unless they are cancelled: 1,000 rows of 5 ms each.
class Yield : public ::testing::Test {
 protected:
  static constexpr int kRows = 1'000;

  /// deadlock_timeout bounds how long a batch may last.
  static void SetUpTestSuite() {
    server_ = std::make_unique<PrivateServer>(ServerOptions{.settings = {{"deadlock_timeout", "20s"}}});
  }
  static void TearDownTestSuite() { server_.reset(); }

  void make_job(int rows, int rows_min, const char* row_sleep) {
    job_ = std::make_unique<CountedJob>(
        *server_,
        CountedJob::Options{
            .rows = kRows,
            .batch_rows = rows,
            .batch_rows_min = rows_min,
            .target = "6s",
            .lanes = 1,
            // Else the test's own looks could pass for an application, beside which batches are short.
            .settings = "[throttle]\nslowdown = 1000000\n"});
    job_->db().exec("ALTER TABLE counted ADD COLUMN m int NOT NULL DEFAULT 0");
    job_->db().exec(std::string("CREATE FUNCTION dawdle_a_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN "
                                "IF new.n <> old.n THEN PERFORM "
                                "pg_sleep(") +
                    row_sleep + "); END IF; RETURN new; END'");
    job_->db().exec(
        "CREATE TRIGGER slow BEFORE UPDATE ON counted FOR EACH ROW EXECUTE FUNCTION dawdle_a_row()");
    process_ = job_->start();
    wait_for([&] { return in_batch(); }, "a batch");
  }

  bool in_batch() {
    return job_->db().yes(
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ "
        "'pgsluice .* lane' AND wait_event = 'PgSleep'");
  }

  /// What the application says, in a session of its own; the time that it took.
  milliseconds time_of(const std::string& sql) {
    Db application(job_->trial().dsn());
    const auto began = Clock::now();
    application.exec(sql);
    return std::chrono::duration_cast<milliseconds>(Clock::now() - began);
  }

  std::size_t events(const std::string& type, const std::string& condition) {
    return job_->db()
        .column("SELECT 1 FROM pgsluice.event WHERE type = '" + type + "' AND " + condition)
        .size();
  }

  void expect_end() {
    job_->db().exec("ALTER TABLE counted DISABLE TRIGGER USER");
    ASSERT_EQ(process_->wait(3 * kPatience).code, 0) << process_->out() << process_->err();
    job_->expect_finished();
  }

  static std::unique_ptr<PrivateServer> server_;
  std::unique_ptr<CountedJob> job_;
  std::unique_ptr<Process> process_;
};

std::unique_ptr<PrivateServer> Yield::server_;

TEST_F(Yield, LetsASessionThroughThatWaitsForOneOfItsRows) {
  make_job(kRows, 50, "0.005");
  const auto waited = time_of("UPDATE counted SET m = 7 WHERE id = (SELECT min(id) FROM counted)");
  std::cout << "the application waited " << waited.count() << " ms\n";
  EXPECT_LT(waited, milliseconds{3'000}) << "the batch would have kept its row for 5 s";
  wait_for(
      [&] {
        return events("batch_failed", "fields->>'action' = 'shrink' AND fields->>'sqlstate' = '57014'") > 0;
      },
      "the cancelled batch in the log");
  EXPECT_GT(events("warning", "fields->>'message' LIKE '%gives way%'"), 0U);
  EXPECT_GT(events("tune", "fields->>'field' = 'batch.rows' AND (fields->>'to')::int <= 500"), 0U)
      << "halved";
  expect_end();
  EXPECT_EQ(job_->db().number("SELECT sum(m) FROM counted"), 7) << "what the application wrote is there";
}

TEST_F(Yield, LetsDdlThroughThatQueuesBehindIt) {
  make_job(kRows, 50, "0.005");
  const auto waited = time_of("ALTER TABLE counted ADD COLUMN more int");
  std::cout << "the ALTER TABLE waited " << waited.count() << " ms\n";
  EXPECT_LT(waited, milliseconds{3'000});
  expect_end();
}

TEST_F(Yield, IsNotCancelledAnyMoreAtItsSmallestBatch) {
  make_job(50, 50, "0.03");  // 1.5 s a batch
  time_of("UPDATE counted SET m = 7 WHERE id = (SELECT min(id) FROM counted)");
  EXPECT_EQ(job_->batches(), 1) << "the batch went on to its end";
  expect_end();
  EXPECT_EQ(events("batch_failed", "true"), 0U);
}

// A session that holds row 40 while a batch of rows 1 to 50 waits for it, and then asks for row 1.
TEST(Deadlock, TakesTheBatchAndNeverTheApplication) {
  auto& server = SharedServer::get();
  CountedJob job(server, {.rows = 1'000, .lanes = 1});
  job.db().exec("ALTER TABLE counted ADD COLUMN m int NOT NULL DEFAULT 0");
  job.db().exec("CREATE VIEW numbered AS SELECT id, row_number() OVER (ORDER BY id) AS number FROM counted");
  const auto id = [&](int number) {
    return job.db().text("SELECT id FROM numbered WHERE number = " + std::to_string(number));
  };
  const std::string first = id(1);
  const std::string fortieth = id(40);
  const std::string waits =
      "SELECT count(*) > 0 FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE datname = "
      "current_database() "
      "AND application_name ~ 'pgsluice .* lane' AND NOT granted";
  Db application(job.trial().dsn());
  application.exec("BEGIN; UPDATE counted SET m = m + 1 WHERE id = " + fortieth);
  const auto process = job.start();
  for (const bool is_late : {false, true, false, true}) {
    wait_for([&] { return job.db().yes(waits); }, "the batch to wait for the application");
    // The server looks for a deadlock once, after a second of waiting: who comes then is its victim.
    const auto has_looked = [&] {
      return !job.db().yes(waits + " AND waitstart > clock_timestamp() - interval '1.1 s'");
    };
    if (is_late) wait_for(has_looked, "the batch to give up, or the server to have looked");
    EXPECT_NO_THROW(application.exec("UPDATE counted SET m = m + 1 WHERE id = " + first));
  }
  application.exec("COMMIT");
  EXPECT_EQ(process->wait(2 * kPatience).code, 0) << process->out() << process->err();
  EXPECT_EQ(job.db().number("SELECT sum(m) FROM counted"), 5);
  EXPECT_EQ(server.log_text().find("deadlock detected"), std::string::npos);
  job.db().exec("DROP VIEW numbered");
  job.expect_finished();
}

}  // namespace
}  // namespace pgsluice::test
