#include "kinds/copy/follow/changes.hpp"

#include <set>

#include "base/failpoint.hpp"
#include "lanes/batch/source_batch.hpp"
#include "ledger/follow/follow.hpp"
#include "pg/connection/savepoint.hpp"
#include "table/copy/conflict_sql.hpp"
#include "table/copy/copy_line.hpp"
#include "table/copy/copy_sql.hpp"
#include "table/follow/follow_sql.hpp"

namespace pgsluice::engine {
namespace {

// An acknowledgement that a crash of the source loses is repeated: it need not be on disk.
constexpr pg::TransactionLimits kAcknowledge{std::chrono::milliseconds{1'000}, kSourceStatement, false};

using Keys = std::set<pg::Key>;

Keys read_entries(pg::Session& source, const Following& f, std::int64_t entries, Changes& changes) {
  const auto rows = source.exec(read_entries_sql(f, entries));
  Keys keys;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    changes.ids.push_back(rows.text(i, 0));
    changes.drawn.push_back(rows.text(i, 1));
    pg::Key key;
    for (std::size_t k = 0; k < f.copying.key.size(); ++k) key.push_back(rows.text(i, k + 2));
    if (i == 0) changes.first = key;
    keys.insert(std::move(key));
  }
  changes.is_all = static_cast<std::int64_t>(rows.size()) < entries;
  if (!changes.is_all)
    changes.behind = std::max<std::int64_t>(
        0, source.exec(count_entries_sql(f)).integer(0, 0) - static_cast<std::int64_t>(rows.size()));
  return keys;
}

void note_highest(const Copying& copying, std::string_view row, Changes& changes) {
  for (std::size_t i = 0; i < copying.sequences.size(); ++i) {
    const auto value = integer_in(row, copying.sequences[i].column);
    if (value && (!changes.highest[i] || *value > *changes.highest[i])) changes.highest[i] = value;
  }
}

/// Removes from `keys` those that have a row.
void read_rows(pg::Session& source, const Following& f, Keys& keys, Changes& changes) {
  const auto& copying = f.copying;
  const std::vector<pg::Key> wanted(keys.begin(), keys.end());
  const auto take = [&](std::string_view line) {
    const auto row = after_fields(line, copying.key.size());
    keys.erase(key_at_start(line, copying.key.size()));
    changes.lines += row;
    ++changes.rows;
    note_highest(copying, row, changes);
    return changes.lines.size() < kBatchBytesMost || wanted.size() == 1;
  };
  changes.is_too_large = !source.copy_out(copy_out_of_keys_sql(f, wanted), take);
}

std::int64_t write_staged(pg::Session& target, const Following& f, const Changes& changes) {
  target.exec(make_stage_sql(f.copying));
  target.copy_in(copy_into_stage_sql(f.copying), changes.lines);
  std::int64_t rows = 0;
  const auto failed = pg::attempt(
      target, [&] { rows = target.exec_cancellable(insert_staged_sql(f.copying), {}).affected(); });
  if (!failed) return rows;
  if (failed->sqlstate() != pg::kUniqueViolation || !f.unreplaceable.empty()) throw *failed;
  // Two rows have exchanged a unique value: no order of single updates arrives there.
  return target.exec_cancellable(replace_staged_sql(f), {}).affected();
}

std::int64_t delete_absent(pg::Session& target, const Following& f, const Changes& changes) {
  if (changes.absent.empty()) return 0;
  pg::Params params;
  for (std::size_t i = 0; i < f.target_key.size(); ++i) {
    pg::Key values;
    for (const auto& key : changes.absent) values.push_back(key[i]);
    params.emplace_back(pg::to_array(values));
  }
  return target.exec_cancellable(delete_keys_sql(f), params).affected();
}

}  // namespace

Changes read_changes(pg::Session& source, const Following& f, std::int64_t entries) {
  Changes changes;
  changes.highest.resize(f.copying.sequences.size());
  try {
    source.exec(begin_source_sql(f.copying) + "; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; " +
                hold_table_sql(f));
    const auto marks = marks_of(f);
    const auto found = source.exec(marks.sql, marks.params);
    if (!found.empty()) changes.marks = found.text(0, 0);
    auto keys = read_entries(source, f, entries, changes);
    if (!keys.empty()) read_rows(source, f, keys, changes);
    if (!source.must_discard()) source.exec("COMMIT");
    changes.absent.assign(keys.begin(), keys.end());
  } catch (const pg::Failure& failure) {
    if (!failure.is_connection_lost()) pg::rollback(source);
    throw SourceFailure(failure, std::nullopt);
  }
  if (!changes.ids.empty()) base::failpoint("follow_read");
  return changes;
}

Applied apply_changes(pg::Session& target, const Following& f, const Changes& changes,
                      const ledger::Token& token, const pg::TransactionLimits& limits) {
  Applied applied;
  target.exec(pg::begin_sql(limits) + target_settings(f.copying));
  try {
    target.exec(synchronous_sql());
    if (!ledger::hold(target, token, static_cast<std::int64_t>(changes.ids.size()))) {
      pg::rollback(target);
      applied.is_fenced = true;
      return applied;
    }
    applied.rows = delete_absent(target, f, changes);
    if (changes.rows > 0) applied.rows += write_staged(target, f, changes);
    for (std::size_t i = 0; i < changes.highest.size(); ++i) {
      if (changes.highest[i])
        target.exec(raise_sequence_sql(f.copying.sequences[i].sequence_sql, *changes.highest[i]));
    }
    base::failpoint("follow_written");
    pg::commit(target, ledger::count_and_commit(token, applied.rows));
  } catch (const pg::Failure& failure) {
    if (!failure.is_connection_lost()) pg::rollback(target);
    throw;
  }
  base::failpoint("follow_applied");
  return applied;
}

void acknowledge(pg::Session& source, const Following& f, const Changes& changes) {
  try {
    pg::in_transaction(source, kAcknowledge, [&] {
      return source.exec(acknowledge_sql(f), {pg::to_array(changes.ids), pg::to_array(changes.drawn)});
    });
  } catch (const pg::Failure& failure) {
    throw SourceFailure(failure, std::nullopt);
  }
  base::failpoint("follow_acknowledged");
}

}  // namespace pgsluice::engine
