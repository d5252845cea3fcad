#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kinds/compare/comparison.hpp"
#include "pg/connection/transaction.hpp"

namespace pgsluice::engine {

/// Mends the rows of a copy that is done: those that are missing at the target are copied, those that are
/// different become what the source has, if they are still as they were seen. A few rows at a time: read
/// whole at the source, then written in one short transaction, under the job's lock, so that no rollback and
/// no other repair is at work on them. Confined to the thread of its sessions.
class CopyMender final : public Mender {
 public:
  struct Place {
    std::int64_t job_id = 0;
    std::int64_t step_id = 0;
    pg::TransactionLimits limits;  // of the transactions at the target
  };

  /// `copying` with `kept` if the step keeps which rows it inserts. REQUIRES: the sessions outlive it.
  CopyMender(Comparison::Sides sides, Copying copying, std::string target_hash, Place place);

  std::map<pg::Key, std::string> mend(const WrongRows& wrong) override;

 private:
  using Lines = std::map<pg::Key, std::string>;  // as COPY takes them

  /// Keys in groups whose rows fit into memory together.
  std::vector<RowHashes> groups_of(const RowHashes& theirs);
  Lines read(const RowHashes& keys);
  /// Halves what fails, until the row is found that does.
  void write(const Lines& lines, const RowHashes& seen);
  void write_in_transaction(Lines lines, const RowHashes& seen);
  /// Rows that were changed at the target since they were seen, or came, wait for the next look.
  void leave_changed(Lines& lines, const RowHashes& seen);
  void raise_sequences(const Lines& lines);

  Comparison::Sides sides_;
  Copying copying_;
  std::string target_hash_;
  Place place_;
  std::map<pg::Key, std::string> reasons_;
};

}  // namespace pgsluice::engine
