// The plan against a real server: the statements that it prints are those that run's own functions send, and
// it writes nothing.
#include "engine/planner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "engine/backfill_step.hpp"
#include "engine/batch.hpp"
#include "engine/job_definition.hpp"
#include "ledger/jobs.hpp"
#include "ledger/lease.hpp"
#include "ledger/runs.hpp"
#include "ledger/schema.hpp"
#include "ledger/split.hpp"
#include "pg/engine_jobs.hpp"
#include "pgsluice/engine.hpp"
#include "support/private_server.hpp"
#include "support/shared_server.hpp"

namespace pgsluice::engine {
namespace {

using test::Db;
using test::job_of;
using test::lines;
using test::session_on;
using ::testing::HasSubstr;
using ::testing::Not;

Plan plan_of(const std::string& dsn, const std::string& text) {
  auto session = session_on(dsn);
  return make_plan(session, job_of(text), "here");
}

std::vector<std::string> texts(const PlannedStep& step) {
  std::vector<std::string> out;
  for (const auto& s : step.statements) out.push_back(s.sql);
  return out;
}

/// A constant of several lines begins and ends with a line break, which the log shows or not.
std::string trimmed(const std::string& sql) {
  const auto first = sql.find_first_not_of(" \n");
  return first == std::string::npos ? "" : sql.substr(first, sql.find_last_not_of(" \n") - first + 1);
}

const PlannedStatement& statement(const PlannedStep& step, const std::string& part) {
  for (const auto& s : step.statements) {
    if (s.sql.find(part) != std::string::npos) return s;
  }
  throw std::runtime_error("no statement holds " + part);
}

class PlanTest : public ::testing::Test {
 protected:
  std::string dsn_ = test::fresh_database();
  Db db_{dsn_};
};

TEST_F(PlanTest, LocksGentlyBeforeAnAlter) {
  test::make_users(db_);
  const auto step = plan_of(dsn_, test::onboarding_text()).steps.at(0);
  EXPECT_EQ(texts(step),
            (std::vector<std::string>{"LOCK TABLE \"users\" IN SHARE UPDATE EXCLUSIVE MODE",
                                      "ALTER TABLE users ADD COLUMN IF NOT EXISTS onboarded boolean"}));
  EXPECT_EQ(step.statements.at(0).lock, "SHARE UPDATE EXCLUSIVE on \"users\", lock_timeout 1.5 s");
  EXPECT_EQ(step.statements.at(1).lock, "ACCESS EXCLUSIVE on \"users\", lock_timeout 300 ms");
}

TEST_F(PlanTest, LocksNothingGentlyThatIsNotThere) {
  const auto step = plan_of(dsn_, R"toml(
name = "j"
[[step]]
kind = "sql"
name = "s"
up = ["CREATE TABLE made (id int)", "ALTER TABLE made ADD COLUMN v int", "DROP TABLE made", "ALTER TABLE IF EXISTS made ADD COLUMN w int"]
)toml")
                        .steps.at(0);
  EXPECT_EQ(texts(step),
            (std::vector<std::string>{
                "CREATE TABLE made (id int)", "LOCK TABLE \"made\" IN SHARE UPDATE EXCLUSIVE MODE",
                "ALTER TABLE made ADD COLUMN v int", "LOCK TABLE \"made\" IN SHARE UPDATE EXCLUSIVE MODE",
                "DROP TABLE made", "ALTER TABLE IF EXISTS made ADD COLUMN w int"}));
}

TEST_F(PlanTest, SaysWhatRewritesOrReadsATableUnderItsLock) {
  test::make_users(db_);
  const auto step = plan_of(dsn_, R"toml(
name = "j"
[[step]]
kind = "sql"
name = "s"
up = ["ALTER TABLE users ALTER COLUMN plan TYPE bigint", "ALTER TABLE users ADD COLUMN token uuid DEFAULT gen_random_uuid()",
      "ALTER TABLE users ADD COLUMN at timestamptz DEFAULT now()", "ALTER TABLE users ALTER plan SET NOT NULL",
      "CREATE TABLE copy AS SELECT * FROM users"]
)toml")
                        .steps.at(0);
  const auto notes = lines(step.notes);
  EXPECT_THAT(notes, HasSubstr("a new type for plan rewrites the table"));
  EXPECT_THAT(
      notes,
      HasSubstr("volatile function gen_random_uuid, so the table is rewritten (ACCESS EXCLUSIVE is held"));
  EXPECT_THAT(notes, HasSubstr("SET NOT NULL on plan reads the whole table"));
  EXPECT_THAT(notes, Not(HasSubstr("function now")));
}

TEST_F(PlanTest, WritesNothing) {
  test::make_users(db_);
  const auto before = db_.text("SELECT pg_current_wal_insert_lsn()");
  plan_of(dsn_, test::onboarding_text());
  EXPECT_EQ(db_.number("SELECT count(*) FROM pg_namespace WHERE nspname = 'pgsluice'"), 0);
  EXPECT_EQ(db_.number("SELECT count(*) FROM pg_class WHERE relname = 'users_onboarded'"), 0);
}

TEST_F(PlanTest, PlansABackfillBeforeItsColumnIsThere) {
  test::make_users(db_);
  const auto step = plan_of(dsn_, test::onboarding_text()).steps.at(1);
  EXPECT_EQ(step.walk, "keyset along (\"id\")");
  EXPECT_EQ(step.walk_reason, "primary key \"users_pkey\"");
  EXPECT_EQ(step.rows_estimated, 10'000);
  const auto& update =
      statement(step, "UPDATE \"public\".\"users\"\nSET \"onboarded\" = (true\n)\nWHERE \"id\" > $1");
  EXPECT_TRUE(update.is_repeated);
  EXPECT_THAT(update.lock,
              HasSubstr("ROW EXCLUSIVE on \"public\".\"users\", its rows until COMMIT, lock_timeout 150 ms"));
  EXPECT_THAT(lines(step.notes), HasSubstr("step \"add-column\" adds column \"onboarded\""));
  EXPECT_THAT(lines(step.notes), Not(HasSubstr("run will refuse")));
  EXPECT_TRUE(step.can_be_undone);
  EXPECT_THAT(step.undo, HasSubstr("step \"add-column\" is undone"));
}

TEST_F(PlanTest, SaysThatATableComesLater) {
  const auto step = plan_of(dsn_, R"toml(
name = "j"
[[step]]
kind = "sql"
name = "make"
up = "CREATE TABLE later (id int PRIMARY KEY, v int)"
[[step]]
kind = "backfill"
name = "fill"
table = "later"
set = { v = "1" }
)toml")
                        .steps.at(1);
  EXPECT_THAT(lines(step.notes), HasSubstr("its table is made by step \"make\""));
  EXPECT_TRUE(step.statements.empty());
}

TEST_F(PlanTest, SaysWhatRunWillRefuseAndGoesOn) {
  test::make_users(db_);
  const auto plan = plan_of(dsn_, R"toml(
name = "j"
[[step]]
kind = "backfill"
name = "missing"
table = "nowhere"
set = { v = "1" }
[[step]]
kind = "backfill"
name = "misspelt"
table = "users"
set = { plann = "1" }
)toml");
  EXPECT_THAT(lines(plan.steps.at(0).notes), HasSubstr("run will refuse: table \"nowhere\" does not exist"));
  EXPECT_THAT(lines(plan.steps.at(1).notes),
              HasSubstr("run will refuse: table \"users\" has no column \"plann\""));
  EXPECT_FALSE(plan.steps.at(1).can_be_undone);
}

TEST_F(PlanTest, NamesWhatABackfillSetsOff) {
  test::make_users(db_);
  db_.exec(
      "CREATE INDEX users_plan ON users (email) WHERE plan > 3;"
      "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end';"
      "CREATE TRIGGER fires BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION f();"
      "CREATE TRIGGER fires_too BEFORE UPDATE OF plan ON users FOR EACH ROW EXECUTE FUNCTION f();"
      "CREATE TRIGGER silent BEFORE UPDATE OF email ON users FOR EACH ROW EXECUTE FUNCTION f();");
  const auto notes = lines(plan_of(dsn_, R"toml(
name = "j"
[[step]]
kind = "backfill"
name = "fill"
table = "users"
set = { plan = "(random() * 10)::int" }
where = "plan = 3"
)toml")
                               .steps.at(0)
                               .notes);
  EXPECT_THAT(notes, HasSubstr("random is volatile"));
  EXPECT_THAT(notes, HasSubstr("trigger \"fires\" and \"fires_too\"\n"));
  EXPECT_THAT(notes, HasSubstr("a changed column is in index \"users_plan\""));
  EXPECT_THAT(notes, HasSubstr("of the rows visited, about 1,4"));
}

TEST_F(PlanTest, DropsAnInvalidLeftoverBeforeItBuildsTheIndex) {
  test::make_users(db_);
  db_.exec(
      "ALTER TABLE users ADD onboarded boolean; CREATE INDEX users_onboarded ON users (onboarded);"
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_onboarded'::regclass");
  const auto invalid = plan_of(dsn_, test::onboarding_text()).steps.at(2);
  EXPECT_EQ(texts(invalid),
            (std::vector<std::string>{
                "DROP INDEX CONCURRENTLY IF EXISTS \"public\".\"users_onboarded\"",
                "CREATE INDEX CONCURRENTLY IF NOT EXISTS users_onboarded ON users (onboarded)"}));
  EXPECT_THAT(invalid.statements.at(1).lock,
              HasSubstr("SHARE UPDATE EXCLUSIVE on \"users\", no lock_timeout"));
  db_.exec("UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'users_onboarded'::regclass");
  const auto valid = plan_of(dsn_, test::onboarding_text()).steps.at(2);
  EXPECT_TRUE(valid.statements.empty());
  EXPECT_THAT(lines(valid.notes), HasSubstr("is there and valid"));
}

TEST_F(PlanTest, SendsNothingForStepsThatAreDone) {
  test::make_users(db_);
  auto session = session_on(dsn_);
  ledger::install(session);
  const auto job = job_of(test::onboarding_text());
  const auto record = ledger::open_job(session, definition_of(job));
  ledger::set_step_state(session, record.steps.at(0).step_id, "done");
  const auto plan = make_plan(session, job, "here");
  EXPECT_EQ(plan.steps.at(0).state, "done");
  EXPECT_TRUE(plan.steps.at(0).statements.empty());
  EXPECT_EQ(plan.steps.at(1).state, "waiting");
}

// One UPDATE over the whole table writes what batches write: the same records, but for the commits.
TEST_F(PlanTest, EstimatesWalWithinAThirdOfWhatTheServerWrites) {
  test::PrivateServer server({.settings = {{"full_page_writes", "on"}}});
  Db db(server.fresh_database());
  test::make_users(db, 50'000);
  db.exec("CREATE INDEX ON users (email); CREATE INDEX ON users (plan)");
  db.exec("VACUUM (FREEZE, ANALYZE) users");
  const auto dsn = server.dsn(db.text("SELECT current_database()"));
  const auto estimated = plan_of(dsn, R"toml(
name = "j"
[[step]]
kind = "backfill"
name = "fill"
table = "users"
set = { plan = "plan + 1" }
)toml")
                             .steps.at(0)
                             .wal_bytes_estimated;
  db.exec("CHECKPOINT");
  const auto before = db.text("SELECT pg_current_wal_insert_lsn()");
  db.exec("UPDATE users SET plan = plan + 1");
  const auto written =
      db.number("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '" + before + "')::bigint");
  EXPECT_GT(estimated, written * 2 / 3);
  EXPECT_LT(estimated, written * 4 / 3);
}

/// Runs real batches over a whole table on a server that logs every statement, and looks for each planned
/// text there.
class PlannedBatches : public ::testing::Test {
 protected:
  PlannedBatches()
      : server_({.settings = {{"log_statement", "all"}}}), dsn_(server_.fresh_database()), db_(dsn_) {}

  void walk_all(const Job& job, std::int64_t rows) {
    auto session = session_on(dsn_);
    ledger::install(session);
    const auto record = ledger::open_job(session, definition_of(job));
    const std::string run_id = "11111111-1111-1111-1111-111111111111";
    ledger::register_run(session, record.job_id, run_id, "test", base::this_process());
    const auto step =
        prepare_backfill(session, std::get<BackfillStep>(job.steps.at(0)), record.steps.at(0).step_id);
    cut_into_ranges(session, step, 2);
    while (auto range = ledger::lease_next(session, step.step_id, run_id, {}))
      walk(session, job, step, *range, rows);
  }

  void walk(pg::Session& session, const Job& job, const PreparedBackfill& step, ledger::Range range,
            std::int64_t rows) {
    if (!range.upper) {
      range.upper = step.keyset.read_key(session.exec(step.keyset.highest(), pg::Params{}), 0);
      ledger::fix_upper(session, range.token, *range.upper);
    }
    BatchWork work{
        &step.keyset, &step.update_sql,
        step.step_id, range,
        rows,         batch_limits(job.batch.target, job.throttle.lock_wait, step.deadlock_timeout),
        std::nullopt};
    for (;;) {
      const auto outcome = run_batch(session, work);
      ASSERT_EQ(outcome.disposition, pg::Disposition::kCommitted) << outcome.message;
      if (outcome.is_range_done) return;
      work.range.position = outcome.position;
    }
  }

  /// The log indents what follows a line break; numbers of ranges and rows differ.
  static std::string as_logged(std::string sql) {
    for (std::size_t at = 0; (at = sql.find('\n', at)) != std::string::npos; at += 2)
      sql.insert(at + 1, "\t");
    return sql;
  }

  test::PrivateServer server_;
  std::string dsn_;
  Db db_;
};

TEST_F(PlannedBatches, AreWhatTheServerSees) {
  db_.exec(
      "CREATE TABLE \"Order Lines\" (tenant text, \"No\" int, at date, v int, PRIMARY KEY (tenant, \"No\", "
      "at));"
      "INSERT INTO \"Order Lines\" SELECT 't' || g % 3, g / 40, date '2026-01-01' + g % 100, 0 FROM "
      "generate_series(1, 9000) g"
      " ON CONFLICT DO NOTHING; ANALYZE \"Order Lines\"");
  auto job = job_of(R"toml(
name = "j"
[[step]]
kind = "backfill"
name = "fill"
table = '"Order Lines"'
set = { v = "v + 1 -- once" }
where = "v < 7"
)toml");
  auto session = session_on(dsn_);
  const auto planned = make_plan(session, job, "here").steps.at(0);
  walk_all(job, 7);
  EXPECT_EQ(db_.number("SELECT count(*) FROM \"Order Lines\" WHERE v <> 1"), 0);
  const auto log = server_.log_text();
  for (const auto& s : planned.statements) {
    // Nobody splits here, and ranges are larger than a batch; the counts of the last statement are those of
    // some batch.
    const bool may_be_missing =
        s.when.find("split") != std::string::npos || s.when.find("also the last") != std::string::npos;
    const auto text = s.sql.substr(0, s.sql.find("rows_visited = "));
    EXPECT_TRUE(may_be_missing || log.find(as_logged(text)) != std::string::npos) << s.when << ": " << text;
  }
  // And nothing else touches the table: each statement about it in the log is one of the plan.
  std::size_t seen = 0;
  for (std::size_t at = 0; (at = log.find("UPDATE \"public\".\"Order Lines\"", at)) != std::string::npos;
       ++at) {
    const bool is_planned =
        std::any_of(planned.statements.begin(), planned.statements.end(), [&](const auto& s) {
          const auto text = as_logged(s.sql);
          const auto from = text.find("UPDATE \"public\"");
          return from != std::string::npos &&
                 log.compare(at, text.size() - from, text, from, std::string::npos) == 0;
        });
    EXPECT_TRUE(is_planned) << log.substr(at, 400);
    ++seen;
  }
  EXPECT_GT(seen, 1000U);
}

/// Throws events away; tests look at the database.
class Nobody : public EventSink {
 public:
  void publish(Event) override {}
};

/// Statements that sessions called "pgsluice …" have sent, as the log has them: each with its following
/// lines.
std::vector<std::string> statements_of_pgsluice(const std::string& log) {
  std::vector<std::string> statements;
  std::istringstream in(log);
  bool is_ours = false;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.front() == '\t') {
      if (is_ours) statements.back() += "\n" + line.substr(1);
      continue;
    }
    auto at = line.find("LOG:  statement: ");
    std::size_t skip = 17;
    if (at == std::string::npos) {
      at = line.find("LOG:  execute <unnamed>: ");
      skip = 25;
    }
    is_ours = at != std::string::npos && line.rfind("pgsluice ", 0) == 0;
    if (is_ours) statements.push_back(line.substr(at + skip));
  }
  return statements;
}

TEST(Plan, PrintsWhatRunSends) {
  test::PrivateServer server({.settings = {{"log_statement", "all"}, {"log_line_prefix", "%a "}}});
  const auto dsn = server.fresh_database();
  Db db(dsn);
  test::make_users(db, 30'000);
  const auto job = job_of(test::onboarding_text());
  std::vector<PlannedStatement> planned;
  for (const auto& step : Engine(dsn).plan(job).steps) {
    planned.insert(planned.end(), step.statements.begin(), step.statements.end());
  }
  RunOptions options;
  options.handle_signals = false;
  Nobody sink;
  ASSERT_EQ(Engine(dsn).run(job, options, sink), ExitCode::kDone);
  const auto sent = statements_of_pgsluice(server.log_text());

  // Whatever touches the table is one of the plan's statements; EXPLAIN asks and does not touch.
  std::size_t seen = 0;
  for (const auto& sql : sent) {
    const bool is_about_users = sql.find("users") != std::string::npos && sql.rfind("EXPLAIN", 0) != 0;
    if (!is_about_users) continue;
    ++seen;
    EXPECT_TRUE(std::any_of(planned.begin(), planned.end(), [&](const auto& p) { return p.sql == sql; }))
        << sql;
  }
  EXPECT_GT(seen, 10U);
  // And each that is not of a rare case is sent, but for the counts in the last one of a batch.
  for (const auto& p : planned) {
    const bool is_rare =
        p.when.find("split") != std::string::npos || p.when.find("also the last") != std::string::npos;
    const auto fixed = p.sql.substr(0, p.sql.find("rows_visited = "));
    const bool is_sent = std::any_of(sent.begin(), sent.end(), [&](const auto& sql) {
      return trimmed(sql).rfind(trimmed(fixed), 0) == 0;
    });
    EXPECT_TRUE(is_rare || is_sent) << p.when << ": " << p.sql;
  }
}

}  // namespace
}  // namespace pgsluice::engine
