#include "engine/run/progress_view.hpp"

#include "base/units.hpp"

namespace pgsluice::engine {

using SteadyClock = std::chrono::steady_clock;

namespace {

// A lock queue clears sooner than that.
constexpr std::chrono::seconds kBlockedFor{1};
// A batch's own timeouts would end it earlier, so the server does not answer.
constexpr std::chrono::seconds kSilence{5};

}  // namespace

ProgressView::Standing ProgressView::standing(SteadyClock::time_point now) const {
  const auto* lanes = at_.fills.lanes();
  const auto draining_or = [&](RunState state) {
    return at_.stop.is_requested() ? RunState::kDraining : state;
  };
  const auto& blockers = at_.blockers;
  if (blockers.since() && now - *blockers.since() >= kBlockedFor && at_.gate.is_open(now))
    return {draining_or(RunState::kHeld), blockers.reason() + "; nothing else is left to do", 0};
  const auto silent = lanes ? lanes->longest_batch(now) : SteadyClock::duration{};
  if (silent > kSilence) {
    const auto since = std::chrono::duration_cast<std::chrono::seconds>(silent);
    return {draining_or(RunState::kHeld),
            "a batch has had no answer from the server for " + base::format_duration(since), 0};
  }
  const auto reason = lanes ? at_.gate.reason(now) : at_.sampler.commit_wait(now);
  const auto state = at_.gate.is_paused()              ? RunState::kPaused
                     : at_.gate.is_open(now) || !lanes ? RunState::kRunning
                                                       : RunState::kHeld;
  return {draining_or(state), reason, at_.gate.pace(now)};
}

Progress ProgressView::progress() const {
  const auto now = SteadyClock::now();
  const auto* lanes = at_.fills.lanes();
  const auto sums = at_.fills.sums();
  const auto standing = this->standing(now);
  Progress p;
  p.job = at_.job.name;
  p.step = at_.in_work.name;
  p.step_kind = at_.in_work.kind;
  p.step_number = at_.in_work.number;
  p.step_count = static_cast<int>(at_.job.steps.size());
  p.state = standing.state;
  p.hold_reason = standing.reason;
  p.pace = standing.pace;
  p.rows = sums.rows;
  p.rows_expected = sums.rows_expected;
  p.behind = at_.in_work.behind;
  p.rows_per_second = lanes ? at_.tally.rows_per_second(now) : 0;
  p.batch_rows = at_.fills.is_at_work() ? sums.batch_rows : 0;
  p.batch_time = at_.tally.recent_batch_time();
  p.lanes = at_.tunables.lanes;
  p.lanes_busy = lanes ? lanes->lanes_busy() : 0;
  p.ranges_left = at_.ranges.left();
  for (const auto& s : at_.sampler.samples()) p.signals.push_back(governor::view_of(s, now));
  const auto left = p.rows_expected - p.rows.visited();
  if (p.rows_per_second > 0 && left > 0)
    p.eta = std::chrono::seconds{static_cast<std::int64_t>(static_cast<double>(left) / p.rows_per_second)};
  p.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - at_.began);
  return p;
}

std::string ProgressView::line() const {
  const auto p = progress();
  if (p.step.empty()) return p.hold_reason.empty() ? "starting" : "starting; " + p.hold_reason;
  std::string text = p.step_kind + " " + p.step + " (" + name_of(p.state) + ")";
  if (at_.fills.lanes()) {
    const auto of =
        p.rows_expected > 0 ? "about " + base::format_count(p.rows_expected) : "an unknown number of";
    text += ": " + base::format_count(p.rows.visited()) + " of " + of + " rows, " +
            base::format_count(static_cast<std::int64_t>(p.rows_per_second)) + " rows/s, " +
            std::to_string(p.lanes) + (p.lanes == 1 ? " lane" : " lanes");
    if (p.eta) text += ", " + base::format_duration(*p.eta) + " left";
  }
  if (p.behind) text += ": " + base::format_behind(p.behind->entries, p.behind->age_s);
  if (!p.hold_reason.empty()) text += "; " + p.hold_reason;
  return text;
}

}  // namespace pgsluice::engine
