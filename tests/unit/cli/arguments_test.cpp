// Goal: every verb takes what the manual says, and each mistake is a usage error that helps. Method: words
// in, values or the error out; nothing is performed.
#include "cli/arguments.hpp"

#include <gmock/gmock.h>

namespace pgsluice::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Error mistake_of(const std::vector<std::string>& words) {
  try {
    parse_arguments(words);
  } catch (const Error& error) {
    return error;
  }
  return Error(ExitCode::kDone, "no mistake");
}

TEST(Arguments, RunTakesSeveralJobsAndItsLimits) {
  const auto a = parse_arguments({"run", "a.toml", "jobs", "--for", "4h", "--until", "06:00", "--lanes", "4",
                                  "--grace", "1500ms", "--wait", "2min"});
  EXPECT_EQ(a.verb, Verb::kRun);
  EXPECT_THAT(a.jobs, ElementsAre("a.toml", "jobs"));
  EXPECT_EQ(a.run.duration, std::chrono::hours(4));
  const auto now = std::time(nullptr);
  EXPECT_GT(a.run.until, now) << "the instant is fixed once, for all jobs of a folder";
  EXPECT_LE(a.run.until, now + 25 * 3600);
  EXPECT_EQ(a.lanes, 4);
  EXPECT_EQ(a.run.grace, std::chrono::seconds(2)) << "rounded up";
  EXPECT_EQ(a.run.wait, std::chrono::minutes(2));
}

TEST(Arguments, RunKeepsTheEnginesDefaults) {
  const auto a = parse_arguments({"run", "a.toml"});
  EXPECT_EQ(a.run.duration, std::nullopt);
  EXPECT_EQ(a.run.until, std::nullopt);
  EXPECT_EQ(a.run.grace, RunOptions{}.grace);
  EXPECT_EQ(a.run.wait, RunOptions{}.wait);
  EXPECT_EQ(a.lanes, std::nullopt);
}

TEST(Arguments, RunAndRollbackTakeAWordAndWarningsThatMayStand) {
  const auto a = parse_arguments(
      {"run", "a.toml", "--yes", "--accept", "triggers,long-transactions", "--accept", "slots"});
  EXPECT_TRUE(a.is_yes_said);
  EXPECT_THAT(a.accepted, ElementsAre("triggers", "long-transactions", "slots"));
  EXPECT_THAT(parse_arguments({"rollback", "a.toml", "--accept", "slots"}).accepted, ElementsAre("slots"));
}

TEST(Arguments, HelpListsEveryExitCode) {
  const auto help = parse_arguments({"--help"}).answer;
  for (const int code : {0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 69, 70, 75, 77, 78})
    EXPECT_THAT(help, HasSubstr(" " + std::to_string(code) + "  ")) << code;
}

TEST(Arguments, YesIsTakenByTheActsOfAnOperatorOnly) {
  for (const std::string verb : {"cutover", "contract", "rollback", "switch"}) {
    EXPECT_FALSE(parse_arguments({verb, "x"}).is_yes_said) << verb;
    EXPECT_TRUE(parse_arguments({verb, "x", "--yes"}).is_yes_said) << verb;
  }
  EXPECT_FALSE(parse_arguments({"contract", "x", "--yes"}).contract.unproven);
  EXPECT_TRUE(parse_arguments({"contract", "x", "--yes", "--unproven"}).contract.unproven);
  EXPECT_EQ(mistake_of({"status", "x", "--yes"}).code(), ExitCode::kUsage);
  EXPECT_EQ(mistake_of({"cutover", "x", "--unproven"}).code(), ExitCode::kUsage);
}

