// Goal: the shipped purge takes each old row out of the audit once, night after night, whatever kills it and
// whoever writes. Method: the file as it is, on the audit that the shipped e-mail job makes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/shipped_job.hpp"

namespace pgsluice::test {
namespace {

using testing::HasSubstr;

constexpr int kOldRows = 20'000;

class NightlyPurge : public ShippedJob {
 protected:
  NightlyPurge() {
    trial_.job_file(of_source("jobs/email-verification.toml"));
    expect_done();
    age(kOldRows);
    add("interval '1 day'", 5'000);
    trial_.db().exec("ANALYZE email_verification_audit");
    trial_.job_file(of_source("jobs/nightly-audit-purge.toml"));
  }

  void add(const std::string& age, int rows) {
    trial_.db().exec(
        "INSERT INTO email_verification_audit (user_id, email, was_verified, is_verified, changed_at) "
        "SELECT g, 'user' || g || '@example.org', false, true, now() - " +
        age + " - g * interval '1 second' FROM generate_series(1, " + std::to_string(rows) + ") g");
  }
  void age(int rows) { add("interval '91 days'", rows); }
  std::int64_t count(const std::string& what) { return trial_.db().number("SELECT count(*) FROM " + what); }
};

TEST_F(NightlyPurge, MovesEachRowOnceUnderTrafficAndThreeKills) {
  Traffic application;
  application.dsn = trial_.dsn();
  application.script =
      "\\set id random(1, 1000)\nINSERT INTO email_verification_audit (user_id, email) VALUES (:id, 'x');\n";
  application.rate = 100;
  Pgbench traffic(application);
  for (const char* place : {"after_update:2", "after_commit:3", "after_position:1"}) run_and_die_at(place);
  expect_done();
  const auto seen = traffic.stop();
  EXPECT_EQ(seen.failed, 0);
  EXPECT_EQ(count("email_verification_audit_archive"), kOldRows);
  EXPECT_EQ(count("(SELECT id FROM email_verification_audit_archive GROUP BY id HAVING count(*) > 1) twice"),
            0);
  EXPECT_EQ(count("email_verification_audit"), 5'000 + seen.transactions);
  EXPECT_EQ(count("email_verification_audit WHERE changed_at < now() - interval '90 days'"), 0);
}

TEST_F(NightlyPurge, GoesOnNightAfterNight) {
  expect_done();
  for (int night = 1; night <= 2; ++night) {
    age(300);
    const auto plan = run_ok(trial_.text_command("plan"));
    EXPECT_THAT(plan, HasSubstr("DELETE FROM"));
    expect_done();
    EXPECT_EQ(count("email_verification_audit_archive"), kOldRows + 300 * night);
  }
  EXPECT_EQ(count("email_verification_audit"), 5'000);
}

TEST_F(NightlyPurge, GivesAnArchiveTheColumnThatTheAuditWasGiven) {
  expect_done();
  trial_.db().exec("ALTER TABLE email_verification_audit ADD COLUMN source inet DEFAULT '127.0.0.1'");
  age(100);
  expect_done();
  EXPECT_EQ(count("email_verification_audit_archive WHERE source = '127.0.0.1'"), 100);
}

}  // namespace
}  // namespace pgsluice::test
