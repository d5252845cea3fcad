// Goal: plan and check say what run does, and the verbs that look and steer work from the ledger alone.
// Method: the server logs every statement of a run, which is compared with the plan that was printed before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "pg/trial.hpp"
#include "support/environment.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// ----- plan

/// White space and numbers are not compared: batch sizes and range numbers are those of the moment. Table
/// "small" is as good as "t": the one shows the statements of a table that is one batch, the other those of
/// many.
std::string normalised(const std::string& sql) {
  const auto one_space = std::regex_replace(sql, std::regex("[\\s]+"), " ");
  const auto no_number = std::regex_replace(one_space, std::regex("\\b[0-9]+\\b"), "N");
  const auto one_table = std::regex_replace(no_number, std::regex("\"small\""), "\"t\"");
  return std::regex_replace(one_table, std::regex("^ | ?;? ?$"), "");
}

/// What the program's sessions sent, as the server's log shows it.
std::set<std::string> sent_statements(const std::string& log) {
  const std::regex start(
      "^[0-9-]{10} [0-9:.]+ UTC \\[[0-9]+\\] (.*? )?(LOG|DETAIL|ERROR|FATAL|STATEMENT|"
      "WARNING|HINT|CONTEXT):  (statement: |execute [^:]+: )?");
  std::set<std::string> found;
  std::string sql;
  bool is_sql = false;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (!std::regex_search(line, match, start)) {
      if (is_sql) sql += "\n" + line;
      continue;
    }
    if (is_sql) found.insert(normalised(sql));
    is_sql = match[1].str().starts_with("pgsluice ") && match[2] == "LOG" && match[3].matched;
    sql = match.suffix();
  }
  if (is_sql) found.insert(normalised(sql));
  return found;
}

bool is_change(const std::string& sql) {
  static const std::regex change(
      "^(UPDATE|INSERT|DELETE|TRUNCATE|ALTER|CREATE|DROP|LOCK|COMMENT|GRANT|MERGE)\\b");
  return std::regex_search(sql, change);
}

std::set<std::string> planned_statements(const Json& plan) {
  std::set<std::string> planned;
  for (const auto& step : plan.at("steps")) {
    for (const auto& statement : step.at("statements")) planned.insert(normalised(statement.at("sql")));
  }
  return planned;
}

constexpr const char* kWholeJob = R"toml(
name = "whole"
[batch]
rows = 100
rows_max = 200
[[step]]
kind = "sql"
name = "add"
up = ["ALTER TABLE t ADD COLUMN v int", "ALTER TABLE t ALTER COLUMN v SET DEFAULT 0", "CREATE TABLE note (id int)"]
[[step]]
kind = "backfill"
name = "fill"
table = "t"
set = { v = "length(word)" }
where = "v IS NULL"
[[step]]
kind = "backfill"
name = "fill-small"
table = "small"
set = { v = "length(word)" }
where = "v IS NULL"
[[step]]
kind = "index"
name = "index"
sql = "CREATE INDEX CONCURRENTLY t_v ON t (v)"
[[step]]
kind = "verify"
name = "verify"
query = "SELECT count(*) FROM t WHERE v IS DISTINCT FROM length(word)"
expect = "0"
)toml";

TEST(Plan, PrintsTheStatementsThatRunSendsAndNoOthersChangeAnything) {
  ServerOptions options;
  options.settings = {{"log_statement", "all"}, {"log_timezone", "UTC"}, {"autovacuum", "off"}};
  PrivateServer server(options);
  Trial trial(server);
  trial.db().exec(
      "CREATE TABLE t (id int PRIMARY KEY, word text); INSERT INTO t SELECT n, 'w' || n FROM generate_series"
      "(1, 12000) n; CREATE TABLE small (id int PRIMARY KEY, word text, v int);"
      "INSERT INTO small VALUES (1), (2); ANALYZE");
  trial.job(kWholeJob);
  const auto plan = Json::parse(run_ok(trial.command("plan")));
  const auto before = server.log_text().size();

  // A row that is locked near the start keeps one lane there for a while, so that the other runs out of
  // ranges and splits.
  Db locker(trial.dsn());
  Process process(trial.command("run", {"--lanes", "2"}));
  const auto has_column = [&] { return trial.db().yes("SELECT to_regclass('note') IS NOT NULL"); };
  wait_for(has_column, "the first step");
  locker.exec("BEGIN; SELECT 1 FROM t WHERE id = 400 FOR UPDATE");
  const auto has_split = [&] { return !trial.logged("split").empty() || !process.running(); };
  wait_for(has_split, "a split");
  locker.exec("COMMIT");
  ASSERT_EQ(process.wait().code, 0) << process.out() << process.err();

  const auto sent = sent_statements(server.log_text().substr(before));
  const auto planned = planned_statements(plan);
  for (const auto& sql : planned) EXPECT_TRUE(sent.contains(sql)) << "planned, but not sent: " << sql;
  for (const auto& sql : sent) {
    if (!is_change(sql) || sql.find("pgsluice.") != std::string::npos ||
        sql.find("SCHEMA pgsluice") != std::string::npos)
      continue;
    EXPECT_TRUE(planned.contains(sql)) << "sent, but not planned: " << sql;
  }
  EXPECT_GE(planned.size(), 15U);
}

