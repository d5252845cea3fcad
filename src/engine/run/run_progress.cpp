// What a Run shows of itself while it works.

#include "base/units.hpp"
#include "engine/run/run.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds kProgressTurn{250};
// A lock queue clears sooner than that.
constexpr std::chrono::seconds kBlockedFor{1};
// A batch's own timeouts end it earlier: the server does not answer.
constexpr std::chrono::seconds kSilence{5};

}  // namespace

asio::awaitable<void> Run::show_progress(const Over& over) {
  auto last = SteadyClock::now();
  while (!over.is_set()) {
    const auto now = SteadyClock::now();
    if (gate_.held_since(now) || blockers_.since())
      tally_.held_s += std::chrono::duration<double>(now - last).count();
    last = now;
    tell_wrong_estimates();
    journal_.write(event::Status{progress()});
    co_await over.wait(kProgressTurn);
  }
}

void Run::tell_wrong_estimates() {
  if (!fills_) return;
  for (const auto& fill : *fills_) {
    if (fill->is_estimate_wrong || fill->is_ended || fill->rows_expected() > 0) continue;
    if (fill->step().rows.visited() == 0) continue;
    fill->is_estimate_wrong = true;
    const auto& table = fill->prepared().table;
    journal_.warn("table " + table.sql() + " holds more rows than the " +
                  base::format_count(table.rows_estimate) +
                  " that were estimated: how many are left is not known");
  }
}

Progress Run::progress() const {
  const auto now = SteadyClock::now();
  Progress p;
  p.job = job_.name;
  p.step = step_name_;
  p.step_kind = step_kind_;
  p.step_number = step_number_;
  p.step_count = static_cast<int>(job_.steps.size());
  p.state = stop_.is_requested()            ? "draining"
            : gate_.is_paused()             ? "paused"
            : gate_.is_open(now) || !lanes_ ? "running"
                                            : "held";
  const auto sums = fills_ ? sums_of(*fills_) : last_fills_;
  p.rows = sums.rows;
  p.rows_expected = sums.rows_expected;
  p.rows_per_second = lanes_ ? tally_.rows_per_second(now) : 0;
  p.batch_rows = fills_ ? sums.batch_rows : 0;
  p.batch_time = tally_.recent_batch_time();
  p.lanes = job_.lanes;
  p.lanes_busy = lanes_ ? lanes_->lanes_busy() : 0;
  p.ranges_left = ranges_left_;
  p.pace = gate_.pace(now);
  p.hold_reason = lanes_ ? gate_.reason(now) : sampler_.commit_wait(now);
  if (const auto silent = lanes_ ? lanes_->longest_batch(now) : SteadyClock::duration{}; silent > kSilence) {
    p.state = stop_.is_requested() ? "draining" : "held";
    p.pace = 0;
    p.hold_reason = "a batch has had no answer from the server for " +
                    base::format_duration(std::chrono::duration_cast<std::chrono::seconds>(silent));
  }
  if (const auto since = blockers_.since(); since && now - *since >= kBlockedFor && gate_.is_open(now)) {
    p.state = stop_.is_requested() ? "draining" : "held";
    p.pace = 0;
    p.hold_reason = blockers_.reason() + "; nothing else is left to do";
  }
  for (const auto& s : sampler_.samples()) p.signals.push_back(governor::view_of(s, now));
  const auto left = p.rows_expected - p.rows.visited();
  if (p.rows_per_second > 0 && left > 0) {
    p.eta = std::chrono::seconds{static_cast<std::int64_t>(static_cast<double>(left) / p.rows_per_second)};
  }
  p.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - began_);
  return p;
}

std::string Run::progress_text() const {
  const auto p = progress();
  if (p.step.empty()) return p.hold_reason.empty() ? "starting" : "starting; " + p.hold_reason;
  std::string text = p.step_kind + " " + p.step + " (" + p.state + ")";
  if (lanes_) {
    const auto of =
        p.rows_expected > 0 ? "about " + base::format_count(p.rows_expected) : "nobody knows how many";
    text += ": " + base::format_count(p.rows.visited()) + " of " + of + " rows, " +
            base::format_count(static_cast<std::int64_t>(p.rows_per_second)) + " rows/s, " +
            std::to_string(p.lanes) + (p.lanes == 1 ? " lane" : " lanes");
    if (p.eta) text += ", " + base::format_duration(*p.eta) + " left";
  }
  if (!p.hold_reason.empty()) text += "; " + p.hold_reason;
  return text;
}

}  // namespace pgsluice::engine