TEST(Arguments, SwitchTakesAPauseWithItsUnit) {
  EXPECT_EQ(parse_arguments({"switch", "x"}).pause, Milliseconds{5'000});
  EXPECT_EQ(parse_arguments({"switch", "x", "--pause", "300ms"}).pause, Milliseconds{300});
  EXPECT_EQ(mistake_of({"switch", "x", "--pause", "3"}).code(), ExitCode::kUsage);
  EXPECT_EQ(mistake_of({"switch", "x", "--pause", "0s"}).code(), ExitCode::kUsage);
}

TEST(Arguments, GlobalFlagsStandBeforeOrAfterTheVerb) {
  const std::vector<std::string> flags = {
      "--dsn", "host=h", "--env", "prod", "--json", "--quiet", "--log-batches", "--yield-exit-code", "99"};
  auto before = flags;
  before.insert(before.end(), {"run", "a.toml"});
  std::vector<std::string> after = {"run", "a.toml"};
  after.insert(after.end(), flags.begin(), flags.end());
  for (const auto& words : {before, after}) {
    const auto a = parse_arguments(words);
    EXPECT_EQ(a.dsn, "host=h");
    EXPECT_EQ(a.environment, "prod");
    EXPECT_TRUE(a.json && a.quiet && a.log_batches);
    EXPECT_EQ(a.yield_exit_code, 99);
  }
}

TEST(Arguments, BackfillTakesExpressionsThatLookLikeFlags) {
  const auto a = parse_arguments({"backfill", "--table", "app.users", "--set", "a = [1, 2]", "--set", "-x",
                                  "--where", "-1 < id", "--key", "tenant,id", "--name", "fill-users"});
  EXPECT_EQ(a.verb, Verb::kBackfill);
  EXPECT_EQ(a.backfill.table, "app.users");
  EXPECT_THAT(a.backfill.set, ElementsAre("a = [1, 2]", "-x"));
  EXPECT_EQ(a.backfill.where, "-1 < id");
  EXPECT_THAT(a.backfill.key, ElementsAre("tenant", "id"));
  EXPECT_EQ(a.backfill.name, "fill-users");
}

TEST(Arguments, BenchTakesListsAndFiles) {
  const auto a = parse_arguments({"bench",
                                  "a.toml",
                                  "--step",
                                  "fill",
                                  "--copy",
                                  "--for",
                                  "10min",
                                  "--sizes",
                                  "200,1000",
                                  "--lanes",
                                  "1,8",
                                  "--walks",
                                  "keyset,interleaved",
                                  "--repeat",
                                  "5",
                                  "--traffic",
                                  "t.sql",
                                  "--seed",
                                  "7",
                                  "--csv",
                                  "b.csv",
                                  "--html",
                                  "b.html"});
  EXPECT_EQ(a.verb, Verb::kBench);
  EXPECT_EQ(a.job, "a.toml");
  EXPECT_EQ(a.bench.step, "fill");
  EXPECT_TRUE(a.bench.on_copy);
  EXPECT_EQ(a.bench.duration, std::chrono::minutes(10));
  EXPECT_THAT(a.bench.sizes, ElementsAre(200, 1'000));
  EXPECT_THAT(a.bench.lanes, ElementsAre(1, 8));
  EXPECT_THAT(a.bench.walks, ElementsAre(Walk::kKeyset, Walk::kInterleaved));
  EXPECT_EQ(a.bench.repeat, 5);
  EXPECT_EQ(a.bench.traffic, "t.sql");
  EXPECT_EQ(a.bench.seed, 7U);
  EXPECT_EQ(a.csv, "b.csv");
  EXPECT_EQ(a.html, "b.html");
}

TEST(Arguments, BenchKeepsItsDefaults) {
  const auto a = parse_arguments({"bench", "a.toml"});
  EXPECT_THAT(a.bench.sizes, ElementsAre(200, 1'000, 3'000, 10'000));
  EXPECT_EQ(a.bench.duration, std::chrono::minutes(5));
  EXPECT_EQ(a.bench.seed, std::nullopt);
}

TEST(Arguments, BenchNamesTheWalksThatItKnows) {
  EXPECT_THAT(mistake_of({"bench", "a.toml", "--walks", "keyset,heap"}).what(),
              HasSubstr("--walks knows keyset, blocks and interleaved, not \"heap\""));
}

TEST(Arguments, StatusTakesANameOrNone) {
  EXPECT_EQ(parse_arguments({"status"}).name, "");
  EXPECT_EQ(parse_arguments({"status", "fill"}).name, "fill");
}

TEST(Arguments, JobsMayBeCalledLikeVerbs) {
  const auto a = parse_arguments({"pause", "status", "--reason", "run later"});
  EXPECT_EQ(a.verb, Verb::kPause);
  EXPECT_EQ(a.name, "status");
  EXPECT_EQ(a.reason, "run later");
}

TEST(Arguments, SetTakesSeveralSettings) {
  const auto a = parse_arguments({"set", "fill", "batch.target=500ms", "pool.lanes=1"});
  EXPECT_THAT(a.settings, ElementsAre("batch.target=500ms", "pool.lanes=1"));
}

TEST(Arguments, ResolveNeedsExactlyOneVerdict) {
  EXPECT_TRUE(parse_arguments({"resolve", "fill", "add", "--applied"}).is_applied);
  EXPECT_FALSE(parse_arguments({"resolve", "fill", "add", "--rolled-back"}).is_applied);
  EXPECT_THAT(mistake_of({"resolve", "fill", "add"}).what(), HasSubstr("either"));
  EXPECT_THAT(mistake_of({"resolve", "fill", "add", "--applied", "--rolled-back"}).what(),
              HasSubstr("either"));
}

TEST(Arguments, HelpListsVerbsAndExitCodes) {
  const auto answer = parse_arguments({"--help"}).answer;
  for (const char* text :
       {"backfill", "resolve", "--yield-exit-code", "75  stopped with work left", "78  job file"}) {
    EXPECT_THAT(answer, HasSubstr(text));
  }
}

TEST(Arguments, HelpOfAVerbNeedsNothingElse) {
  EXPECT_THAT(parse_arguments({"run", "--help"}).answer, HasSubstr("--grace"));
}

TEST(Arguments, VersionIsSaidOnOneLine) {
  EXPECT_THAT(parse_arguments({"--version"}).answer, testing::MatchesRegex("pgsluice [0-9.]+\n"));
}

TEST(Arguments, UnknownVerbsAndFlagsGetAGuess) {
  EXPECT_STREQ(mistake_of({"stauts"}).what(), "unknown verb \"stauts\"");
  EXPECT_EQ(mistake_of({"stauts"}).hint(), "did you mean \"status\"?");
  EXPECT_STREQ(mistake_of({"run", "a.toml", "--lnaes=3"}).what(), "unknown flag \"--lnaes\"");
  EXPECT_EQ(mistake_of({"run", "a.toml", "--lnaes=3"}).hint(), "did you mean \"--lanes\"?");
}

TEST(Arguments, MistakesAreUsageErrorsThatNameTheirSubject) {
  const struct {
    std::vector<std::string> words;
    const char* subject;
  } cases[] = {{{}, "no verb"},
               {{"run"}, "JOB"},
               {{"plan", "a.toml", "b.toml"}, "\"b.toml\""},
               {{"pause"}, "NAME"},
               {{"set", "fill"}, "SETTING"},
               {{"backfill", "--set", "a = 1"}, "--table"},
               {{"run", "a.toml", "--for", "4"}, "--for"},
               {{"run", "a.toml", "--until", "6am"}, "--until"},
               {{"run", "a.toml", "--lanes", "many"}, "--lanes"},
               {{"status", "--dsn"}, "--dsn"},
               {{"history", "fill", "--limit", "0"}, "--limit"},
               {{"--yield-exit-code", "300", "status"}, "--yield-exit-code"}};
  for (const auto& c : cases) {
    const auto mistake = mistake_of(c.words);
    EXPECT_EQ(mistake.code(), ExitCode::kUsage) << mistake.what();
    EXPECT_THAT(mistake.what(), HasSubstr(c.subject));
    EXPECT_NE(mistake.hint(), "") << mistake.what();
  }
}

TEST(Arguments, MistakesShowNoPassword) {
  for (const auto& words : std::vector<std::vector<std::string>>{{"--dns=postgres://u:hush@h/d", "status"},
                                                                 {"status", "--dns", "postgres://u:hush@h/d"},
                                                                 {"status", "fill", "postgres://u:hush@h/d"},
                                                                 {"password=hush", "status"}}) {
    const auto mistake = mistake_of(words);
    EXPECT_EQ(mistake.code(), ExitCode::kUsage);
    EXPECT_THAT(mistake.what() + mistake.hint(), Not(HasSubstr("hush")));
  }
}

TEST(Arguments, CommandLineCanBeGivenAgainToAShell) {
  EXPECT_EQ(parse_arguments({"run", "jobs/a.toml", "--env", "it's"}).command_line,
            "pgsluice run jobs/a.toml --env 'it'\\''s'");
}

TEST(Arguments, CommandLineWithAPasswordIsNotRepeated) {
  EXPECT_EQ(parse_arguments({"run", "a.toml", "--dsn", "host=h password=hush"}).command_line, "");
}

}  // namespace
}  // namespace pgsluice::cli
