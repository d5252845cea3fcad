// The plan against the server's log: what real batches and a whole run send is what the plan printed, and no
// other statement touches the table.
#include <gtest/gtest.h>

#include <regex>

#include <algorithm>
#include <sstream>

#include "kinds/definition_change/job_definition.hpp"
#include "kinds/planner.hpp"
#include "lanes/batch/backfill_step.hpp"
#include "lanes/batch/batch.hpp"
#include "ledger/jobs.hpp"
#include "ledger/range/lease.hpp"
#include "ledger/range/split.hpp"
#include "ledger/runs.hpp"
#include "ledger/schema.hpp"
#include "pg/engine_jobs.hpp"
#include "pgsluice/engine.hpp"
#include "support/private_server.hpp"

namespace pgsluice::engine {
namespace {

using test::Db;
using test::job_of;
using test::session_on;

/// A constant of several lines begins and ends with a line break, which the log shows or not.
std::string trimmed(const std::string& sql) {
  const auto first = sql.find_first_not_of(" \n");
  return first == std::string::npos ? "" : sql.substr(first, sql.find_last_not_of(" \n") - first + 1);
}

/// The log indents what follows a line break; numbers of ranges and rows differ.
std::string as_logged(std::string sql) {
  for (std::size_t at = 0; (at = sql.find('\n', at)) != std::string::npos; at += 2) sql.insert(at + 1, "\t");
  return sql;
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
        prepare_backfill(session, *job.steps.at(0).as<BackfillStep>(), record.steps.at(0).step_id, 2);
    cut_into_ranges(session, step, 2);
    while (auto range = ledger::lease_next(session, step.step_id, run_id, {}))
      walk(session, job, step, *range, rows);
  }

