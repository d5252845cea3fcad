#pragma once

#include <cstdint>

namespace pgsluice::walk {

/// A batch that has failed this often with a retryable error is halved like one with a faulty row: five
/// attempts with backoff outlast any deadlock or lock queue, so the cause must be these rows.
inline constexpr int kRetriesMax = 5;

/// Finds the one row that makes batches fail by halving: about 2 × log2(rows) batches, and every half without
/// a fault commits. One for each leased range, discarded with the lease. Pure; confined to the lane that
/// holds the range.
class Bisection {
 public:
  enum class Verdict {
    kSmaller,    // take rows() rows next, from the same position
    kSingleRow,  // the batch was this one row: set it aside, or keep retrying it if the error was retryable
  };

  /// A batch of `rows_tried` rows failed because of its rows, and rolled back.
  Verdict on_fault(std::int64_t rows_tried);

  /// A batch of `rows` rows after the position committed. If the fault went away by itself, this ends the
  /// search.
  void on_committed(std::int64_t rows);

  /// The single row was set aside: back to the earlier size.
  void on_set_aside() { suspects_ = 0; }

  /// How many rows to take next: half of the suspects while searching, else what the sizer says.
  std::int64_t rows(std::int64_t rows_from_sizer) const;

  bool is_searching() const { return suspects_ > 0; }

 private:
  std::int64_t suspects_ = 0;  // rows after the position with at least one faulty row; 0: not searching
};

}  // namespace pgsluice::walk
