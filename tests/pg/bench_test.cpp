// Goal: bench measures what a run would do, and leaves tables, ledger and sessions as it found them, however
// it ends. Method: the real program on small tables, its report as JSON.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/trial.hpp"
#include "support/environment.hpp"
#include "support/server_user.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr int kWorkLeft = 75;

class Bench : public ::testing::Test {
 protected:
  void SetUp() override {
    trial_.db().exec(
        "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, plan int, onboarded boolean);"
        "CREATE INDEX users_email ON users (email);"
        "INSERT INTO users SELECT g, 'user' || g || '@example.com', g % 7 FROM generate_series(1, 20000) g;"
        "ALTER TABLE users SET (autovacuum_enabled = false); ANALYZE users");
    trial_.job(backfill_job("users", "onboarded = 'true'", "where = \"onboarded IS NULL\""));
  }

  /// A short one, unless said otherwise.
  struct Wanted {
    std::string time = "6s";
    std::string sizes = "200,500";
    std::string walks = "keyset";
    std::string repeat = "1";
    std::vector<std::string> more{};
  };
  Command bench(const Wanted& wanted) {
    std::vector<std::string> args{"--for", wanted.time, "--sizes",    wanted.sizes, "--lanes",
                                  "2",     "--walks",   wanted.walks, "--repeat",   wanted.repeat};
    args.insert(args.end(), wanted.more.begin(), wanted.more.end());
    return trial_.command("bench", args);
  }
  Finished run(const Wanted& wanted) { return test::run(bench(wanted), 3 * kPatience); }

  /// The same with pgbench within reach.
  Finished run_with_traffic(const Wanted& wanted) {
    auto command = bench(wanted);
    const std::filesystem::path pgbench = postgres_program("pgbench");
    command.env["PATH"] = pgbench.parent_path().string() + ":/usr/bin:/bin";
    return test::run(command, 3 * kPatience);
  }

  static Json report_of(const Finished& finished) {
    const auto report = Json::parse(finished.out, nullptr, false);
    EXPECT_FALSE(report.is_discarded()) << finished.out << finished.err;
    return report.is_discarded() ? Json::object() : report;
  }

  /// Equal if and only if no row was written in between, committed or not visible any more.
  std::string fingerprint() {
    return trial_.db().text("SELECT md5(string_agg(u::text || ctid || xmin, ',' ORDER BY id)) FROM users u");
  }

  bool is_copy_there() { return trial_.db().yes("SELECT to_regnamespace('pgsluice_bench') IS NOT NULL"); }