TEST(Plan, OfAFinishedJobSendsNothing) {
  Trial trial;
  trial.db().exec("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT generate_series(1, 100)");
  trial.job(backfill_job("t", "v = 1"));
  ASSERT_EQ(trial.run().code(), 0);
  const auto plan = Json::parse(run_ok(trial.command("plan")));
  EXPECT_THAT(planned_statements(plan), IsEmpty());
  EXPECT_EQ(plan.at("steps").at(0).at("state"), "done");
}

// ----- check

TEST(Check, OfAGoodJobFindsItReadyAndWritesNothing) {
  Trial trial;
  trial.db().exec(
      "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT generate_series(1, 100); ANALYZE t");
  trial.job(backfill_job("t", "v = 1"));
  const auto found = Json::parse(run_ok(trial.command("check")));
  EXPECT_FALSE(found.at("is_refused").get<bool>());
  for (const auto& finding : found.at("findings")) EXPECT_EQ(finding.at("level"), "note") << finding;
  EXPECT_THAT(run_ok(trial.text_command("check")), HasSubstr("job \"fill\": ready to run"));
  EXPECT_TRUE(trial.is_untouched());
}

TEST(Check, OfABadJobTellsEveryRefusalAndEndsAsRunWould) {
  Trial trial;
  trial.db().exec("CREATE TABLE a (id int); CREATE TABLE b (id int PRIMARY KEY); CREATE TABLE b_id (id int)");
  trial.job(
      "name = \"bad\"\n[[step]]\nkind = \"backfill\"\nname = \"one\"\ntable = \"a\"\nset = { id = 1 }\n"
      "[[step]]\nkind = \"backfill\"\nname = \"two\"\ntable = \"b\"\nset = { v = 1 }\n"
      "[[step]]\nkind = \"index\"\nname = \"three\"\nsql = \"CREATE INDEX CONCURRENTLY b_id ON b (id)\"\n");
  const auto checked = trial.verb("check");
  EXPECT_EQ(checked.code(), 5);
  const auto found = Json::parse(checked.out);
  EXPECT_TRUE(found.at("is_refused").get<bool>());
  std::vector<std::string> refusals;
  for (const auto& finding : found.at("findings")) {
    if (finding.at("level") == "refuse") refusals.push_back(finding.at("message"));
  }
  EXPECT_THAT(refusals,
              testing::UnorderedElementsAre(HasSubstr("has no key to walk"), HasSubstr("has no column \"v\""),
                                            HasSubstr("\"b_id\" belongs to something other than")));
  EXPECT_EQ(trial.run().code(), 5);
  EXPECT_TRUE(trial.is_untouched());
}

TEST(Check, TellsWhatStandsInTheWay) {
  Trial trial;
  trial.db().exec(
      "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT generate_series(1, 100);"
      "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
      "CREATE TRIGGER stamp BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()");
  Db other(trial.dsn());
  other.exec("BEGIN; LOCK TABLE t IN SHARE ROW EXCLUSIVE MODE");
  trial.job(backfill_job("t", "v = \"(random() * 100)::int\""));
  const auto finished = trial.verb("check");
  EXPECT_EQ(finished.code(), 0) << finished.err;
  EXPECT_THAT(finished.out, AllOf(HasSubstr("SHARE ROW EXCLUSIVE"), HasSubstr("stamp"), HasSubstr("random"),
                                  HasSubstr("never analysed")));
}

// ----- verbs that look and steer

const std::vector<std::vector<std::string>> kVerbsOfAName = {{"status", "nobody"},
                                                             {"watch", "nobody"},
                                                             {"history", "nobody"},
                                                             {"failures", "nobody"},
                                                             {"pause", "nobody"},
                                                             {"resume", "nobody"},
                                                             {"cancel", "nobody"},
                                                             {"set", "nobody", "pool.lanes=2"},
                                                             {"resolve", "nobody", "fill", "--applied"}};

