#include "report/text/describe.hpp"

#include "base/units.hpp"
#include "report/text/clean_text.hpp"
#include "report/text/progress_text.hpp"

namespace pgsluice::report {

namespace {

std::string with(const char* before, const std::string& text, const char* after = "") {
  return text.empty() ? std::string() : before + text + after;
}

std::string range_and_lane(std::int64_t range_id, int lane) {
  return "range " + std::to_string(range_id) + ", lane " + std::to_string(lane);
}

std::string percent(double pace) {
  return std::to_string(static_cast<int>(pace * 100 + 1e-9)) + " %";
}

std::string action_text(const event::BatchFailed& e) {
  const std::string wait = e.backoff_s > 0 ? " in " + seconds_text(e.backoff_s) : "";
  if (e.action == "retry") return "retry" + wait;
  if (e.action == "shrink") return "retry with fewer rows" + wait;
  if (e.action == "bisect") return "halving the batch to find the row";
  if (e.action == "quarantine") return "row quarantined";
  if (e.action == "set apart") return "doing all other rows first";
  if (e.action == "later") return "will retry later";
  if (e.action == "release") return "range released";
  return e.action == "fail" ? "the run fails" : e.action;
}

Weight weight_of(const event::BatchFailed& e) {
  if (e.action == "fail") return Weight::kError;
  return e.action == "quarantine" ? Weight::kWarning : Weight::kNews;
}

struct Words {
  Description operator()(const event::RunStarted& e) const {
    return {Weight::kNews, std::string(e.resumed ? "run resumed" : "run started") + with(" on ", e.host) +
                               ", pid " + std::to_string(e.pid) + ", " +
                               counted_text(e.lanes, "lane", "lanes") + with(", pgsluice ", e.version)};
  }
  Description operator()(const event::StepStarted& e) const {
    const std::string rows =
        e.rows_expected > 0 ? ", about " + base::format_count(e.rows_expected) + " rows" : "";
    return {Weight::kNews,
            "step " + e.step + " (" + e.kind + ") " + (e.resumed ? "resumed" : "started") + rows};
  }
  Description operator()(const event::StepEnded& e) const {
    const std::string rows = e.rows.visited() > 0 ? ": " + row_counts_text(e.rows) : "";
    return {Weight::kNews,
            "step " + e.step + " " + e.outcome + " after " + seconds_text(e.duration_s) + rows};
  }
  Description operator()(const event::Statement& e) const {
    return {Weight::kNews, e.sql + with(" [", e.lock, "]")};
  }
  Description operator()(const event::Batch& e) const {
    return {Weight::kDetail,
            "batch: " + range_and_lane(e.range_id, e.lane) + ", " + base::format_count(e.rows_changed) +
                " of " + base::format_count(e.rows_visited) + " rows changed in " +
                seconds_text(e.duration_s) + (e.attempt > 1 ? ", attempt " + std::to_string(e.attempt) : "")};
  }
  Description operator()(const event::BatchFailed& e) const {
    return {weight_of(e), range_and_lane(e.range_id, e.lane) + ", attempt " + std::to_string(e.attempt) +
                              ": " + e.message + with(" (", e.sqlstate, ")") + with(": ", action_text(e))};
  }
  Description operator()(const event::Split& e) const {
    return {Weight::kDetail, "range " + std::to_string(e.range_id) + " split at " + e.at +
                                 ", the rest is range " + std::to_string(e.new_range_id)};
  }
  Description operator()(const event::Lease& e) const {
    const std::string who = range_and_lane(e.range_id, e.lane) + ", epoch " + std::to_string(e.epoch);
    if (e.taken_over) return {Weight::kNews, "taken over from a run that is gone: " + who};
    return {Weight::kDetail, "leased: " + who};
  }
  Description operator()(const event::Throttle& e) const {
    if (e.state == "hold") return {Weight::kNews, "held" + with(": ", e.reason)};
    if (e.state == "slow") return {Weight::kNews, "slowed to " + percent(e.pace) + with(": ", e.reason)};
    const std::string held = e.held_s > 0 ? ", held for " + seconds_text(e.held_s) : "";
    return {Weight::kNews, "continuing" + held + with(": ", e.reason)};
  }
  Description operator()(const event::Tune& e) const {
    return {Weight::kDetail, e.field + " from " + e.from + " to " + e.to + with(": ", e.cause)};
  }
  Description operator()(const event::Command& e) const {
    return {Weight::kNews, e.verb + with(" ", e.arguments) + with(" by ", e.actor) + with(": ", e.reason)};
  }
  Description operator()(const event::State& e) const {
    return {Weight::kNews, e.from + " -> " + e.to + with(": ", e.reason)};
  }
  Description operator()(const event::Verify& e) const {
    if (e.matches) return {Weight::kNews, "verify " + e.step + ": found " + e.actual + ", as expected"};
    return {Weight::kError, "verify " + e.step + ": expected " + e.expected + ", found " + e.actual};
  }
  Description operator()(const event::Hook& e) const {
    const std::string how = e.exit_code < 0 ? "ended" : "exited with " + std::to_string(e.exit_code);
    return {e.exit_code == 0 ? Weight::kNews : Weight::kWarning,
            "command `" + e.hook + "` " + how + " after " + seconds_text(e.duration_s) + with(", ", e.ended) +
                with(": ", e.output)};
  }
  Description operator()(const event::Warning& e) const {
    return {Weight::kWarning, "warning: " + e.message + with("; ", e.hint)};
  }
  Description operator()(const event::Status&) const { return {}; }
  Description operator()(const event::Summary&) const { return {}; }
};

}  // namespace

Description describe(const EventBody& body) {
  Description description = std::visit(Words{}, body);
  description.text = clean_line(description.text);
  return description;
}

}  // namespace pgsluice::report