  void walk(pg::Session& session, const Job& job, const PreparedBackfill& step, ledger::Range range,
            std::int64_t rows) {
    if (!range.upper) {
      range.upper = step.keyset->read_key(session.exec(step.keyset->highest(), pg::Params{}), 0);
      ledger::fix_upper(session, range.token, *range.upper);
    }
    BatchWork work;
    work.keyset = &*step.keyset;
    work.sql = &step.sql;
    work.step_id = step.step_id;
    work.range = std::move(range);
    work.rows = rows;
    work.limits = batch_limits(job.tunables.batch.target, job.tunables.throttle.lock_wait,
                               step.deadlock_timeout, step.long_statements());
    for (;;) {
      const auto outcome = run_batch(session, work);
      ASSERT_EQ(outcome.disposition, pg::Disposition::kCommitted) << outcome.message;
      if (outcome.is_range_done) return;
      work.range.position = outcome.position;
    }
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

TEST_F(PlannedBatches, CountWhatTheySelectWhereATriggerMaySkipARow) {
  test::make_users(db_, 3'000);
  const auto job = job_of(
      "name = \"j\"\n[[step]]\nkind = \"backfill\"\nname = \"fill\"\ntable = \"users\"\nset = { plan = \"9\" "
      "}\n");
  auto session = session_on(dsn_);
  const auto counts_of = [&] {
    std::vector<std::string> out;
    const auto step = make_plan(session, job, "here").steps.at(0);
    for (const auto& s : step.statements) {
      if (s.sql.find("FOR NO KEY UPDATE") != std::string::npos ||
          s.sql.find("unchanged") != std::string::npos)
        out.push_back(s.sql.substr(0, s.sql.find("rows_visited = ")));
    }
    return out;
  };
  EXPECT_TRUE(counts_of().empty()) << "an ordinary table pays nothing";
  db_.exec(
      "CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN OLD.id % 50 <> 1 "
      "THEN NEW END; "
      "END $$; CREATE TRIGGER skip BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION skip()");
  walk_all(job, 50);
  const auto log = server_.log_text();
  EXPECT_EQ(counts_of().size(), 3U);
  for (const auto& sql : counts_of()) EXPECT_NE(log.find(as_logged(sql)), std::string::npos) << sql;
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

TEST(Plan, PrintsWhatAnInterleavedWalkSends) {
  test::PrivateServer server({.settings = {{"log_statement", "all"}, {"log_line_prefix", "%a "}}});
  const auto dsn = server.fresh_database();
  Db db(dsn);
  test::make_users(db, 30'000);
  const auto job = job_of(R"toml(
name = "plans"
[[step]]
kind = "backfill"
name = "fill"
table = "users"
walk = "interleaved"
set = { plan = "NULL -- all of them" }
where = "users.plan IS NOT NULL"
)toml");
  const auto planned = Engine(dsn).plan(job).steps.at(0).statements;
  RunOptions options;
  options.handle_signals = false;
  Nobody sink;
  ASSERT_EQ(Engine(dsn).run(job, options, sink), ExitCode::kDone);
  std::size_t seen = 0;
  for (const auto& sql : statements_of_pgsluice(server.log_text())) {
    // EXPLAIN asks and does not touch, but for one that runs what it explains.
    const bool only_asks = sql.rfind("EXPLAIN", 0) == 0 && sql.rfind("EXPLAIN (ANALYZE", 0) != 0;
    if (sql.find("\"users\"") == std::string::npos || only_asks) continue;
    ++seen;
    EXPECT_TRUE(std::any_of(planned.begin(), planned.end(), [&](const auto& p) { return p.sql == sql; }))
        << sql;
  }
  EXPECT_GT(seen, 20U);
  for (const auto& p : planned) {
    const bool is_of_final_pass = p.when.find("only in a final pass") != std::string::npos;
    if (is_of_final_pass || p.when.find("has such rows") != std::string::npos) continue;  // no row moved
    if (p.when.find("statement of one batch in 16") != std::string::npos) continue;  // chance decides which
    const auto fixed = trimmed(p.sql.substr(0, p.sql.find("rows_visited = ")));
    EXPECT_NE(server.log_text().find(as_logged(fixed)), std::string::npos) << p.when << ": " << p.sql;
  }
}

TEST(Plan, PrintsWhatAPurgeSends) {
  test::PrivateServer server({.settings = {{"log_statement", "all"}, {"log_line_prefix", "%a "}}});
  const auto dsn = server.fresh_database();
  Db db(dsn);
  test::make_users(db, 5'000);
  db.exec(
      "CREATE TABLE notes (id serial PRIMARY KEY, user_id bigint NOT NULL REFERENCES users);"
      "INSERT INTO notes (user_id) SELECT id FROM users WHERE id % 2 = 0; CREATE INDEX ON notes (user_id); "
      "ANALYZE");
  const auto job = job_of(R"toml(
name = "purge"
[[step]]
kind = "purge"
name = "old"
table = "users"
where = "id <= 2000 OR plan < 0"
with = "notes"
archive_to = "kept"
allow_effects_on = ["notes"]
vacuum = true
)toml");
  const auto planned = Engine(dsn).plan(job).steps.at(0).statements;
  RunOptions options;
  options.handle_signals = false;
  Nobody sink;
  ASSERT_EQ(Engine(dsn).run(job, options, sink), ExitCode::kDone);
  std::size_t seen = 0;
  for (const auto& sql : statements_of_pgsluice(server.log_text())) {
    const bool is_about_it =
        sql.find("\"users\"") != std::string::npos || sql.find("\"notes\"") != std::string::npos;
    if (!is_about_it || sql.rfind("EXPLAIN", 0) == 0) continue;
    ++seen;
    EXPECT_TRUE(std::any_of(planned.begin(), planned.end(), [&](const auto& p) { return p.sql == sql; }))
        << sql;
  }
  EXPECT_GT(seen, 10U);
}

bool is_change(const std::string& sql) {
  constexpr const char* kWords[] = {"ALTER", "CREATE", "DROP", "LOCK", "UPDATE", "VACUUM", "ANALYZE"};
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](const char* word) { return sql.rfind(word, 0) == 0; });
}

TEST(Plan, PrintsWhatARetypeSendsFromTheFirstColumnToContract) {
  test::PrivateServer server({.settings = {{"log_statement", "all"}, {"log_line_prefix", "%a "}}});
  const auto dsn = server.fresh_database();
  Db db(dsn);
  test::make_users(db, 3'000);
  db.exec(
      "CREATE TABLE notes (id serial PRIMARY KEY, user_id bigint NOT NULL REFERENCES users);"
      "INSERT INTO notes (user_id) SELECT id FROM users; CREATE VIEW of_users AS SELECT id FROM users");
  const auto job = job_of(R"toml(
name = "ids"
[[step]]
kind = "retype"
name = "ids"
tables = ["users"]
to = "uuid"
mapping = "embed"
new_ids = "gen_random_uuid()"
)toml");
  const auto planned = Engine(dsn).plan(job).steps.at(0).statements;
  RunOptions options;
  options.handle_signals = false;
  Nobody sink;
  ASSERT_EQ(Engine(dsn).run(job, options, sink), ExitCode::kReadyForCutOver);
  ASSERT_EQ(Engine(dsn).cutover("ids", Milliseconds{0}, sink), ExitCode::kDone);
  ASSERT_EQ(Engine(dsn).contract("ids", sink), ExitCode::kDone);
  const auto sent = statements_of_pgsluice(server.log_text());

  // A cut-over sends its statements at once, so a planned one may be a part of what was sent.
  for (const auto& p : planned) {
    const bool is_rare = p.when.find("split") != std::string::npos ||
                         p.when.find("last batch") != std::string::npos ||
                         p.when.find("cut a large table") != std::string::npos ||
                         p.when.find("also the last") != std::string::npos;
    const auto fixed = trimmed(p.sql.substr(0, p.sql.find("rows_visited = ")));
    const bool is_sent = std::any_of(sent.begin(), sent.end(),
                                     [&](const auto& sql) { return sql.find(fixed) != std::string::npos; });
    EXPECT_TRUE(is_rare || is_sent) << p.when << ": " << p.sql;
  }
  std::size_t seen = 0;
  for (const auto& sql : sent) {
    const bool is_about_them =
        sql.find("users") != std::string::npos || sql.find("notes") != std::string::npos;
    static const std::regex likeness("r[0-9]+_p");  // of schema public; rolled back
    const bool is_rehearsed = std::regex_search(sql, likeness);
    if (!is_about_them || is_rehearsed || !is_change(sql)) continue;
    ++seen;
    // Of a cut-over's statements the first one stands for them all: they are sent together.
    EXPECT_TRUE(std::any_of(planned.begin(), planned.end(), [&](const auto& p) {
      return sql.rfind(trimmed(p.sql), 0) == 0;
    })) << sql;
  }
  EXPECT_GT(seen, 40U);
}

}  // namespace
}  // namespace pgsluice::engine
