#include "bench/measure/trial_sink.hpp"

#include <algorithm>

#include "pg/sqlstate.hpp"

namespace pgsluice::bench {
namespace {

constexpr std::string_view kStatementTimeout = pg::kQueryCanceled;
constexpr double kHeldShareMax = 0.05;  // of a trial; beyond it the figures show the throttle
// The last batch of a range may be small. Walks over blocks know their batch size only approximately, and
// count a row as visited in the first of its passes.
constexpr double kFullFrom = 0.5;

}  // namespace

void TrialSink::take(const event::Batch& batch, std::chrono::system_clock::time_point at) {
  using Duration = std::chrono::system_clock::duration;
  const auto took = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(batch.duration_s));
  first_ = std::min(first_.value_or(at - took), at - took);
  last_ = at;
  ++result_.batches;
  result_.rows_changed += batch.rows_changed;
  const auto rows = std::max(batch.rows_visited, batch.rows_changed);
  if (static_cast<double>(rows) < kFullFrom * static_cast<double>(result_.setting.rows)) return;
  batch_times_.add(std::chrono::duration_cast<std::chrono::nanoseconds>(took));
  ++timed_;
}

void TrialSink::publish(Event event) {
  const std::lock_guard lock(mutex_);
  if (!event.run_id.empty()) run_id_ = event.run_id;
  if (const auto* batch = std::get_if<event::Batch>(&event.body)) take(*batch, event.at);
  if (const auto* failed = std::get_if<event::BatchFailed>(&event.body);
      failed && failed->sqlstate == kStatementTimeout) {
    result_.ran_into_timeout = true;
    result_.disturbance = "a batch ran into its statement_timeout";
  }
  if (const auto* summary = std::get_if<event::Summary>(&event.body)) held_s_ = summary->held_s;
}

std::string TrialSink::run_id() const {
  const std::lock_guard lock(mutex_);
  return run_id_;
}

TrialResult TrialSink::result() const {
  const std::lock_guard lock(mutex_);
  TrialResult out = result_;
  if (first_) out.duration_s = std::chrono::duration<double>(last_ - *first_).count();
  if (timed_ > 0) {
    out.batch_p50_ms = 1e3 * batch_times_.quantile(0.50);
    out.batch_p95_ms = 1e3 * batch_times_.quantile(0.95);
    out.batch_p99_ms = 1e3 * batch_times_.quantile(0.99);
  }
  if (out.disturbance.empty() && held_s_ > kHeldShareMax * out.duration_s)
    out.disturbance = "the throttle held it";
  return out;
}

}  // namespace pgsluice::bench
