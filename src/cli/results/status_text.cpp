#include "cli/results/status_text.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "base/units.hpp"
#include "cli/results/foretold_text.hpp"
#include "cli/results/plain_text.hpp"
#include "cli/results/table.hpp"

namespace pgsluice::cli {
namespace {

using base::Json;

using Lines = std::vector<std::string>;

std::string seconds_text(double seconds) {
  return base::format_duration(std::chrono::milliseconds(std::llround(seconds * 1e3)));
}

std::ptrdiff_t live_runs(const JobOverview& job) {
  return std::count_if(job.runs.begin(), job.runs.end(), [](const RunOverview& run) { return run.is_live; });
}

/// Percent of the rows expected; at most 99 before the step ends, since the expected number is an estimate.
double percent_of(const StepOverview& step) {
  if (step.state == StepState::kDone) return 100;
  if (step.rows_expected <= 0) return 0;
  const double share = static_cast<double>(step.rows.visited()) / static_cast<double>(step.rows_expected);
  return std::min(99.0, std::floor(share * 1000) / 10);
}

bool is_act(const StepOverview& step) {
  return !step.part.empty();
}

/// A purge's rows are its act's.
bool has_rows(const StepOverview& step) {
  if (step.kind == "copy") return is_act(step) || !step.follow;  // a follow's are its acts'
  return step.kind == "backfill" || (step.kind == "purge" && is_act(step));
}

/// An act is listed below its step, without the step's name in front.
std::string shown_name(const StepOverview& step) {
  if (!is_act(step)) return step.name;
  const auto colon = step.name.find(": ");
  return "  " + step.part + ": " + (colon == std::string::npos ? step.name : step.name.substr(colon + 2));
}

/// What a copy that follows its source has last told of itself.
std::string follow_text(const FollowOverview& follow) {
  if (follow.is_switched) return "switched";
  if (!follow.is_following) return "copies what is there, then follows";
  auto behind = follow.behind;
  if (behind.age_s >= 0) behind.age_s += follow.measured_age_s;
  return "follows, " + base::format_behind(behind.entries, behind.age_s);
}

std::string expected_text(const StepOverview& step) {
  if (step.follow) return follow_text(*step.follow);
  if (step.kind == "retype") return step.detail;
  if (!has_rows(step) || step.rows_expected <= 0) return {};
  std::array<char, 16> percent{};
  std::snprintf(percent.data(), percent.size(), "%.1f %%", percent_of(step));
  return std::string(percent.data()) + " of about " + base::format_count(step.rows_expected) +
         (step.rows.unchanged > 0 ? ", " + base::format_count(step.rows.unchanged) + " unchanged" : "");
}

/// A number of rows; nothing for a step that changes none.
std::string rows_text(const StepOverview& step, std::int64_t rows) {
  return has_rows(step) ? base::format_count(rows) : "";
}

Lines step_lines(const JobOverview& job) {
  Table table({"STEP", "KIND", "STATE", "CHANGED", "ALREADY RIGHT", "QUARANTINED", "PROGRESS"}, {3, 4, 5});
  for (const auto& step : job.steps) {
    table.add({shown_name(step), step.kind, name_of(step.state), rows_text(step, step.rows.changed),
               rows_text(step, step.rows.already_right), rows_text(step, step.rows.quarantined),
               expected_text(step)});
  }
  auto lines = table.lines("  ");
  for (const auto& step : job.steps) {
    if (!step.foretold) continue;
    for (auto& line : came_true_lines(step.name, *step.foretold, step.came_true))
      lines.push_back(std::move(line));
  }
  for (const auto& step : job.steps) {
    if (!step.error.empty()) lines.push_back("  error in " + plain_words(step.name + ": " + step.error));
    if (step.undo_bytes > 0)
      lines.push_back("  before-images of " + plain_words(step.name) + ": " +
                      base::format_bytes(static_cast<double>(step.undo_bytes)) + ", " +
                      seconds_text(step.undo_age_s) + " old; pgsluice drop-undo " + plain_words(job.name) +
                      " frees them");
  }
  return lines;
}

std::string run_text(const RunOverview& run) {
  const std::string who =
      "run " + run.run_id.substr(0, 8) + " on " + run.host + ", pid " + std::to_string(run.pid);
  if (!run.is_live) return who + ": gone, last heartbeat " + seconds_text(run.heartbeat_age_s) + " ago";
  return who + ", heartbeat " + seconds_text(run.heartbeat_age_s) + " ago" +
         (run.progress.empty() ? "" : ": " + run.progress);
}

/// Who ordered it and why, unless it is the default.
std::string control_text(const JobOverview& job) {
  if (job.control == Control::kRun) return name_of(job.control);
  return name_of(job.control) + (job.control_actor.empty() ? "" : " by " + job.control_actor) +
         (job.control_reason.empty() ? "" : ": " + job.control_reason);
}

/// The step or act in progress, else the first one still to do; past the end: none is left.
std::size_t current_step(const JobOverview& job) {
  const auto find = [&job](auto wanted) { return std::find_if(job.steps.begin(), job.steps.end(), wanted); };
  const auto is_at_work = [](const StepOverview& s) {
    return s.state == StepState::kRunning || s.state == StepState::kFailed;
  };
  auto step = find([&](const StepOverview& s) { return is_act(s) && is_at_work(s); });
  if (step == job.steps.end()) step = find(is_at_work);
  if (step == job.steps.end())
    step = find([](const StepOverview& s) { return s.state == StepState::kWaiting; });
  return static_cast<std::size_t>(step - job.steps.begin());
}

/// "2/4 fill"; without a step in progress or to do, how many are done. Acts count as part of their step.
std::string current_step_text(const JobOverview& job) {
  const auto count = [&job](std::size_t end, auto wanted) {
    return std::count_if(job.steps.begin(), job.steps.begin() + static_cast<std::ptrdiff_t>(end), wanted);
  };
  const auto is_step = [](const StepOverview& s) { return !is_act(s); };
  const auto of_all = "/" + std::to_string(count(job.steps.size(), is_step));
  const auto at = current_step(job);
  if (at < job.steps.size())
    return std::to_string(count(at + 1, is_step)) + of_all + " " + job.steps[at].name;
  const auto done = count(job.steps.size(),
                          [&](const StepOverview& s) { return is_step(s) && s.state == StepState::kDone; });
  return std::to_string(done) + of_all;
}

std::string current_progress_text(const JobOverview& job) {
  const auto at = current_step(job);
  return at == job.steps.size() ? "" : expected_text(job.steps[at]);
}

RowCounts rows_of(const JobOverview& job) {
  RowCounts rows;
  for (const auto& step : job.steps) {
    rows.changed += step.rows.changed;
    rows.already_right += step.rows.already_right;
    rows.quarantined += step.rows.quarantined;
    rows.unchanged += step.rows.unchanged;
  }
  return rows;
}

void add_rows(Json& json, const RowCounts& rows) {
  json["rows_changed"] = rows.changed;
  json["rows_already_right"] = rows.already_right;
  json["rows_quarantined"] = rows.quarantined;
  json["rows_unchanged"] = rows.unchanged;
}

Json step_json(const StepOverview& step) {
  Json json{{"name", step.name}, {"kind", step.kind}, {"state", name_of(step.state)}, {"error", step.error}};
  if (is_act(step)) json["part"] = step.part;
  if (!step.detail.empty()) json["detail"] = step.detail;
  add_rows(json, step.rows);
  const bool is_known = step.rows_expected > 0;
  json["rows_expected"] = is_known ? Json(step.rows_expected) : Json(nullptr);
  json["percent"] = is_known ? Json(percent_of(step)) : Json(nullptr);
  json["batches"] = step.batches;
  json["ranges"] = step.ranges;
  json["ranges_done"] = step.ranges_done;
  if (step.undo_bytes > 0) {
    json["undo_bytes"] = step.undo_bytes;
    json["undo_age_s"] = step.undo_age_s;
  }
  if (step.follow) {
    json["follow"] = {
        {"is_following", step.follow->is_following},
        {"is_switched", step.follow->is_switched},
        {"entries_behind", step.follow->behind.entries},
        {"behind_s", step.follow->behind.age_s < 0 ? Json(nullptr) : Json(step.follow->behind.age_s)},
        {"measured_age_s", step.follow->measured_age_s}};
  }
  json["foretold"] = step.foretold ? foretold_json(*step.foretold, step.came_true) : Json(nullptr);
  return json;
}

Json run_json(const RunOverview& run) {
  return {{"run_id", run.run_id},
          {"host", run.host},
          {"pid", run.pid},
          {"is_live", run.is_live},
          {"heartbeat_age_s", run.heartbeat_age_s},
          {"progress", run.progress}};
}

}  // namespace

std::string state_text(const JobOverview& job) {
  if (live_runs(job) > 0) return name_of(job.state);
  if (job.state == JobState::kRunning) return "interrupted";
  if (job.state == JobState::kRollingBack) return "rolling back, interrupted";
  return name_of(job.state);
}

std::vector<std::string> job_list_lines(const std::vector<JobOverview>& jobs) {
  if (jobs.empty()) return {"no jobs in this database's ledger"};
  Table table({"JOB", "STATE", "CONTROL", "STEP", "CHANGED", "PROGRESS", "LIVE RUNS"}, {4, 6});
  for (const auto& job : jobs) {
    table.add({job.name, state_text(job), name_of(job.control), current_step_text(job),
               base::format_count(rows_of(job).changed), current_progress_text(job),
               std::to_string(live_runs(job))});
  }
  return table.lines("");
}

std::vector<std::string> job_lines(const JobOverview& job) {
  Lines lines = {plain_line(job.name + ": " + state_text(job))};
  if (!job.description.empty()) lines.push_back("  " + plain_line(job.description));
  lines.push_back("  control: " + plain_line(control_text(job)));
  for (const auto& tunable : job.tunables) lines.push_back("  set: " + plain_line(tunable));
  for (auto& line : step_lines(job)) lines.push_back(std::move(line));
  for (const auto& run : job.runs) lines.push_back("  " + plain_line(run_text(run)));
  return lines;
}

std::string job_line(const JobOverview& job) {
  std::string line = job.name + ": " + state_text(job);
  if (job.control != Control::kRun) line += ", control " + control_text(job);
  line += ", step " + current_step_text(job);
  if (const auto progress = current_progress_text(job); !progress.empty()) line += ", " + progress;
  for (const auto& run : job.runs) {
    if (run.is_live) line += "; " + run_text(run);
  }
  return plain_line(line);
}

Json job_json(const JobOverview& job) {
  Json json{{"name", job.name},
            {"description", job.description},
            {"state", state_text(job)},
            {"control", name_of(job.control)},
            {"control_reason", job.control_reason},
            {"control_actor", job.control_actor},
            {"tunables", job.tunables}};
  add_rows(json, rows_of(job));
  json["steps"] = Json::array();
  for (const auto& step : job.steps) json["steps"].push_back(step_json(step));
  json["runs"] = Json::array();
  for (const auto& run : job.runs) json["runs"].push_back(run_json(run));
  return json;
}

bool is_over(const JobOverview& job) {
  constexpr std::array kEnds = {JobState::kDone, JobState::kFailed, JobState::kCancelled,
                                JobState::kRolledBack};
  return live_runs(job) == 0 && std::find(kEnds.begin(), kEnds.end(), job.state) != kEnds.end();
}

ExitCode exit_code_of(const JobOverview& job) {
  if (job.state == JobState::kFailed) return ExitCode::kFailed;
  if (job.state == JobState::kCancelled) return ExitCode::kCancelled;
  if (rows_of(job).unchanged > 0) return ExitCode::kMismatch;
  return rows_of(job).quarantined > 0 ? ExitCode::kQuarantined : ExitCode::kDone;
}

}  // namespace pgsluice::cli
