// Goal: the shipped job turns five tables from integer keys to uuid and back, keeps every row, every
// reference and everything that the catalog holds, whatever the application writes meanwhile. Method: the
// fixture and the job file as they are, the real program, pg_dump as the witness of the schema.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "pg/journals.hpp"
#include "support/environment.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;

const int kUsers = long_run() ? 20'000 : 400;

class RetypeJob : public testing::Test {
 protected:
  void make_ready() { journals_.make_ready(); }
  void cut_over() { journals_.expect("cutover", 0); }
  void contract() { journals_.expect("contract", 0); }
  void roll_back() { journals_.expect("rollback", 0); }

  void expect_same_schema() {
    const auto now = schema_of(journals_.trial());
    EXPECT_THAT(without(schema_before_, now), IsEmpty());
    EXPECT_THAT(without(now, schema_before_), IsEmpty());
    EXPECT_THAT(traces_of(journals_.trial()), IsEmpty());
  }

  void expect_rows(const std::vector<std::string>& rows) {
    const auto now = journals_.rows();
    EXPECT_THAT(without(rows, now), IsEmpty());
    EXPECT_THAT(without(now, rows), IsEmpty());
    EXPECT_EQ(journals_.orphans(), 0);
  }

  Journals journals_{kUsers};
  std::vector<std::string> schema_before_ = schema_of(journals_.trial());
};

/// What the operator asked for: uuid where integer was, the new default, no sequence.
std::vector<std::string> with_uuids(const std::vector<std::string>& schema) {
  static const std::regex column("(: (?:id|user_id|invited_by|continues|journal_id|tag_id)) integer");
  std::vector<std::string> out;
  for (const auto& statement : schema) {
    if (statement.find("_id_seq") != std::string::npos) continue;
    auto changed = std::regex_replace(statement, column, "$1 uuid");
    const std::string key = ": id uuid NOT NULL";
    if (const auto at = changed.find(key); at != std::string::npos)
      changed.replace(at, key.size(), ": id uuid DEFAULT gen_random_uuid() NOT NULL");
    out.push_back(changed);
  }
  std::sort(out.begin(), out.end());
  return out;
}

TEST(JournalsFixture, HasAMillionUsersUnlessToldOtherwiseAndGapsInItsKeys) {
  Journals journals(60);
  EXPECT_EQ(journals.db().number("SELECT count(*) FROM users"), 60);
  EXPECT_EQ(journals.db().number("SELECT count(*) FROM journals"), 300);
  for (const char* table : {"users", "journals", "tags", "reminders", "secret_tags"}) {
    const std::string from = std::string(" FROM ") + table;
    EXPECT_GT(journals.db().number("SELECT count(*)" + from), 0) << table;
    EXPECT_TRUE(table == std::string("reminders") || journals.db().yes("SELECT max(id) > count(*)" + from))
        << table;
  }
  EXPECT_EQ(journals.orphans(), 0);
  EXPECT_EQ(journals.key_type(), "integer");
}

TEST_F(RetypeJob, TurnsEveryKeyIntoAUuidAndLosesNoRow) {
  const auto rows = journals_.rows();
  const auto keys = journals_.keys();
  make_ready();
  EXPECT_EQ(journals_.key_type(), "integer");
  const auto status = run_ok(journals_.trial().text_command("status"));
  EXPECT_THAT(status, AllOf(HasSubstr("ready"), HasSubstr("fill \"public\".\"journals\""),
                            HasSubstr("build index \"users_pkey_new\""),
                            HasSubstr("validate foreign key \"secret_tags_journal_fkey_new\"")));
  cut_over();
  EXPECT_EQ(journals_.key_type(), "uuid");
  expect_rows(rows);
  EXPECT_EQ(journals_.keys(), keys);  // 255 became …0000000000ff
  journals_.expect("run", 0);         // the proofs that stand below it
  EXPECT_EQ(journals_.trial().logged("verify").size(), 4U);
  contract();
  EXPECT_EQ(journals_.key_type(), "uuid");
  expect_rows(rows);
  EXPECT_EQ(journals_.keys(), keys);
}

