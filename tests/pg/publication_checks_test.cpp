// Goal: `check` says what a subscriber needs before a retype adds a column to a table that a publication
// sends, whichever way it sends it. Method: preflight over one retype, beside each kind of publication.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/preflight/preflight.hpp"
#include "pg/engine_jobs.hpp"
#include "support/shared_server.hpp"

namespace pgsluice::engine {
namespace {

using test::Db;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kJob = R"toml(
name = "j"
[[step]]
kind = "retype"
name = "ids"
tables = ["t"]
to = "bigint"
)toml";

class PublicationChecks : public testing::Test {
 protected:
  PublicationChecks() {
    db_.exec(
        "SET client_min_messages = error; CREATE TABLE t (id int PRIMARY KEY, w text); CREATE TABLE other "
        "(id int PRIMARY KEY);"
        "CREATE TABLE child (id int PRIMARY KEY, t_id int REFERENCES t)");
  }

  /// The warnings about publications, after these statements.
  std::vector<std::string> warned(const std::string& sql) {
    db_.exec(sql);
    auto session = test::session_on(dsn_);
    std::vector<std::string> out;
    for (const auto& finding : preflight(session, test::job_of(kJob), true)) {
      if (finding.check != "publications") continue;
      EXPECT_EQ(finding.level, Finding::Level::kWarn);
      out.push_back(finding.message + " | " + finding.hint);
    }
    return out;
  }

  std::string dsn_ = test::fresh_database();
  Db db_{dsn_};
};

TEST_F(PublicationChecks, SayWhatASubscriberNeedsAndHowToLeaveTheTableOut) {
  const auto told = warned("CREATE PUBLICATION \"News\" FOR TABLE t");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(told[0], AllOf(HasSubstr("publication \"News\" sends table \"public\".\"t\""),
                             HasSubstr("slot keeps WAL"),
                             HasSubstr("ALTER TABLE \"public\".\"t\" ADD COLUMN \"id_new\" bigint"),
                             HasSubstr("ALTER PUBLICATION \"News\" DROP TABLE \"public\".\"t\"")));
}

TEST_F(PublicationChecks, NameEveryTableOfTheGraphUnderForAllTables) {
  const auto told = warned("CREATE PUBLICATION everything FOR ALL TABLES");
  ASSERT_EQ(told.size(), 2U);
  EXPECT_THAT(told[0] + told[1],
              AllOf(HasSubstr("sends table \"public\".\"t\""), HasSubstr("sends table \"public\".\"child\""),
                    HasSubstr("ADD COLUMN \"t_id_new\" bigint"), HasSubstr("publish")));
}

TEST_F(PublicationChecks, SeeSchemasAndColumnListsFromVersion15On) {
  auto session = test::session_on(dsn_);
  if (session.server_version() < 150'000) return;
  EXPECT_EQ(warned("CREATE PUBLICATION schemas FOR TABLES IN SCHEMA public").size(), 2U);
  const auto told = warned("DROP PUBLICATION schemas; CREATE PUBLICATION listed FOR TABLE t (id)");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(told[0], AllOf(HasSubstr("with a list of columns"), HasSubstr("DISABLE before the cut-over")));
}

TEST_F(PublicationChecks, SeeWhatIsSentByTheNamesOfPartitions) {
  db_.exec(
      "DROP TABLE child, t; CREATE TABLE t (id int PRIMARY KEY) PARTITION BY RANGE (id);"
      "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100)");
  EXPECT_EQ(warned("CREATE PUBLICATION whole FOR TABLE t").size(), 1U);
  EXPECT_EQ(warned("DROP PUBLICATION whole; CREATE PUBLICATION part FOR TABLE t_1").size(), 1U);
}

TEST_F(PublicationChecks, AreSilentAboutOtherTables) {
  EXPECT_THAT(warned("CREATE PUBLICATION others FOR TABLE other; CREATE PUBLICATION none"), IsEmpty());
}

}  // namespace
}  // namespace pgsluice::engine
