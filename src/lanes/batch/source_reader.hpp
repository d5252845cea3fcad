#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>

#include "lanes/batch/source_batch.hpp"
#include "pg/connection/connection_target.hpp"
#include "table/copy/copying.hpp"
#include "walk/keyset.hpp"

namespace pgsluice::engine {

/// Reads a lane's batches at the source of a copy, on a connection of its own, one ahead of what is written.
/// Used by one thread at a time, the lane's.
class SourceReader {
 public:
  /// `target`: the database that is written; it is the source too if the copy names no other.
  SourceReader(std::shared_ptr<const Copying> copying, walk::Keyset keyset,
               const pg::ConnectionTarget& target, std::string application_name);
  /// Ends what is being read.
  ~SourceReader();
  SourceReader(const SourceReader&) = delete;
  SourceReader& operator=(const SourceReader&) = delete;

  const Copying& copying() const { return *copying_; }

  /// The next batch: what was read ahead, if that is what is wanted and no larger, else read now. Blocks;
  /// gives up when `beside`, the lane's session, is told to end. Throws SourceFailure, and
  /// Error(kUnreachable) once the source has been away for longer than a run waits for a server.
  SourceBatch take(const SourceWanted& wanted, const pg::Session& beside);

  /// Of a copy that follows its source: puts the keys of the batch's slice into the queue again, or only
  /// these. Committed when it returns. Throws SourceFailure.
  void requeue(const SourceBatch& batch);
  void requeue(const std::vector<pg::Key>& keys);

  /// Begins to read what follows `batch`, while that is written.
  void read_ahead(const SourceBatch& batch, std::int64_t rows);

 private:
  void send_requeue(const walk::Fragment& again);
  SourceBatch read(const SourceWanted& wanted);
  void await(const pg::Session& beside) const;
  SourceBatch finish();
  void begin(const SourceWanted& wanted);
  /// At most `rows`, so that the batch stays below kBatchBytesMost if its rows are as large as the last ones.
  std::int64_t rows_that_fit(std::int64_t rows) const;
  std::shared_ptr<pg::Session> session();

  std::shared_ptr<const Copying> copying_;
  walk::Keyset keyset_;
  pg::ConnectionTarget target_;
  std::string application_name_;
  std::shared_ptr<pg::Session> session_;  // written by the reading thread; atomic access only
  std::atomic<bool> is_ending_{false};
  std::int64_t bytes_per_row_ = 0;  // of the last batch
  std::optional<std::chrono::steady_clock::time_point> away_since_;
  std::optional<SourceWanted> in_work_;
  std::future<SourceBatch> ahead_;  // valid while something is in work; last, so that it ends first
};

}  // namespace pgsluice::engine
