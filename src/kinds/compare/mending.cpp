#include "kinds/compare/mending.hpp"

#include <algorithm>
#include <optional>

#include "base/failpoint.hpp"
#include "lanes/batch/source_batch.hpp"
#include "ledger/images.hpp"
#include "ledger/jobs.hpp"
#include "pg/identifier.hpp"
#include "pgsluice/error.hpp"
#include "table/copy/compare_sql.hpp"
#include "table/copy/conflict_sql.hpp"
#include "table/copy/copy_line.hpp"
#include "table/copy/copy_sql.hpp"
#include "table/copy/kept_sql.hpp"

namespace pgsluice::engine {
namespace {

// Rows of one transaction: written in a few milliseconds, so nobody waits long for one of them.
constexpr std::size_t kRowsMost = 200;
// How often a transaction is tried that others stand in the way of: the next run of verify comes back to it.
constexpr int kAttempts = 5;

[[noreturn]] void refuse_undone() {
  throw Error(ExitCode::kRefused, "the job is being rolled back: its rows are not mended",
              "run the job again first");
}

}  // namespace

CopyMender::CopyMender(Comparison::Sides sides, Copying copying, std::string target_hash, Place place)
    : sides_(sides),
      copying_(std::move(copying)),
      target_hash_(std::move(target_hash)),
      place_(std::move(place)) {}

std::map<pg::Key, std::string> CopyMender::mend(const WrongRows& wrong) {
  reasons_.clear();
  for (const auto& group : groups_of(wrong.theirs)) write(read(group), wrong.ours);
  return reasons_;
}

std::vector<RowHashes> CopyMender::groups_of(const RowHashes& theirs) {
  const auto sizes_sql = hashes_of_keys_sql(copying_, CopySide::kSource, row_size_sql(copying_));
  const auto columns = copying_.key.size();
  std::vector<RowHashes> groups;
  std::size_t bytes = 0;
  sides_.source.exec(begin_source_sql(copying_));
  try {
    const auto rows = sides_.source.exec(sizes_sql, key_arrays(theirs, columns));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      pg::Key key;
      for (std::size_t k = 0; k < columns; ++k) key.push_back(rows.text(i, k));
      const auto size = static_cast<std::size_t>(rows.integer(i, columns));
      if (groups.empty() || groups.back().size() == kRowsMost || bytes + size > kBatchBytesMost) {
        groups.emplace_back();
        bytes = 0;
      }
      bytes += size;
      groups.back().emplace(std::move(key), std::string());
    }
    sides_.source.exec("COMMIT");
  } catch (...) {
    pg::rollback(sides_.source);
    throw;
  }
  return groups;
}

CopyMender::Lines CopyMender::read(const RowHashes& keys) {
  const auto columns = copying_.key.size();
  Lines lines;
  sides_.source.exec(begin_source_sql(copying_));
  try {
    sides_.source.copy_out(copy_keys_out_sql(copying_, key_arrays(keys, columns)),
                           [&](std::string_view line) {
                             lines.emplace(key_at_start(line, columns), after_fields(line, columns));
                             return true;
                           });
    sides_.source.exec("COMMIT");
  } catch (...) {
    pg::rollback(sides_.source);
    throw;
  }
  return lines;
}

void CopyMender::write(const Lines& lines, const RowHashes& seen) {
  if (lines.empty()) return;
  for (int attempt = 1;; ++attempt) {
    try {
      return write_in_transaction(lines, seen);
    } catch (const pg::Failure& f) {
      pg::rollback(sides_.target);
      if (f.is_connection_lost() || dynamic_cast<const pg::InDoubt*>(&f) != nullptr) throw;
      const bool may_pass = f.disposition() == pg::Disposition::kRetryable || pg::is_timeout(f.sqlstate());
      if (may_pass && attempt < kAttempts) continue;
      if (lines.size() > 1) break;
      reasons_[lines.begin()->first] = f.what();
      return;
    } catch (...) {
      pg::rollback(sides_.target);
      throw;
    }
  }
  const auto middle = std::next(lines.begin(), static_cast<std::ptrdiff_t>(lines.size() / 2));
  write(Lines(lines.begin(), middle), seen);
  write(Lines(middle, lines.end()), seen);
}

void CopyMender::write_in_transaction(Lines lines, const RowHashes& seen) {
  auto& target = sides_.target;
  target.exec(pg::begin_sql(place_.limits) + target_settings(copying_) + kept_settings());
  if (ledger::lock_job(target, place_.job_id) == JobState::kRollingBack ||
      ledger::is_undone(target, place_.step_id))
    refuse_undone();
  leave_changed(lines, seen);
  std::string all;
  for (const auto& [key, line] : lines) all += line;
  target.exec(make_stage_sql(copying_));
  target.copy_in(copy_into_stage_sql(copying_), all);
  const auto update = mend_staged_sql(copying_);
  // With kSkip a row that is there is right.
  if (!update.empty() && copying_.on_conflict != OnConflict::kSkip) target.exec_cancellable(update, {});
  target.exec_cancellable(insert_missing_sql(copying_), {});
  raise_sequences(lines);
  base::failpoint("mend_before_commit");
  pg::commit(target);
}

void CopyMender::leave_changed(Lines& lines, const RowHashes& seen) {
  const auto sql = hashes_of_keys_sql(copying_, CopySide::kTarget, target_hash_) + "\nFOR UPDATE OF " +
                   pg::Identifier(copying_.to.name).sql();
  const auto rows = sides_.target.exec_cancellable(sql, key_arrays(lines, copying_.key.size()));
  RowHashes now;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    pg::Key key;
    for (std::size_t k = 0; k < copying_.key.size(); ++k) key.push_back(rows.text(i, k));
    now.emplace(std::move(key), rows.text(i, copying_.key.size()));
  }
  std::erase_if(lines, [&](const auto& row) {
    const auto before = seen.find(row.first);
    const auto after = now.find(row.first);
    if (before == seen.end()) return after != now.end();
    return after == now.end() || after->second != before->second;
  });
}

void CopyMender::raise_sequences(const Lines& lines) {
  for (const auto& sequence : copying_.sequences) {
    std::optional<std::int64_t> highest;
    for (const auto& [key, line] : lines) highest = std::max(highest, integer_in(line, sequence.column));
    if (highest) sides_.target.exec(raise_sequence_sql(sequence.sequence_sql, *highest));
  }
}

}  // namespace pgsluice::engine
