// Goal: the event log reads well on one line an entry, and as JSON like a run's own lines.
#include "cli/results/history_text.hpp"

#include <gmock/gmock.h>

#include "cli/results/json_text.hpp"

namespace pgsluice::cli {
namespace {

using testing::ElementsAre;

const LogEntry kHold{"2026-11-21T13:33:00.123Z", "3f2a1b2c-0000-4000-8000-000000000000", "throttle",
                     R"({"state": "hold", "value": 3.5, "reason": "r1 is 3 s behind", "unit": ""})"};

TEST(HistoryText, EntryIsOneLineOfFields) {
  EXPECT_EQ(entry_line(kHold),
            "2026-11-21T13:33:00.123Z 3f2a1b2c throttle state=hold value=3.5 reason=\"r1 is 3 s behind\"");
}

TEST(HistoryText, EntrySaysFirstWhatItIsAbout) {
  const LogEntry ended{"t", "r", "step_ended",
                       R"({"duration_s": 1.5, "lag_max_s": null, "outcome": "done", "step": "fill"})"};
  EXPECT_EQ(entry_line(ended), "t r step_ended step=fill outcome=done duration_s=1.5");
}

TEST(HistoryText, EntryOutsideARunIsTheOperators) {
  const LogEntry command{"2026-11-21T13:33:00.123Z", "", "command", R"({"verb": "pause"})"};
  EXPECT_EQ(entry_line(command), "2026-11-21T13:33:00.123Z operator command verb=pause");
}

TEST(HistoryText, JsonReadsLikeTheRunsOwnLines) {
  EXPECT_EQ(json_line(entry_json("fill", kHold)),
            R"({"schema":1,"ts":"2026-11-21T13:33:00.123Z","type":"throttle","job":"fill",)"
            R"("run_id":"3f2a1b2c-0000-4000-8000-000000000000","state":"hold","value":3.5,)"
            R"("reason":"r1 is 3 s behind","unit":""})");
}

TEST(HistoryText, FieldsThatAreNoJsonAreShownAllTheSame) {
  const LogEntry odd{"t", "", "note", "not json"};
  EXPECT_EQ(entry_line(odd), "t operator note fields=\"not json\"");
}

TEST(HistoryText, FailuresAreATableOfKeysAndErrors) {
  const QuarantinedRow row{"fill", "(\"17\")", "22012", "division by zero", "2026-11-21T13:33:00Z"};
  EXPECT_THAT(failure_lines({row}),
              ElementsAre("STEP  KEY     SQLSTATE  AT                    ERROR",
                          "fill  (\"17\")  22012     2026-11-21T13:33:00Z  division by zero"));
  EXPECT_THAT(failure_lines({}), ElementsAre("no rows are quarantined"));
  EXPECT_EQ(failure_json("j", row)["key"], "(\"17\")");
}

TEST(HistoryText, JsonShowsTextThatIsNotUtf8) {
  EXPECT_EQ(json_line({{"message", "a\xFF"}}), "{\"message\":\"a\xEF\xBF\xBD\"}");
}

}  // namespace
}  // namespace pgsluice::cli
