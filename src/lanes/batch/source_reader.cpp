#include "lanes/batch/source_reader.hpp"

#include <algorithm>

#include "pg/connection/transaction.hpp"
#include "pgsluice/error.hpp"
#include "table/copy/copy_sql.hpp"
#include "table/follow/follow_sql.hpp"

namespace pgsluice::engine {
namespace {

// How soon a lane that waits for the source notices that it is to end.
constexpr std::chrono::milliseconds kLook{50};
// As long as a run waits for a server that it writes to: a restart or a failover takes less.
constexpr std::chrono::seconds kSourceAwayMax{60};

[[noreturn]] void give_up(const pg::Failure& failure) {
  throw Error(ExitCode::kUnreachable, std::string("the source cannot be reached: ") + failure.what(),
              "start it or correct `from.dsn`, then run again: the job continues where it stopped");
}

}  // namespace

SourceReader::SourceReader(std::shared_ptr<const Copying> copying, walk::Keyset keyset,
                           const pg::ConnectionTarget& target, std::string application_name)
    : copying_(std::move(copying)),
      keyset_(std::move(keyset)),
      target_(copying_->source.value_or(target)),
      application_name_(std::move(application_name)) {}

SourceReader::~SourceReader() {
  is_ending_ = true;
  if (const auto session = std::atomic_load(&session_)) session->abandon();
  if (ahead_.valid()) ahead_.wait();
}

std::shared_ptr<pg::Session> SourceReader::session() {
  auto session = std::atomic_load(&session_);
  if (!session || session->must_discard()) {
    session = std::make_shared<pg::Session>(target_, application_name_);
    session->give_up_after(kSourceSilence);
    std::atomic_store(&session_, session);
  }
  if (is_ending_) session->abandon();  // told to end while it connected
  return session;
}

SourceBatch SourceReader::read(const SourceWanted& wanted) {
  std::shared_ptr<pg::Session> source;
  try {
    source = session();
  } catch (const pg::Failure& f) {
    throw SourceFailure(f, std::nullopt);
  }
  return read_batch(*source, *copying_, keyset_, wanted);
}

void SourceReader::begin(const SourceWanted& wanted) {
  in_work_ = wanted;
  ahead_ = std::async(std::launch::async, [this, wanted] { return read(wanted); });
}

void SourceReader::await(const pg::Session& beside) const {
  while (ahead_.wait_for(kLook) != std::future_status::ready) {
    if (beside.is_aborted())
      throw pg::Failure(std::string(pg::kQueryCanceled), "the run is ending", false, pg::CancelledBy::kUs,
                        std::chrono::nanoseconds{0});
  }
}

SourceBatch SourceReader::finish() {
  in_work_.reset();
  try {
    auto batch = ahead_.get();
    away_since_.reset();
    return batch;
  } catch (const SourceFailure& f) {
    if (!f.is_connection_lost())
      away_since_.reset();
    else if (!away_since_)
      away_since_ = std::chrono::steady_clock::now();
    else if (std::chrono::steady_clock::now() - *away_since_ > kSourceAwayMax)
      give_up(f);
    throw;
  }
}

SourceBatch SourceReader::take(const SourceWanted& asked, const pg::Session& beside) {
  auto wanted = asked;
  wanted.rows = rows_that_fit(asked.rows);
  if (in_work_) {
    const bool is_wanted = in_work_->from == wanted.from && in_work_->range_upper == wanted.range_upper &&
                           in_work_->is_cut_only == wanted.is_cut_only && in_work_->rows <= wanted.rows;
    if (!is_wanted) {
      await(beside);
      ahead_ = {};  // what it has read, or why not, is of no interest
      in_work_.reset();
    }
  }
  if (!in_work_) begin(wanted);
  await(beside);
  auto batch = finish();
  if (batch.rows > 0) bytes_per_row_ = static_cast<std::int64_t>(batch.lines.size()) / batch.rows;
  return batch;
}

void SourceReader::requeue(const SourceBatch& batch) {
  send_requeue(engine::requeue(*copying_, keyset_, {batch.wanted.from, batch.end, 0}));
}

void SourceReader::requeue(const std::vector<pg::Key>& keys) {
  if (!keys.empty()) send_requeue(requeue_keys(*copying_, keys));
}

void SourceReader::send_requeue(const walk::Fragment& again) {
  if (ahead_.valid()) ahead_.wait();  // it uses the same session
  try {
    const auto source = session();
    pg::in_transaction(*source, {std::chrono::milliseconds{1'000}, kSourceStatement, true}, [&] {
      source->exec(synchronous_sql());
      return source->exec(again.sql, again.params);
    });
  } catch (const pg::Failure& f) {
    throw SourceFailure(f, std::nullopt);
  }
}

void SourceReader::read_ahead(const SourceBatch& batch, std::int64_t rows) {
  if (batch.is_last) return;
  begin({batch.end, batch.wanted.range_upper, rows_that_fit(rows), false});
}

std::int64_t SourceReader::rows_that_fit(std::int64_t rows) const {
  if (bytes_per_row_ == 0) return rows;
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(kBatchBytesMost) / bytes_per_row_, 1, rows);
}

}  // namespace pgsluice::engine
