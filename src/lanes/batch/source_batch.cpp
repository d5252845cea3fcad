#include "lanes/batch/source_batch.hpp"

#include <algorithm>

#include "base/failpoint.hpp"
#include "lanes/batch/key_cut.hpp"
#include "table/copy/copy_line.hpp"
#include "table/copy/copy_sql.hpp"
#include "walk/inlined.hpp"

namespace pgsluice::engine {
namespace {

/// Takes lines until the batch is large enough; remembers the last one's key.
class Gathering {
 public:
  Gathering(const Copying& copying, SourceBatch& batch) : copying_(copying), batch_(batch) {
    batch_.highest.resize(copying.sequences.size());
  }

  bool take(std::string_view line) {
    const auto row = after_fields(line, copying_.key.size());
    last_key_.assign(line.substr(0, line.size() - row.size()));
    batch_.lines += row;
    ++batch_.rows;
    for (std::size_t i = 0; i < copying_.sequences.size(); ++i) {
      const auto value = integer_in(row, copying_.sequences[i].column);
      if (value && (!batch_.highest[i] || *value > *batch_.highest[i])) batch_.highest[i] = value;
    }
    return batch_.lines.size() < kBatchBytesMost;
  }

  pg::Key last_key() const { return key_at_start(last_key_, copying_.key.size()); }

 private:
  const Copying& copying_;
  SourceBatch& batch_;
  std::string last_key_;  // as COPY writes it
};

void read_rows(pg::Session& source, const Copying& copying, const walk::Keyset& keyset, const KeyCut& cut,
               SourceBatch& batch) {
  Gathering gathering(copying, batch);
  const auto sql = copy_out_sql(copying, walk::inlined(keyset.predicate(cut.slice)));
  const bool is_whole = source.copy_out(sql, [&](std::string_view line) { return gathering.take(line); });
  if (is_whole) return;
  batch.end = gathering.last_key();
  batch.is_last = false;
  batch.visited = batch.rows;
}

/// The source's own timeout is not the batch's, by which others tell one from a cancel.
pg::CancelledBy who_cancelled(const pg::Failure& cause) {
  if (cause.cancelled_by() != pg::CancelledBy::kUntold) return cause.cancelled_by();
  return cause.is_somebodys_cancel(kSourceStatement) ? pg::CancelledBy::kSomebody : pg::CancelledBy::kTimeout;
}

}  // namespace

SourceFailure::SourceFailure(const pg::Failure& cause, std::optional<pg::Key> end)
    : pg::Failure(cause.sqlstate(), std::string("at the source: ") + cause.what(), cause.is_connection_lost(),
                  who_cancelled(cause), {}),
      end_(std::move(end)) {}

SourceBatch read_batch(pg::Session& source, const Copying& copying, const walk::Keyset& keyset,
                       const SourceWanted& wanted) {
  SourceBatch batch;
  batch.wanted = wanted;
  std::optional<pg::Key> end;
  try {
    source.exec(begin_source_sql(copying));
    const auto cut = find_cut(source, keyset, wanted.from, wanted.range_upper, wanted.rows);
    end = batch.end = cut.slice.upper;
    batch.is_last = cut.is_last;
    batch.visited = cut.visited;
    if (cut.visited > 0 && !wanted.is_cut_only) read_rows(source, copying, keyset, cut, batch);
    if (!source.must_discard()) source.exec("COMMIT");
  } catch (const pg::Failure& f) {
    if (!f.is_connection_lost()) pg::rollback(source);
    throw SourceFailure(f, end);
  }
  base::failpoint("copy_read");
  return batch;
}

}  // namespace pgsluice::engine
