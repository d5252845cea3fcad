// Goal: a condition with its times fixed says the same as the one with the server's own functions, and what
// cannot be fixed is refused. Method: tables of texts.
#include "job/condition/time_calls.hpp"

#include <gtest/gtest.h>

#include "unit/job/parsing.hpp"

namespace pgsluice::job {
namespace {

constexpr const char* kAsOf = "2026-01-02 03:04:05.678901+00";
const std::string kThen = "('2026-01-02 03:04:05.678901+00'::pg_catalog.timestamptz)";

std::string fixed(const std::string& text) {
  const auto checked = at_fixed_time(text, kAsOf);
  return std::holds_alternative<std::string>(checked) ? std::get<std::string>(checked)
                                                      : "refused: " + refusal_of(checked);
}

TEST(FixedTimes, StandWhereTheCallsWere) {
  EXPECT_EQ(fixed("created_at < now() - interval '90 days'"),
            "created_at < " + kThen + " - interval '90 days'");
  EXPECT_EQ(fixed("a < NOW ( ) AND b > pg_catalog.now()"), "a < " + kThen + " AND b > " + kThen);
  EXPECT_EQ(fixed("a < clock_timestamp() OR b < statement_timestamp() OR c < transaction_timestamp()"),
            "a < " + kThen + " OR b < " + kThen + " OR c < " + kThen);
  EXPECT_EQ(fixed("d < current_date - 7"), "d < (" + kThen + "::pg_catalog.date) - 7");
  EXPECT_EQ(fixed("d < CURRENT_TIMESTAMP"), "d < " + kThen);
  EXPECT_EQ(fixed("d < CURRENT_TIMESTAMP (3)"), "d < (" + kThen + "::pg_catalog.timestamptz (3))");
  EXPECT_EQ(fixed("d < localtimestamp(0)"),
            "d < ((" + kThen + "::pg_catalog.timestamp)::pg_catalog.timestamp(0))");
  EXPECT_EQ(fixed("t < localtime AND u < current_time"),
            "t < (" + kThen + "::pg_catalog.time) AND u < (" + kThen + "::pg_catalog.timetz)");
}

TEST(FixedTimes, AreFoundBehindOtherCharactersAndInQueries) {
  EXPECT_EQ(fixed("name = 'Größe – now()' AND at < now()"), "name = 'Größe – now()' AND at < " + kThen);
  EXPECT_EQ(fixed("id IN (SELECT id FROM old WHERE at < now())"),
            "id IN (SELECT id FROM old WHERE at < " + kThen + ")");
  EXPECT_EQ(fixed("at < -- now()\n now()"), "at < -- now()\n " + kThen);
}

TEST(FixedTimes, LeaveEverythingElse) {
  for (const char* text : {"id < 5", "owner = CURRENT_USER", "app.now() > 3", "\"now\" = 1",
                           "age(until, at) > '1 year'", "note = 'today we wrote'"})
    EXPECT_EQ(fixed(text), text);
}

TEST(FixedTimes, AreRefusedWhereTheTimeIsHidden) {
  for (const char* text :
       {"at < 'now'", "at < ' Now '", "at < 'today 00:00'", "age(at) > interval '90 days'",
        "at < 'Yesterday'::date", "at < timestamp 'today'", "at::text < timeofday()", "at < now(/* ) */)"})
    EXPECT_EQ(fixed(text).substr(0, 8), "refused:") << text;
}

}  // namespace
}  // namespace pgsluice::job
