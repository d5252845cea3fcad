// Goal: every mistake in a job file is told with its place and the way out, and all of them at once.
// Method: a table of small files with one mistake each, and one file with every kind of mistake.
#include <gtest/gtest.h>

#include "unit/job/parsing.hpp"

namespace pgsluice::job {
namespace {

struct Case {
  const char* text;
  const char* expected;
};

void expect_all(const std::string& before, const std::vector<Case>& cases, const std::string& after) {
  for (const Case& each : cases) {
    EXPECT_EQ(mistakes(parse(before + each.text + after)), std::string(each.expected) + "\n") << each.text;
  }
}

const std::string kStep = "\n[[step]]\nkind = \"sql\"\nname = \"s\"\nup = \"SELECT 1\"\n";

// The words are toml++'s own and change with its version.
TEST(Mistakes, InTheTomlAreOneDiagnostic) {
  const std::pair<const char*, int> kCases[] = {
      {"name = fill", 1}, {"name = \"a\"\nname = \"b\"", 2}, {"\n\nname = \"a", 3}, {"name = \"\xff\"", 1}};
  for (const auto& [text, line] : kCases) {
    const JobFile file = parse(text);
    ASSERT_EQ(file.diagnostics.size(), 1U) << text;
    EXPECT_EQ(file.diagnostics[0].line, line) << text;
    EXPECT_EQ(file.diagnostics[0].message.rfind("is not TOML: ", 0), 0U) << text;
  }
}

TEST(Mistakes, AtTheTopAreFound) {
  const std::string hint = "up to 63 lower-case letters, digits, - and _, beginning with a letter or a digit";
  EXPECT_EQ(mistakes(parse(kStep)),
            "1:1 the job file lacks name | the name is the job's identity in the database: "
            "write name = \"fill-email-verified\"\n");
  EXPECT_EQ(mistakes(parse("name = \"n\"")),
            "1:1 the job file lacks step | a job has at least one [[step]]\n");
  EXPECT_EQ(mistakes(parse("name = \"n\"\nstep = []")),
            "2:8 step holds no step | a job has at least one [[step]]\n");
  EXPECT_EQ(mistakes(parse("name = \"n\"\n[step]\nkind = \"sql\"")),
            "2:1 step must be a list of steps, not a table | write [[step]] with two brackets\n");
  for (const std::string& name : {std::string("Fill Users"), std::string(), std::string("-x"),
                                  std::string(64, 'a'), std::string("ü")}) {
    EXPECT_EQ(mistakes(parse("name = \"" + name + "\"" + kStep)), "1:8 name is not a name | " + hint + "\n");
  }
  EXPECT_EQ(mistakes(parse("name = 5" + kStep)), "1:8 name must be a string, not an integer | \n");
  EXPECT_EQ(mistakes(parse("name = \"a\\u0000b\"" + kStep)),
            "1:8 name contains a NUL character | no text in PostgreSQL can contain one\n");
}

TEST(Mistakes, InSettingsAreFound) {
  expect_all(
      "name = \"n\"\n",
      {
          {"descripton = \"x\"",
           "2:1 unknown key \"descripton\" in the job file | did you mean \"description\"?"},
          {"pool = 4", "2:8 pool must be a table, not an integer | write [pool] on its own line"},
          {"[pool]\nlanes = 0", "3:9 pool.lanes must be between 1 and 64, not 0 | the default is 2"},
          {"[pool]\nlanes = \"4\"", "3:9 pool.lanes must be a whole number, not a string | "},
          {"[batch]\ntarjet = \"1s\"", "3:1 unknown key \"tarjet\" in [batch] | did you mean \"target\"?"},
          {"[batch]\nsize = 5",
           "3:1 unknown key \"size\" in [batch] | known keys: rows, rows_max, rows_min, target"},
          {"[batch]\ntarget = 100",
           "3:10 batch.target must be a duration with its unit (ms, s, min, h, d), such as "
           "\"500ms\", not an integer | "},
          {"[batch]\n  target = \"61s\"",
           "3:12 batch.target must be between 1ms and 1min, not 61s | the default is 100ms"},
          {"[batch]\nrows_min = 10\nrows_max = 5",
           "3:12 batch.rows_min (10) is above rows_max (5) | rows_min ≤ rows ≤ rows_max"},
          {"[batch]\nrows = 60000",
           "3:8 batch.rows (60,000) is above rows_max (50,000) | rows_min ≤ rows ≤ rows_max; the "
           "default of rows_max is 50,000"},
          {"[throttle]\nreplica_lag_bytes = \"64mb\"",
           "3:21 throttle.replica_lag_bytes must be a size with its unit (B, kB, MB, "
           "GB, TB), such as \"64MB\", not \"64mb\" | the default is 64MB"},
          {"[throttle]\nlock_wait = \"0s\"",
           "3:13 throttle.lock_wait must be between 10ms and 1min, not 0ms | the default is 200ms"},
          {"[throttle]\nignore = \"late\"",
           "3:10 throttle.ignore must be an array of strings, not a string | "},
          {"[throttle]\nignore = [\"a\",\n  5]",
           "4:3 throttle.ignore must be an array of strings, not an integer | "},
          {"[window]\ntimezone = \"UTC\"",
           "2:1 [window] lacks between | write between = [\"22:00\", \"06:00\"]"},
          {"[window]\nbetween = [\"22:00\", \"24:00\"]",
           "3:21 window.between must be two times of day | "
           "write between = [\"22:00\", \"06:00\"]"},
          {"[window]\nbetween = [\"22:00\"]",
           "3:11 window.between must be two times of day | write between = [\"22:00\", "
           "\"06:00\"]"},
          {"[window]\nbetween = [\"06:00\", \"06:00\"]",
           "3:11 window.between begins and ends at the same time | leave out [window] to work at any hour"},
          {"[window]\nbetween = [\"06:00\", \"07:00\"]\ntimezone = \"\"",
           "4:12 window.timezone is not the name of a time zone | write an IANA name such as "
           "\"Europe/Berlin\""},
      },
      kStep);
}

TEST(Mistakes, InAnyStepAreFound) {
  expect_all("name = \"n\"\n[[step]]\n",
             {
                 {"kind = \"sql\"\nup = \"SELECT 1\"",
                  "2:1 step 1 lacks name | name every step: its progress is kept under that name"},
                 {"name = \"s\"",
                  "2:1 step \"s\" lacks kind | write kind = \"sql\", \"index\", \"constraint\", "
                  "\"backfill\", \"purge\", \"copy\", \"verify\" or "
                  "\"retype\""},
                 {"name = \"s\"\nkind = 5", "4:8 step \"s\": kind must be a string, not an integer | "},
                 {"name = \"s\"\nkind = \"backfil\"\nfoo = 1",
                  "4:8 step \"s\": kind \"backfil\" is not known | did you mean \"backfill\"?"},
                 {"name = \"s\"\nkind = \"trigger\"",
                  "4:8 step \"s\": kind \"trigger\" is not known | "
                  "known kinds: sql, index, constraint, backfill, purge, copy, verify, retype"},
                 {"name = \"s\"\nkind = \"purge\"\nwhere = \"x\"",
                  "2:1 step \"s\" lacks table | write table = \"public.audit_log\""},
                 {"name = \"s\"\nkind = \"sql\"\nup = \"SELECT 1\"\ntable = \"x\"",
                  "6:1 unknown key \"table\" in step \"s\" | "
                  "known keys: down, kind, name, up"},
                 {"name = \"s\"\nkind = \"sql\"\nup = \"SELECT 1\"\n[[step]]\nname = \"s\"\nkind = "
                  "\"sql\"\nup = \"SELECT 2\"",
                  "7:8 step \"s\": name is taken by the step in line 3 | give every step a name of its own"},
             },
             "");
}

TEST(Mistakes, InSqlIndexAndVerifyStepsAreFound) {
  expect_all(
      "name = \"n\"\n[[step]]\nname = \"s\"\n",
      {
          {"kind = \"sql\"", "2:1 step \"s\" lacks up | write up = \"ALTER TABLE …\""},
          {"kind = \"sql\"\nup = []", "5:6 step \"s\": up holds no statement | write up = \"ALTER TABLE …\""},
          {"kind = \"sql\"\nup = \"SELECT 1\"\ndown = []",
           "6:8 step \"s\": down holds no statement | "
           "leave down out if the step cannot be undone"},
          {"kind = \"sql\"\nup = [\"SELECT 1\",\n \"VACUUM\"]",
           "6:2 step \"s\": up contains VACUUM, which cannot run in a transaction | run it outside the job"},
          {"kind = \"index\"",
           "2:1 step \"s\" lacks sql | write sql = \"CREATE INDEX CONCURRENTLY name ON table (column)\""},
          {"kind = \"index\"\nsql = \"CREATE INDEX i ON a (b)\"",
           "5:7 step \"s\": sql lacks CONCURRENTLY | without it the table "
           "cannot be written to while the index is built"},
          {"kind = \"verify\"\nexpect = 0",
           "2:1 step \"s\" lacks query | write query = \"SELECT count(*) FROM …\""},
          {"kind = \"verify\"\nquery = \"SELECT 1\"",
           "2:1 step \"s\" lacks expect | write the value that the query must return, "
           "such as expect = \"0\""},
          {"kind = \"verify\"\nquery = \"SELECT 1\"\nexpect = [0]",
           "6:10 step \"s\": expect must be a string, a number or a "
           "boolean, not an array | "},
      },
      "");
}

TEST(Mistakes, InBackfillStepsAreFound) {
  const std::string head = "name = \"n\"\n[[step]]\nname = \"s\"\nkind = \"backfill\"\ntable = \"t\"\n";
  expect_all(
      head,
      {
          {"", "2:1 step \"s\" lacks set | write set = { column = \"SQL expression\" }"},
          {"set = {}", "6:7 step \"s\": set sets no column | write set = { column = \"SQL expression\" }"},
          {"set = \"a = 1\"",
           "6:7 step \"s\": set must be a table, not a string | write set = { column = \"SQL expression\" }"},
          {"set = { a = \"count(*)\" }",
           "6:13 step \"s\": set.a contains the aggregate count | a value is computed row by row; an "
           "aggregate is allowed in a subquery: (SELECT sum(x) FROM …)"},
          {"set = { a = [1] }",
           "6:13 step \"s\": set.a must be an SQL expression in a string, a number or a boolean, not an "
           "array | write the expression as a string: \"DATE '2024-01-01'\""},
          {"set = { a.b = 1 }",
           "6:9 step \"s\": set.a must be an SQL expression in a string, a number or a boolean, not a table "
           "| write the column without a schema or table in front of it"},
          {"set = { \"a b\" = 1 }",
           "6:9 step \"s\": set.a b is not one column name (\"b\" is left over) | write it as in SQL, in "
           "double quotes if it contains spaces or other special characters: '\"Order No\"'"},
          {"set = { a = 1, A = 2 }", "6:20 step \"s\": set.A sets column a twice | set each column once"},
          {"set = { a = 1 }\nkey = []",
           "7:7 step \"s\": key names no column | leave key out to use the primary key"},
          {"set = { a = 1 }\nkey = [\"b\", \"B\"]",
           "7:13 step \"s\": key names column b twice | name each key column once"},
          {"set = { a = 1 }\nkey = [\"a\"]",
           "6:7 step \"s\": set changes the key column a | walk along another unique key that does not "
           "change: key = [\"…\"]"},
          {"set = { a = 1 }\nwhere = \" \"",
           "7:9 step \"s\": where is empty | leave where out to change every row"},
          {"set = { a = 1 }\nwhere = true", "7:9 step \"s\": where must be a string, not a boolean | "},
          {"set = { a = 1 }\nwhere = \"x = $1\"",
           "7:9 step \"s\": where contains the parameter $1 | the expression gets no parameters: write the "
           "value itself"},
          {"set = { a = 1 }\nkeep = \"30\"",
           "7:8 step \"s\": keep must be true, false, or a time of at least 1h, not a string | write keep = "
           "true, or "
           "keep = \"30d\" to free what it keeps 30 days after its end"},
          {"set = { a = 1 }\nwalk = \"keyst\"",
           "7:8 step \"s\": walk \"keyst\" is not known | did you mean \"keyset\"?"},
          {"set = { a = 1 }\nwheer = \"x\"",
           "7:1 unknown key \"wheer\" in step \"s\" | did you mean \"where\"?"},
      },
      "");
  EXPECT_EQ(
      mistakes(parse(
          "name = \"n\"\n[[step]]\nname = \"s\"\nkind = \"backfill\"\ntable = \"a.b.c\"\nset = { a = 1 }")),
      "5:9 step \"s\": table has more than two parts | write schema.table; the connection determines the "
      "database\n");
}

TEST(Mistakes, OfEveryKindAreReportedAtOnceInTheirOrder) {
  const JobFile file = parse(R"toml(name = "Onboarding Completed"
descripton = 5
[pool]
lanes = 0
[batch]
rows = 10
target = 100
rows_min = 50
[window]
between = ["22:00", "22:00"]
[[step]]
kind = "sq"
[[step]]
kind = "sql"
name = "a"
up = ["BEGIN; ALTER TABLE x ADD y int", "VACUUM", 5]
[[step]]
kind = "backfill"
name = "a"
table = "a b"
set = { x = "1) ; drop table x; --", y = "count(*)" }
keep = 30
[[step]]
kind = "verify"
name = "v"
query = "DELETE FROM users"
[env.production.throttle]
replica_lagg = "1s"
)toml",
                             "staging");
  std::string places;
  for (const Diagnostic& found : file.diagnostics) {
    EXPECT_EQ(found.file, "job.toml");
    places += std::to_string(found.line) + ":" + std::to_string(found.column) + " ";
  }
  EXPECT_EQ(places,
            "1:8 2:1 4:9 6:8 7:10 10:11 11:1 12:8 16:7 16:41 16:51 19:8 20:9 21:13 21:42 22:8 23:1 26:9 27:1 "
            "28:1 ");
}

TEST(Diagnostics, AreWrittenLikeACompilersWithTheHintBelow) {
  EXPECT_EQ(to_string(Diagnostic{"job.toml", 3, 7, "no", "do this"}),
            "job.toml:3:7: error: no\n  hint: do this");
  EXPECT_EQ(to_string(Diagnostic{"job.toml", 3, 7, "no", ""}), "job.toml:3:7: error: no");
  EXPECT_EQ(to_string(Diagnostic{"--set", 0, 0, "no", ""}), "--set: error: no");
}

}  // namespace
}  // namespace pgsluice::job