TEST_F(RetypeJob, ChangesNothingElseInTheSchema) {
  make_ready();
  cut_over();
  contract();
  const auto wanted = with_uuids(schema_before_);
  const auto now = schema_of(journals_.trial());
  EXPECT_THAT(without(wanted, now), IsEmpty());
  EXPECT_THAT(without(now, wanted), IsEmpty());
  EXPECT_THAT(traces_of(journals_.trial()), IsEmpty());
  EXPECT_THAT(now, Contains(HasSubstr("COMMENT ON COLUMN public.journals.continues")));  // the dump has it
}

TEST_F(RetypeJob, KeepsWhatIsWrittenInTheOldShapeMeanwhile) {
  make_ready();
  journals_.write_with_integers();
  journals_.import_with_integers();
  const auto rows = journals_.rows();
  const auto keys = journals_.keys();
  cut_over();
  expect_rows(rows);
  EXPECT_EQ(journals_.keys(), keys);
}

TEST_F(RetypeJob, GivesBackEveryWriteOfTheNewShapeInTheOldOne) {
  make_ready();
  journals_.write_with_integers();
  cut_over();
  journals_.write_with_uuids();
  const auto rows = journals_.rows();
  EXPECT_EQ(journals_.orphans(), 0);
  roll_back();
  EXPECT_EQ(journals_.key_type(), "integer");
  expect_rows(rows);
  expect_same_schema();
  // The numbers go on where they were.
  journals_.db().exec("INSERT INTO users (email, display_name) VALUES ('next@example.com', 'Next')");
  EXPECT_EQ(journals_.db().text("SELECT state FROM pgsluice.job"), "rolled back");
}

TEST_F(RetypeJob, IsTakenBackBeforeTheCutoverAsIfItHadNeverRun) {
  make_ready();
  journals_.write_with_integers();
  const auto rows = journals_.rows();
  const auto keys = journals_.keys();
  roll_back();
  EXPECT_EQ(journals_.key_type(), "integer");
  expect_rows(rows);
  EXPECT_EQ(journals_.keys(), keys);
  expect_same_schema();
}

TEST_F(RetypeJob, IsTakenBackInTheMiddleOfTheFill) {
  const auto rows = journals_.rows();
  journals_.die_at("run", "after_commit:2");
  roll_back();
  expect_rows(rows);
  expect_same_schema();
}

TEST_F(RetypeJob, CanBeRunAgainAfterItWasTakenBack) {
  make_ready();
  cut_over();
  journals_.write_with_uuids();
  roll_back();
  const auto rows = journals_.rows();
  const auto keys = journals_.keys();
  make_ready();
  cut_over();
  expect_rows(rows);
  EXPECT_EQ(journals_.keys(), keys);
  contract();
  EXPECT_THAT(traces_of(journals_.trial()), IsEmpty());
}

TEST_F(RetypeJob, CannotBeTakenBackAfterContract) {
  make_ready();
  cut_over();
  contract();
  const auto schema = schema_of(journals_.trial());
  const auto refusal = refusal_of(journals_.expect("rollback", 5));
  EXPECT_THAT(refusal.message, HasSubstr("ids"));
  EXPECT_THAT(refusal.message + refusal.hint, HasSubstr("contract"));
  EXPECT_EQ(schema_of(journals_.trial()), schema);
}

TEST_F(RetypeJob, SaysWhatIsNotPossibleYetOrAnyMore) {
  EXPECT_EQ(refusal_of(journals_.expect("cutover", 10)).code, 10);  // no such job yet
  journals_.die_at("run", "after_index");
  EXPECT_THAT(refusal_of(journals_.expect("cutover", 5)).message, HasSubstr("ready for cut-over"));
  EXPECT_THAT(refusal_of(journals_.expect("contract", 5)).message, HasSubstr("cut over"));
  make_ready();
  EXPECT_THAT(refusal_of(journals_.expect("contract", 5)).message, HasSubstr("cut over"));
  make_ready();  // again: still ready, nothing done twice
  cut_over();
  EXPECT_THAT(refusal_of(journals_.expect("cutover", 5)).message, HasSubstr("cut-over"));
  contract();
  EXPECT_THAT(refusal_of(journals_.expect("contract", 5)).message, HasSubstr("cut over"));
  journals_.expect("run", 0);
  journals_.expect("run", 0);
  journals_.expect("verify", 0);
}