void expect_no_such_job(const Trial& trial) {
  for (auto args : kVerbsOfAName) {
    SCOPED_TRACE(args.front());
    args.insert(args.end(), {"--dsn", trial.dsn(), "--json"});
    const auto finished = test::run(pgsluice(args));
    EXPECT_EQ(finished.code(), 10) << finished.out << finished.err;
    EXPECT_THAT(finished.err, AllOf(HasSubstr("\"nobody\""), HasSubstr("hint: ")));
  }
}

TEST(Verbs, AnswerWith10ForAJobThatIsNotThere) {
  Trial trial;
  expect_no_such_job(trial);  // no ledger
  EXPECT_TRUE(trial.is_untouched());
  trial.db().exec("CREATE TABLE t (id int PRIMARY KEY, v int)");
  trial.job(backfill_job("t", "v = 1"));
  EXPECT_EQ(trial.verb("rollback").code(), 10);
  EXPECT_TRUE(trial.is_untouched());
  ASSERT_EQ(trial.run().code(), 0);
  expect_no_such_job(trial);  // another job's ledger
  EXPECT_EQ(trial.verb("resolve", {"no-such-step", "--applied"}).code(), 10);
}

/// A run of 3,000 rows that waits for one which the test has locked.
class Steering : public testing::Test {
 protected:
  Steering() : locker_(trial_.dsn()) {
    trial_.db().exec(
        "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);"
        "INSERT INTO t SELECT generate_series(1, 3000); ANALYZE t");
    trial_.job(backfill_job("t", "n = \"n + 1\"", "", "[batch]\nrows = 100\nrows_max = 100"));
    locker_.exec("BEGIN; SELECT 1 FROM t WHERE id = 2999 FOR UPDATE");
  }

  Json status() { return Json::parse(run_ok(trial_.command("status"))).at("jobs").at(0); }
  void expect_each_once() { EXPECT_EQ(trial_.db().text("SELECT min(n) || ' ' || max(n) FROM t"), "1 1"); }

  Trial trial_;
  Db locker_;
};

TEST_F(Steering, PauseHoldsARunAndRefusesTheNextUntilResume) {
  Process process(trial_.command("run"));
  await_batches(trial_, 3);
  EXPECT_EQ(trial_.verb("pause", {"--reason", "peak hour"}).code(), 0);
  wait_for([&] { return trial_.logged("state").size() == 1; }, "the pause");
  EXPECT_THAT(trial_.logged("state").back().at("reason").get<std::string>(), HasSubstr("peak hour"));
  // A pause lets the batch in flight end, and here it would be the last one.
  wait_for(
      [&] {
        return trial_.db().number(
                   "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgsluice%lane%'"
                   " AND state <> 'idle'") == 0;
      },
      "the batch in flight");
  locker_.exec("COMMIT");
  const auto second = trial_.run();
  EXPECT_EQ(second.code(), 6) << second.err;
  EXPECT_THAT(summary_of(second).at("reason").get<std::string>(), HasSubstr("peak hour"));
  EXPECT_TRUE(process.running());
  EXPECT_EQ(status().at("control"), "pause");

  EXPECT_EQ(trial_.verb("resume").code(), 0);
  EXPECT_EQ(process.wait().code, 0) << process.out() << process.err();
  expect_each_once();
}

TEST_F(Steering, CancelEndsARunAndKeepsItFromStartingAgain) {
  Process process(trial_.command("run"));
  await_batches(trial_, 3);
  EXPECT_EQ(trial_.verb("cancel", {"--reason", "wrong column"}).code(), 0);
  EXPECT_EQ(process.wait().code, 7) << process.out() << process.err();
  EXPECT_EQ(status().at("state"), "cancelled");
  EXPECT_EQ(trial_.run().code(), 7);
  locker_.exec("COMMIT");
  EXPECT_EQ(trial_.verb("resume").code(), 0);
  EXPECT_EQ(trial_.run().code(), 0);
  expect_each_once();
}

TEST_F(Steering, SetReachesALiveRunAndIsAudited) {
  Process process(trial_.command("run"));
  await_batches(trial_, 3);
  EXPECT_EQ(trial_.verb("set", {"pool.lanes=1", "batch.target=250ms", "--reason", "gently"}).code(), 0);
  wait_for([&] { return trial_.logged("tune").size() >= 2; }, "the new limits");
  const auto commands = trial_.logged("command");
  ASSERT_EQ(commands.size(), 2U);
  EXPECT_EQ(commands[0].at("verb"), "set");
  EXPECT_EQ(commands[0].at("arguments"), "pool.lanes=1");
  EXPECT_EQ(commands[0].at("reason"), "gently");
  EXPECT_THAT(commands[0].at("actor").get<std::string>(), HasSubstr("@"));
  locker_.exec("COMMIT");
  EXPECT_EQ(process.wait().code, 0);
  EXPECT_THAT(status().at("tunables").dump(),
              AllOf(HasSubstr("pool.lanes=1"), HasSubstr("batch.target=250ms")));
  for (const char* mistake : {"batch.target=soon", "pool.lanes=0", "no.such=1", "nothing"}) {
    EXPECT_EQ(trial_.verb("set", {mistake}).code(), 2) << mistake;
  }
}

