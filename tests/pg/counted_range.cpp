#include "pg/counted_range.hpp"

#include <stdexcept>

#include "base/process_identity.hpp"
#include "base/uuid.hpp"
#include "ledger/jobs.hpp"
#include "ledger/range/split.hpp"
#include "ledger/runs.hpp"
#include "ledger/schema.hpp"

namespace pgsluice::test {
namespace {

constexpr const char* kTable = R"sql(
CREATE TABLE counted (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);
INSERT INTO counted SELECT generate_series(1, 1000)
)sql";

BackfillStep step() {
  BackfillStep step;
  step.name = "count";
  step.table = {"", "counted"};
  step.set = {{"n", "n + 1"}};
  return step;
}

}  // namespace

CountedRange::CountedRange(const std::string& dsn) : dsn_(dsn), db_(dsn) {
  db_.exec(kTable);
  db_.exec("ANALYZE counted");
  const auto session = open();
  ledger::install(*session);
  const auto record = ledger::open_job(*session, {"count", "", {{"count", "backfill", {"n = n + 1"}}}});
  job_id_ = record.job_id;
  step_ = std::make_unique<engine::PreparedBackfill>(
      engine::prepare_backfill(*session, step(), record.steps.at(0).step_id, 1));
  engine::cut_into_ranges(*session, *step_, 1);
  if (db_.number("SELECT count(*) FROM pgsluice.range") != 1)
    throw std::logic_error("a small table is one range");
}

std::unique_ptr<pg::Session> CountedRange::open(const std::string& dsn) const {
  return std::make_unique<pg::Session>(pg::ConnectionTarget(dsn), "pgsluice test");
}

std::string CountedRange::begin_run(pg::Session& session) {
  const auto run_id = base::random_uuid();
  ledger::register_run(session, job_id_, run_id, "test", base::this_process());
  return run_id;
}

ledger::Range CountedRange::lease(pg::Session& session, const std::string& run_id) {
  auto range = ledger::lease_next(session, step_->step_id, run_id, {});
  if (!range) throw std::logic_error("no range is free");
  if (range->upper) return *range;
  range->upper = step_->keyset->read_key(session.exec(step_->keyset->highest(), pg::Params{}), 0);
  if (!ledger::fix_upper(session, range->token, *range->upper)) throw std::logic_error("fenced");
  return *range;
}

engine::BatchWork CountedRange::work(const ledger::Range& range, std::int64_t rows) const {
  engine::BatchWork work;
  work.keyset = &*step_->keyset;
  work.sql = &step_->sql;
  work.step_id = step_->step_id;
  work.range = range;
  work.rows = rows;
  work.limits = {std::chrono::milliseconds{0}, std::chrono::milliseconds{20'000}, false};
  return work;
}

std::optional<std::int64_t> CountedRange::split_at(pg::Session& session, int middle) {
  const auto candidates = ledger::largest_remaining(session, step_->step_id, {});
  if (candidates.empty()) return std::nullopt;
  return ledger::split(
      session, step_->step_id, candidates.front(), {std::to_string(middle)},
      [&](const std::string& position, int first) { return step_->keyset->is_before(position, first); });
}

bool CountedRange::finish(pg::Session& session, ledger::Range range) {
  for (;;) {
    const auto outcome = engine::run_batch(session, work(range, 70));
    if (outcome.is_fenced) {
      auto again = ledger::lease_again(session, range.token);
      if (!again) return false;
      range = std::move(*again);
      continue;
    }
    if (outcome.disposition != pg::Disposition::kCommitted) throw std::runtime_error(outcome.message);
    if (outcome.is_range_done) return true;
    range.position = outcome.position;
  }
}

void CountedRange::finish_all() {
  db_.exec("UPDATE pgsluice.run SET ended_at = now() WHERE ended_at IS NULL");
  const auto session = open();
  const auto run_id = begin_run(*session);
  while (db_.number("SELECT count(*) FROM pgsluice.range WHERE NOT is_done") > 0)
    finish(*session, lease(*session, run_id));
}

int CountedRange::position() {
  return static_cast<int>(
      db_.number("SELECT coalesce(position[1]::int, 0) FROM pgsluice.range ORDER BY range_id LIMIT 1"));
}

std::string CountedRange::counts() {
  return db_.text(
      "SELECT format('0: %s, 1: %s, more: %s', count(*) FILTER (WHERE n = 0), count(*) FILTER (WHERE n = 1), "
      "count(*) FILTER (WHERE n > 1)) FROM counted");
}

}  // namespace pgsluice::test
