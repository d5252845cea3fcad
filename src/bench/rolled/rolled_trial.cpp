#include "bench/rolled/rolled_trial.hpp"

#include "pgsluice/error.hpp"
#include "telling/failure/outcome.hpp"

namespace pgsluice::bench {
namespace {

constexpr std::string_view kStatementTimeout = pg::kQueryCanceled;

}  // namespace

void RolledTrial::take(const RolledOutcome& outcome, bool has_given_way, TimePoint now) {
  ended_ = now;
  if (!outcome.sqlstate.empty()) return take_failure(outcome, has_given_way);
  ++result_.batches;
  result_.rows_changed += outcome.changed;
  if (outcome.sample) {
    sampled_.rows += outcome.sample->rows;
    sampled_.hot += outcome.sample->hot;
    if (outcome.sample->wal_bytes)
      sampled_.wal_bytes = sampled_.wal_bytes.value_or(0) + *outcome.sample->wal_bytes;
  } else if (outcome.is_full) {
    batch_times_.add(outcome.duration);
    ++timed_;
  }
}

void RolledTrial::take_failure(const RolledOutcome& outcome, bool has_given_way) {
  if (has_given_way) return;  // reported by the code that cancelled it
  if (outcome.sqlstate == kStatementTimeout) {
    result_.ran_into_timeout = true;
    return disturb("a batch ran into its statement_timeout");
  }
  if (outcome.disposition == pg::Disposition::kFatal) {
    throw Error(engine::exit_code_of(outcome.sqlstate),
                "a batch failed: " + outcome.message + " (SQLSTATE " + outcome.sqlstate + ")",
                "a run of the job would fail the same way: fix the cause first");
  }
  if (++retries_ > kRetriesMax) disturb("batches kept failing: " + outcome.message);
}

void RolledTrial::disturb(const std::string& cause) {
  if (result_.disturbance.empty()) result_.disturbance = cause;
}

void RolledTrial::give_way() {
  result_.gave_way = true;
  disturb("a session waited for it");
}

TrialResult RolledTrial::result() const {
  TrialResult out = result_;
  out.duration_s = std::chrono::duration<double>(ended_ - began_).count();
  if (timed_ > 0) {
    out.batch_p50_ms = 1e3 * batch_times_.quantile(0.50);
    out.batch_p95_ms = 1e3 * batch_times_.quantile(0.95);
    out.batch_p99_ms = 1e3 * batch_times_.quantile(0.99);
  }
  if (sampled_.rows > 0) {
    const auto rows = static_cast<double>(sampled_.rows);
    out.hot_percent = 100 * static_cast<double>(sampled_.hot) / rows;
    if (sampled_.wal_bytes) out.wal_bytes_per_row = *sampled_.wal_bytes / rows;
  }
  return out;
}

}  // namespace pgsluice::bench
