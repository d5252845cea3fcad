#pragma once

#include <memory>
#include <optional>
#include <string>

#include "lanes/batch/backfill_step.hpp"
#include "ledger/range/lease.hpp"
#include "support/db.hpp"

namespace pgsluice::test {

/// A table `counted` of rows 1 to 1000, a ledger, and a job that says n = n + 1 over one range of it: the
/// simplest thing that shows a row done twice or left out. Batches and leases are called directly, as lanes
/// call them.
class CountedRange {
 public:
  static constexpr int kRows = 1'000;

  /// In the database behind `dsn`.
  explicit CountedRange(const std::string& dsn);

  Db& db() { return db_; }
  const std::string& dsn() const { return dsn_; }
  std::unique_ptr<pg::Session> open(const std::string& dsn) const;
  std::unique_ptr<pg::Session> open() const { return open(dsn_); }

  const engine::PreparedBackfill& prepared() const { return *step_; }

  /// Writes a run of this process into the ledger; its id.
  std::string begin_run(pg::Session& session);

  /// Leases the free range for the run and fixes its upper end.
  ledger::Range lease(pg::Session& session, const std::string& run_id);

  /// A batch of the range, with limits that no busy machine runs into.
  engine::BatchWork work(const ledger::Range& range, std::int64_t rows = 100) const;

  /// Cuts the range at `middle` as a lane without work does; the new range's id.
  std::optional<std::int64_t> split_at(pg::Session& session, int middle);

  /// Runs batches until the range is over, leasing again whenever it is fenced; false if it is another's.
  bool finish(pg::Session& session, ledger::Range range);
  /// Leases whatever is left for a new run and finishes it.
  void finish_all();

  /// Position of the first range as the ledger holds it; 0 before the first batch.
  int position();
  /// Rows with n = 0, 1 and more.
  std::string counts();

 private:
  std::string dsn_;
  Db db_;
  std::int64_t job_id_ = 0;
  std::unique_ptr<engine::PreparedBackfill> step_;
};

/// What counts() says when every row was changed once.
inline constexpr const char* kEachOnce = "0: 0, 1: 1000, more: 0";
inline constexpr const char* kUntouched = "0: 1000, 1: 0, more: 0";

}  // namespace pgsluice::test