TEST_F(Steering, SigtermDrainsAndLeavesWork) {
  Process process(trial_.command("run", {"--grace", "1s"}));
  await_batches(trial_, 3);
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait().code, 75) << process.out() << process.err();
  locker_.exec("COMMIT");
  EXPECT_EQ(trial_.run().code(), 0);
  expect_each_once();
}

TEST_F(Steering, WorkLeftEndsWithTheCodeThatTheSchedulerWants) {
  EXPECT_EQ(trial_.run({"--for", "1s", "--yield-exit-code", "99"}).code(), 99);
  locker_.exec("COMMIT");
  EXPECT_EQ(trial_.run({"--for", "1min", "--yield-exit-code", "99"}).code(), 0);
  expect_each_once();
}

TEST(Verify, ByARoleThatMayOnlyReadProvesTheSame) {
  Trial trial;
  trial.db().exec("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT generate_series(1, 9)");
  trial.job(backfill_job("t", "n = \"1 / (id - 5)\"", "where = \"n IS NULL\"", "max_quarantined = 1"));
  ASSERT_EQ(trial.run().code(), 3);
  ASSERT_EQ(trial.verb("verify").code(), 0) << "the row that was set aside may be left";
  const auto auditor = trial.make_role("auditor");
  trial.db().exec("GRANT SELECT ON t TO " + auditor + "; GRANT USAGE ON SCHEMA pgsluice TO " + auditor +
                  "; GRANT SELECT ON ALL TABLES IN SCHEMA pgsluice TO " + auditor);
  trial.connect_as(trial.dsn(auditor));
  EXPECT_EQ(trial.verb("verify").code(), 0);
  trial.db().exec("REVOKE USAGE ON SCHEMA pgsluice FROM " + auditor);
  EXPECT_EQ(trial.verb("verify").code(), 77) << "who may not read the ledger proves nothing";
}

TEST(Limits, AreThoseOfAllJobsTogether) {
  Trial trial;
  const TempFolder folder;
  const auto job = [&](const std::string& name) {
    return folder.write(name + ".toml", "name = \"" + name +
                                            "\"\n[[step]]\nkind = \"verify\"\nname = \"slow\"\n"
                                            "query = \"SELECT pg_sleep(3) IS NOT NULL\"\nexpect = \"t\"\n");
  };
  trial.job_file(job("first"));
  const auto finished = trial.run({job("second").string(), "--for", "4s", "--grace", "1s"});
  EXPECT_EQ(finished.code(), 75) << finished.out << finished.err;
  const auto summaries = events_of(finished.out, "summary");
  ASSERT_EQ(summaries.size(), 2U);
  EXPECT_EQ(summaries.front().at("exit_code"), 0);
  EXPECT_THAT(summaries.back().at("reason").get<std::string>(), HasSubstr("--for is over"));
}

TEST_F(Steering, ResolveCorrectsTheLedgerBothWays) {
  locker_.exec("COMMIT");
  ASSERT_EQ(trial_.run().code(), 0);
  EXPECT_EQ(trial_.verb("resolve", {"fill", "--rolled-back", "--reason", "restored from backup"}).code(), 0);
  EXPECT_EQ(status().at("steps").at(0).at("state"), "waiting");
  EXPECT_EQ(trial_.verb("resolve", {"fill", "--applied"}).code(), 0);
  EXPECT_EQ(status().at("steps").at(0).at("state"), "done");
  EXPECT_EQ(trial_.run().code(), 0);
  expect_each_once();
  EXPECT_EQ(trial_.verb("resolve", {"fill"}).code(), 2);
}

TEST_F(Steering, HistoryTellsEverythingInOrder) {
  locker_.exec("COMMIT");
  ASSERT_EQ(trial_.run().code(), 0);
  ASSERT_EQ(trial_.verb("pause", {"--reason", "for the log"}).code(), 0);
  const auto lines = run_ok(trial_.command("history"));
  for (const char* type : {"run_started", "step_started", "step_ended", "summary", "command"}) {
    EXPECT_EQ(events_of(lines, type).size(), 1U) << type << "\n" << lines;
  }
  EXPECT_LT(lines.find("run_started"), lines.find("\"summary\""));
  EXPECT_EQ(events_of(run_ok(trial_.command("history", {"--limit", "1"})), "command").size(), 1U);
}

}  // namespace
}  // namespace pgsluice::test
