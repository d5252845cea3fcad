// Goal: every event becomes one line of valid JSON with the documented fields, whatever bytes it holds.
#include "report/text/event_json.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"
#include "unit/report/samples.hpp"

namespace pgsluice::report {
namespace {

using base::Json;

std::vector<EventBody> one_of_each() {
  return {event::RunStarted{"0.1.0", "db1", 42, true, 4},
          event::StepStarted{"fill", "backfill", false, 100},
          event::StepEnded{"fill", "backfill", "done", {1, 2, 3}, 1.5},
          event::Statement{"add", "ALTER TABLE t ADD c int", "ACCESS EXCLUSIVE"},
          event::Batch{1, 2, 900, 1'000, 0.085, 1},
          event::BatchFailed{1, 2, "40P01", "deadlock detected", 1, "retry", 0.2},
          event::Split{1, 9, "5000"},
          event::Lease{1, 2, 3, false},
          event::Throttle{"hold", "lock_wait", 0.3, 0.2, "s", 0, "pid 7 waits", 0},
          event::Tune{"batch.rows", "1000", "1500", "below target"},
          event::Command{"alice", "pause", "", "lunch"},
          event::State{"running", "paused", "lunch"},
          event::Verify{"nobody-left", "0", "0", true},
          event::Hook{"before", "stop-workers", 0, "", 1.5, "stopped 3"},
          event::Warning{"no replica seen", ""},
          event::Status{sample_progress()},
          event::Summary{sample_summary()}};
}

TEST(EventJson, HasOneNameForEachOfTheTypes) {
  std::vector<std::string> names;
  for (const auto& body : one_of_each()) names.emplace_back(event_type(body));
  const std::vector<std::string> expected = {
      "run_started", "step_started", "step_ended", "statement", "batch",   "batch_failed",
      "split",       "lease",        "throttle",   "tune",      "command", "state",
      "verify",      "hook",         "warning",    "status",    "summary"};
  EXPECT_EQ(names, expected);
  EXPECT_EQ(names.size(), std::variant_size_v<EventBody>);
}

TEST(EventJson, EveryLineParsesAndStartsWithTheCommonFields) {
  std::int64_t seq = 0;
  for (const auto& body : one_of_each()) {
    const std::string line = event_line_json(sample_event(body), ++seq);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    const Json json = Json::parse(line);
    EXPECT_EQ(json["schema"], 1);
    EXPECT_EQ(json["ts"], "2026-11-21T10:00:00.125Z");
    EXPECT_EQ(json["type"], event_type(body));
    EXPECT_EQ(json["job"], "onboarding-completed");
    EXPECT_EQ(json["run_id"], "6f1c0a52-0000-4000-8000-000000000001");
    EXPECT_EQ(json["seq"], seq);
  }
}

TEST(EventJson, NoFieldOfABodyHidesACommonOne) {
  for (const auto& body : one_of_each()) {
    const Json fields = Json::parse(event_fields_json(body));
    EXPECT_GT(fields.size(), 0U) << event_type(body);
    for (const char* common : {"schema", "ts", "type", "job", "run_id", "seq"}) {
      EXPECT_FALSE(fields.contains(common)) << event_type(body) << "." << common;
    }
  }
}

TEST(EventJson, RowsAreCountedApart) {
  const Json json =
      Json::parse(event_fields_json(event::StepEnded{"fill", "backfill", "done", {1, 2, 3}, 1.5}));
  EXPECT_EQ(json["rows_changed"], 1);
  EXPECT_EQ(json["rows_already_right"], 2);
  EXPECT_EQ(json["rows_quarantined"], 3);
  EXPECT_EQ(json["duration_s"], 1.5);
}

TEST(EventJson, StatusCarriesDurationsInSeconds) {
  const Json json = Json::parse(event_fields_json(event::Status{sample_progress()}));
  EXPECT_EQ(json["batch_time_s"], 0.085);
  EXPECT_EQ(json["eta_s"], 271);
  EXPECT_EQ(json["elapsed_s"], 322.0);
  EXPECT_EQ(json["percent"], 54.2);
  EXPECT_EQ(json["signals"][0]["name"], "replica_lag");
  EXPECT_EQ(json["signals"][0]["value"], 0.4);
}

TEST(EventJson, WhatIsNotKnownIsNullNeverZero) {
  Progress p = sample_progress();
  p.eta.reset();
  p.rows_expected = 0;
  p.signals[0].known = false;
  const Json status = Json::parse(event_fields_json(event::Status{p}));
  EXPECT_TRUE(status["eta_s"].is_null());
  EXPECT_TRUE(status["percent"].is_null());
  EXPECT_TRUE(status["rows_expected"].is_null());
  EXPECT_TRUE(status["signals"][0]["value"].is_null());
  const event::StepStarted started{"fill", "backfill", false, 0};
  EXPECT_TRUE(Json::parse(event_fields_json(started))["rows_expected"].is_null());
  event::Summary summary = sample_summary();
  summary.lag_max_s = -1;
  EXPECT_TRUE(Json::parse(event_fields_json(summary))["lag_max_s"].is_null());
}

TEST(EventJson, SurvivesEveryText) {
  const std::string text = "say \"hi\"\n\\ tab\t\x1b[2J";
  EXPECT_EQ(Json::parse(event_fields_json(event::Warning{text, ""}))["message"], text);
  const std::string broken("a\xff\0b", 4);
  EXPECT_EQ(Json::parse(event_fields_json(event::Warning{broken, ""}))["message"], "a\uFFFD\uFFFDb");
}

TEST(EventJson, SurvivesNumbersThatAreNone) {
  event::Throttle throttle;
  throttle.value = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(Json::parse(event_fields_json(throttle))["value"].is_null());
}

TEST(EventJson, WritesNumbersAsPeopleWould) {
  event::Batch batch;
  batch.duration_s = 0.1 + 0.2;
  EXPECT_TRUE(contains(event_fields_json(batch), "\"duration_s\":0.3,"));
}

}  // namespace
}  // namespace pgsluice::report