  void expect_no_trace() {
    EXPECT_FALSE(is_copy_there());
    if (!trial_.is_untouched()) {
      EXPECT_EQ(trial_.db().number("SELECT count(*) FROM pgsluice.job"), 0);
      EXPECT_EQ(trial_.db().number("SELECT count(*) FROM pgsluice.event"), 0);
    }
    const auto is_quiet = [&] {
      return trial_.db().number(
                 "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                 "application_name LIKE 'pgsluice %'") == 0;
    };
    wait_for(is_quiet, "the end of the bench's sessions");
  }

  /// In a trial on a copy.
  std::unique_ptr<Process> start_and_await_copy() {
    auto process = std::make_unique<Process>(bench({.time = "60s", .repeat = "50", .more = {"--copy"}}));
    wait_for([&] { return process->err().find("each trial on a fresh copy") != std::string::npos; },
             "the copies");
    return process;
  }

  Trial trial_;
};

TEST_F(Bench, ChangesNothingOnTheRealTableAndWritesNoLedger) {
  const auto before = fingerprint();
  const auto finished = run({});
  ASSERT_EQ(finished.code(), 0) << finished.out << finished.err;
  EXPECT_EQ(fingerprint(), before);
  EXPECT_TRUE(trial_.is_untouched());
  expect_no_trace();

  const auto report = report_of(finished);
  EXPECT_FALSE(report.at("on_copy").get<bool>());
  ASSERT_EQ(report.at("figures").size(), 2U);
  for (const auto& f : report.at("figures")) {
    EXPECT_GE(f.at("trials").get<int>(), 1);
    EXPECT_GT(f.at("rows_per_second").at("median").get<double>(), 0);
    EXPECT_GT(f.at("wal_bytes_per_row").at("median").get<double>(), 50)
        << "a row version and its index entries";
    EXPECT_GT(f.at("batch_p95_ms").at("median").get<double>(), 0);
    EXPECT_FALSE(f.at("hot_percent").is_null());
    EXPECT_FALSE(f.at("cpu_us_per_row").is_null()) << "the server runs on this host";
  }
  EXPECT_THAT(report.at("notes").dump(), HasSubstr("--copy shows that"));
}

TEST_F(Bench, MeasuresRealRunsOnCopiesAndLeavesNoTrace) {
  const auto before = fingerprint();
  const auto finished = run({.time = "40s", .walks = "keyset,blocks", .more = {"--copy"}});
  ASSERT_EQ(finished.code(), 0) << finished.out << finished.err;
  EXPECT_EQ(fingerprint(), before);
  expect_no_trace();

  const auto report = report_of(finished);
  EXPECT_EQ(report.at("copy_rows"), 20'000);
  ASSERT_EQ(report.at("figures").size(), 4U) << report.dump(2);
  for (const auto& f : report.at("figures")) {
    EXPECT_GT(f.at("wal_bytes_per_row").at("median").get<double>(), 50);
    EXPECT_GT(f.at("heap_bytes_per_row").at("median").get<double>(), 1) << "full pages have no room";
    EXPECT_FALSE(f.at("hot_percent").is_null());
  }
  EXPECT_THAT(report.at("notes").dump(), HasSubstr("foreign keys and triggers are not copied"));
}

TEST_F(Bench, TakesTheCopyAwayWhenItIsInterrupted) {
  const auto process = start_and_await_copy();
  process->signal(SIGINT);
  EXPECT_EQ(process->wait(2 * kPatience).code, kWorkLeft) << process->out() << process->err();
  expect_no_trace();
}

TEST_F(Bench, TakesAwayWhatAKilledOneLeft) {
  const auto process = start_and_await_copy();
  kill_program(trial_, *process);
  ASSERT_TRUE(is_copy_there());
  const auto finished = run({.time = "10s", .sizes = "500", .more = {"--copy"}});
  EXPECT_EQ(finished.code(), 0) << finished.out << finished.err;
  expect_no_trace();
}

TEST_F(Bench, DoesNotShareItsCopiesWithAnotherBench) {
  const auto first = start_and_await_copy();
  const auto second = run({.more = {"--copy"}});
  EXPECT_EQ(second.code(), 5) << second.out << second.err;
  EXPECT_THAT(refusal_of(second).message, HasSubstr("another bench"));
  EXPECT_TRUE(is_copy_there());
  first->signal(SIGINT);
  first->wait(2 * kPatience);
  expect_no_trace();
}

TEST_F(Bench, DropsNoSchemaThatItDidNotMake) {
  trial_.db().exec("CREATE SCHEMA pgsluice_bench; CREATE TABLE pgsluice_bench.dear (id int)");
  const auto finished = run({.more = {"--copy"}});
  EXPECT_EQ(finished.code(), 5) << finished.out << finished.err;
  EXPECT_TRUE(trial_.db().yes("SELECT to_regclass('pgsluice_bench.dear') IS NOT NULL"));
}

TEST_F(Bench, GivesWayToWhoeverWaitsForTheTable) {
  // Batches that last, so that somebody can wait for one.
  trial_.db().exec(
      "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
      "$$ BEGIN IF new.id % 100 = 0 THEN PERFORM pg_sleep(0.05); END IF; RETURN new; END $$;"
      "CREATE TRIGGER slow BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION slow()");
  Process process(bench({.time = "20s", .sizes = "500"}));
  Db other(trial_.dsn());
  const auto has_given_way = [&] {
    other.exec("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE; COMMIT");
    return process.err().find("not counted, a session waited for it") != std::string::npos;
  };
  wait_for(has_given_way, 2 * kPatience, "a trial that gives way");
  const auto code = process.wait(2 * kPatience).code;
  EXPECT_TRUE(code == 0 || code == kWorkLeft) << process.out() << process.err();
  EXPECT_THAT(process.out(), HasSubstr("a session waited for it"));
}

TEST_F(Bench, RefusesAStepWithNothingToDo) {
  trial_.db().exec("UPDATE users SET onboarded = true");
  for (const auto& more : std::vector<std::vector<std::string>>{{}, {"--copy"}}) {
    const auto finished = run({.more = more});
    EXPECT_NE(finished.code(), 0);
    EXPECT_THAT(refusal_of(finished).message, HasSubstr("nothing to measure")) << finished.err;
    expect_no_trace();
  }
}

TEST_F(Bench, RefusesAColumnThatIsNotThereYet) {
  trial_.job(backfill_job("users", "missing = 'true'"));
  const auto finished = run({});
  EXPECT_EQ(finished.code(), 5) << finished.out << finished.err;
  EXPECT_THAT(refusal_of(finished).message, HasSubstr("missing"));
}

TEST_F(Bench, LeavesOutWalksThatTheStepCannotTake) {
  trial_.job(backfill_job("users", "plan = 'plan + 1'"));
  const auto report = report_of(run({.walks = "keyset,blocks,interleaved"}));
  EXPECT_EQ(report.at("figures").size(), 2U);
  const auto left_out = report.at("left_out").dump();
  EXPECT_THAT(left_out, HasSubstr("blocks: "));
  EXPECT_THAT(left_out, HasSubstr("interleaved: "));
}

TEST_F(Bench, WalksPartitionsAndCompositeKeys) {
  trial_.db().exec(
      "CREATE TABLE \"Odd Lines\" (tenant text, id bigint, n int, PRIMARY KEY (tenant, id)) PARTITION BY "
      "LIST (tenant);"
      "CREATE TABLE lines_a PARTITION OF \"Odd Lines\" FOR VALUES IN ('a');"
      "CREATE TABLE lines_b PARTITION OF \"Odd Lines\" FOR VALUES IN ('b');"
      "INSERT INTO \"Odd Lines\" SELECT CASE WHEN g % 3 = 0 THEN 'a' ELSE 'b' END, g FROM generate_series(1, "
      "20000) g;"
      "ANALYZE \"Odd Lines\"");
  trial_.job(backfill_job("\"Odd Lines\"", "n = '1'", "where = \"n IS NULL\""));
  for (const auto& more : std::vector<std::vector<std::string>>{{}, {"--copy"}}) {
    const auto finished = run({.time = "20s", .sizes = "300", .walks = "keyset,blocks", .more = more});
    EXPECT_EQ(finished.code(), 0) << finished.out << finished.err;
    EXPECT_EQ(report_of(finished).at("figures").size(), 2U) << finished.out;
    expect_no_trace();
  }
}

TEST_F(Bench, ShowsWhatTheTrafficSeesBesideUsAndAlone) {
  TempFolder folder;
  const auto script =
      folder.write("read.sql", "\\set id random(1, 20000)\nSELECT email FROM users WHERE id = :id;\n");
  const auto finished =
      run_with_traffic({.time = "30s", .sizes = "500", .more = {"--traffic", script.string()}});
  ASSERT_EQ(finished.code(), 0) << finished.out << finished.err;
  const auto report = report_of(finished);
  EXPECT_GT(report.at("others_rate").get<double>(), 0);
  EXPECT_GT(report.at("others_alone_p99_ms").at("median").get<double>(), 0);
  EXPECT_GT(report.at("figures")[0].at("others_p99_ms").at("median").get<double>(), 0);
}

TEST_F(Bench, TellsWhyTheTrafficDoesNotBegin) {
  TempFolder folder;
  const auto script = folder.write("wrong.sql", "\\no_such_command\n");
  const auto finished = run_with_traffic({.more = {"--traffic", script.string()}});
  EXPECT_EQ(finished.code(), 1) << finished.out << finished.err;
  EXPECT_THAT(refusal_of(finished).message, HasSubstr("no_such_command"));
}

TEST_F(Bench, WritesTableCsvAndPage) {
  TempFolder folder;
  const auto csv = folder.path() / "bench.csv";
  const auto page = folder.path() / "bench.html";
  const auto finished =
      test::run(trial_.text_command("bench", {"--for", "5s", "--sizes", "200", "--lanes", "1", "--walks",
                                              "keyset", "--csv", csv.string(), "--html", page.string()}),
                3 * kPatience);
  ASSERT_EQ(finished.code(), 0) << finished.out << finished.err;
  EXPECT_THAT(finished.out, HasSubstr("keyset      1"));
  EXPECT_THAT(read_file(csv), HasSubstr("keyset,1,200,"));
  EXPECT_THAT(read_file(page), HasSubstr("<svg "));
}

TEST_F(Bench, SaysAtOnceThatAFileCannotBeWritten) {
  const auto finished = run({.more = {"--csv", "/no/such/folder/bench.csv"}});
  EXPECT_EQ(finished.code(), 2) << finished.out << finished.err;
  EXPECT_TRUE(trial_.is_untouched());
}

}  // namespace
}  // namespace pgsluice::test
