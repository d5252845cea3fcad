#include "measure/engine_run.hpp"

#include <algorithm>
#include <stdexcept>
#include <thread>

#include "measure/event_lines.hpp"
#include "measure/not_available.hpp"
#include "measure/process_cost.hpp"
#include "support/environment.hpp"

namespace pgsluice::bench {
namespace {

constexpr std::chrono::milliseconds kLook{5};  // how often its memory and its end are looked at
constexpr std::chrono::minutes kPatience{60};

constexpr int kRefused = 5;  // by preflight
constexpr int kJobFile = 78;

/// "pgsluice: error: …", the first of them.
std::string refusal_in(const std::string& err) {
  const std::string mark = "error: ";
  const auto begin = err.find(mark);
  if (begin == std::string::npos) return err;
  return err.substr(begin + mark.size(), err.find('\n', begin) - begin - mark.size());
}

void check(int code, const std::string& out, const std::string& err) {
  if (code == kRefused || code == kJobFile) throw NotAvailable(refusal_in(err));
  if (code != 0) throw std::runtime_error("pgsluice failed:\n" + out + err);
}

std::vector<std::string> walk_changes(const std::string& out) {
  std::vector<std::string> changes;
  for (const auto& event : events_of(out, "tune")) {
    if (event.at("field") != "walk") continue;
    changes.push_back(event.at("from").get<std::string>() + " to " + event.at("to").get<std::string>() +
                      ": " + event.at("cause").get<std::string>());
  }
  return changes;
}

}  // namespace

std::string job_file(const EngineJob& job) {
  std::string text = "name = \"bench\"\n[pool]\nlanes = " + std::to_string(job.lanes) + "\n";
  if (job.rows > 0) {
    const auto rows = std::to_string(job.rows);
    text += "[batch]\nrows = " + rows + "\nrows_min = " + rows + "\nrows_max = " + rows + "\n";
  }
  if (!job.throttle.empty()) text += "[throttle]\n" + job.throttle;
  const bool is_purge = !job.purge.empty();
  text += std::string("[[step]]\nkind = \"") + (is_purge ? "purge" : "backfill") +
          "\"\nname = \"fill\"\ntable = \"" + job.table + "\"\n" +
          (is_purge ? job.purge : "set = { " + job.set + " }\n");
  if (!job.where.empty()) text += "where = \"" + job.where + "\"\n";
  if (!job.walk.empty()) text += "walk = \"" + job.walk + "\"\n";
  return text;
}

std::string planned_walk(const std::string& dsn, const EngineJob& job) {
  const test::TempFolder folder;
  const auto planned =
      test::run(test::pgsluice({"plan", folder.write("job.toml", job_file(job)), "--dsn", dsn, "--json"}));
  if (planned.code() != 0) return "";
  const auto step = base::Json::parse(planned.out).at("steps").at(0);
  const std::string reason = step.at("walk_reason");
  return step.at("walk").get<std::string>() + (reason.empty() ? "" : ", because " + reason);
}

EngineRun::EngineRun(const std::string& dsn, const EngineJob& job,
                     const std::vector<std::string>& more_arguments) {
  std::vector<std::string> arguments{"run", folder_.write("job.toml", job_file(job)), "--dsn", dsn, "--json"};
  arguments.insert(arguments.end(), more_arguments.begin(), more_arguments.end());
  children_cpu_before_ = cpu_seconds_of_ended_children();
  started_at_ = std::chrono::system_clock::now();
  began_ = std::chrono::steady_clock::now();
  auto command = test::pgsluice(arguments);
  command.env = job.env;
  process_ = std::make_unique<test::Process>(command);
}

bool EngineRun::running() {
  peak_mb_ = std::max(peak_mb_, resident_peak_mb(process_->pid()));
  return process_->running();
}

std::vector<BatchTold> EngineRun::batches() const {
  std::vector<BatchTold> result;
  for (const auto& event : events_of(process_->out(), "batch")) {
    result.push_back(
        {read_time(event.at("ts")), event.at("range_id"), event.at("rows_visited"), event.at("duration_s")});
  }
  return result;
}

std::vector<std::int64_t> EngineRun::ranges_taken_over() const {
  std::vector<std::int64_t> result;
  for (const auto& event : events_of(process_->out(), "lease")) {
    if (event.at("taken_over")) result.push_back(event.at("range_id"));
  }
  return result;
}

EngineResult EngineRun::finish() {
  while (running()) {
    if (std::chrono::steady_clock::now() - began_ > kPatience)
      throw std::runtime_error("pgsluice does not end");
    std::this_thread::sleep_for(kLook);
  }
  EngineResult result;
  result.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  result.cpu_s = cpu_seconds_of_ended_children() - children_cpu_before_;
  result.peak_mb = peak_mb_;
  const auto out = process_->out();
  check(process_->wait().code, out, process_->err());
  const auto step = events_of(out, "step_ended").at(0);
  result.step_s = step.at("duration_s");
  const auto summary = events_of(out, "summary").at(0);
  result.rows_changed = summary.at("rows_changed");
  result.batches = summary.at("batches");
  result.batch_p50_s = summary.at("batch_p50_s");
  result.batch_max_s = summary.at("batch_max_s");
  result.walk_changes = walk_changes(out);
  return result;
}

}  // namespace pgsluice::bench