TEST_F(RetypeJob, RefusesTheCutoverWhenAnIndexCameSinceAndBuildsItsTwinWithTheNextRun) {
  make_ready();
  journals_.db().exec("CREATE INDEX secret_tags_user ON secret_tags (user_id)");
  EXPECT_THAT(refusal_of(journals_.expect("cutover", 5)).message, HasSubstr("secret_tags_user"));
  EXPECT_EQ(journals_.key_type(), "integer");
  make_ready();
  cut_over();
  EXPECT_EQ(journals_.key_type(), "uuid");
  EXPECT_TRUE(
      journals_.db().yes("SELECT indisvalid FROM pg_index WHERE indexrelid = 'secret_tags_user'::regclass"));
}

TEST_F(RetypeJob, EndsSessionsInTheWayOfTheCutoverIfToldSo) {
  journals_.make_ready();
  Db idle(journals_.trial().dsn());
  idle.exec("BEGIN; SELECT count(*) FROM users");
  const auto finished = journals_.trial().verb("cutover", {"--kill-blockers-after", "1s"});
  EXPECT_EQ(finished.code(), 0) << finished.out << finished.err;
  EXPECT_THAT(finished.out + finished.err, HasSubstr("was ended"));
  EXPECT_ANY_THROW(idle.exec("COMMIT"));
  EXPECT_EQ(journals_.key_type(), "uuid");
}

TEST_F(RetypeJob, ShowsOldSessionsWhatTheDocumentationSays) {
  auto& db = journals_.db();
  db.exec(
      "PREPARE returns_a_key AS SELECT id, title FROM journals WHERE title = 'Day 1';"
      "PREPARE by_number(integer) AS SELECT title FROM journals WHERE id = $1;"
      "PREPARE without_a_key AS SELECT title FROM journals WHERE title = 'Day 1';"
      "PREPARE joined AS SELECT count(*) FROM journals j JOIN users u ON u.id = j.user_id");
  const auto error_of = [&](const std::string& sql) -> std::string {
    try {
      db.exec(sql);
      return {};
    } catch (const std::exception& e) {
      return e.what();
    }
  };
  const auto count = db.text("EXECUTE joined");
  make_ready();
  for (const char* sql : {"EXECUTE returns_a_key", "EXECUTE by_number(1)", "EXECUTE without_a_key"})
    EXPECT_EQ(error_of(sql), "") << sql;
  cut_over();
  for (int time = 0; time < 2; ++time)
    EXPECT_THAT(error_of("EXECUTE returns_a_key"), HasSubstr("cached plan must not change result type"));
  EXPECT_THAT(error_of("EXECUTE by_number(1)"), HasSubstr("operator does not exist: uuid = integer"));
  EXPECT_THAT(error_of("SELECT FROM journals WHERE id = '1'"),
              HasSubstr("invalid input syntax for type uuid"));
  EXPECT_EQ(db.text("EXECUTE without_a_key"), "Day 1");
  EXPECT_EQ(db.text("EXECUTE joined"), count);
  db.exec("DISCARD ALL");
  EXPECT_EQ(error_of("SELECT id FROM journals"), "");
}

TEST_F(RetypeJob, LetsOnlyThoseSeeRowsWhoSawThemBefore) {
  make_ready();
  cut_over();
  contract();
  auto& db = journals_.db();
  const auto owner = db.text("SELECT user_id FROM reminders LIMIT 1");
  const auto all = db.number("SELECT count(*) FROM reminders WHERE user_id = '" + owner + "'");
  db.exec("SET ROLE journal_app");
  EXPECT_EQ(db.number("SELECT count(*) FROM reminders"), 0);
  db.exec("SET journal.user_id = '" + owner + "'");
  EXPECT_EQ(db.number("SELECT count(*) FROM reminders"), all);
  db.exec("RESET ROLE; SET ROLE journal_support");
  EXPECT_GT(db.number("SELECT count(id) FROM journals"), 0);
  EXPECT_GT(db.number("SELECT count(*) FROM journal_feed"), 0);
  EXPECT_ANY_THROW(db.exec("SELECT body FROM journals"));
}

}  // namespace
}  // namespace pgsluice::test
