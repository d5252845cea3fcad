#include "kinds/copy/follow/changes.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/failpoint.hpp"
#include "lanes/batch/source_batch.hpp"
#include "ledger/follow/follow.hpp"
#include "pg/connection/savepoint.hpp"
#include "table/copy/conflict_sql.hpp"
#include "table/copy/copy_line.hpp"
#include "table/copy/copy_sql.hpp"
#include "table/follow/apply_sql.hpp"
#include "table/follow/follow_sql.hpp"

namespace pgsluice::engine {
namespace {

// An acknowledgement that a crash of the source loses is repeated: it need not be on disk.
constexpr pg::TransactionLimits kAcknowledge{std::chrono::milliseconds{1'000}, kSourceStatement, false};

using Keys = std::set<pg::Key>;

/// The keys by table.
std::vector<Keys> read_entries(pg::Session& source, const FollowedTables& tables, std::int64_t entries,
                               Changes& changes) {
  const auto rows = source.exec(read_entries_sql(tables, entries));
  std::vector<Keys> keys(tables.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto place = static_cast<std::size_t>(rows.integer(i, 0));
    auto& table = changes.tables[place];
    table.ids.push_back(rows.text(i, 1));
    table.drawn.push_back(rows.text(i, 2));
    auto key = pg::from_array(rows.text(i, 3));
    if (i == 0) {
      changes.first = key;
      changes.first_table = place;
    }
    table.keys.push_back(key);
    keys[place].insert(std::move(key));
  }
  changes.entries = static_cast<std::int64_t>(rows.size());
  changes.is_all = changes.entries < entries;
  if (!changes.is_all)
    changes.behind =
        std::max<std::int64_t>(0, source.exec(count_entries_sql(tables)).integer(0, 0) - changes.entries);
  return keys;
}

void note_highest(const Copying& copying, std::string_view row, TableChanges& changes) {
  for (std::size_t i = 0; i < copying.sequences.size(); ++i) {
    const auto value = integer_in(row, copying.sequences[i].column);
    if (value && (!changes.highest[i] || *value > *changes.highest[i])) changes.highest[i] = value;
  }
}

/// Removes from `keys` those that have a row. `bytes`: of all rows taken so far. False: they are too many.
bool read_rows(pg::Session& source, const Following& f, Keys& keys, std::size_t& bytes,
               TableChanges& changes) {
  const auto& copying = f.copying;
  const std::vector<pg::Key> wanted(keys.begin(), keys.end());
  const bool is_alone = wanted.size() == 1 && bytes == 0;
  const auto take = [&](std::string_view line) {
    const auto row = after_fields(line, copying.key.size());
    keys.erase(key_at_start(line, copying.key.size()));
    changes.lines += row;
    bytes += row.size();
    ++changes.rows;
    note_highest(copying, row, changes);
    return bytes < kBatchBytesMost || is_alone;
  };
  return source.copy_out(copy_out_of_keys_sql(f, wanted), take);
}

std::int64_t write_staged(pg::Session& target, const Following& f) {
  std::int64_t rows = 0;
  const auto failed = pg::attempt(
      target, [&] { rows = target.exec_cancellable(insert_staged_sql(f.copying), {}).affected(); });
  if (!failed) return rows;
  if (failed->sqlstate() != pg::kUniqueViolation || !f.unreplaceable.empty()) throw *failed;
  // Two rows have exchanged a unique value: no order of single updates arrives there.
  return target.exec_cancellable(replace_staged_sql(f), {}).affected();
}

std::vector<pg::Key> keys_in(const pg::Rows& rows, std::size_t columns) {
  std::vector<pg::Key> keys(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t k = 0; k < columns; ++k) keys[i].push_back(rows.text(i, k));
  }
  return keys;
}

/// Rows that find what they refer to; the others are noted in `left`.
std::int64_t write_table(pg::Session& target, const Following& f, const TableChanges& changes,
                         std::vector<pg::Key>& left) {
  std::int64_t rows = 0;
  if (changes.rows > 0) {
    target.exec(make_stage_sql(f.copying));
    target.copy_in(copy_into_stage_sql(f.copying), changes.lines);
    if (!f.copying.references.empty())
      left = keys_in(target.exec_cancellable(take_out_orphans_sql(f.copying), {}), f.target_key.size());
    rows = write_staged(target, f);
    target.exec(std::string("DROP TABLE ") + stage_sql());  // the next table's has other columns
  }
  for (std::size_t i = 0; i < changes.highest.size(); ++i) {
    if (changes.highest[i])
      target.exec(raise_sequence_sql(f.copying.sequences[i].sequence_sql, *changes.highest[i]));
  }
  return rows;
}

/// Whether any row may be referred to by another one that is followed.
bool has_families(const FollowedTables& tables) {
  for (const auto& child : tables) {
    for (const auto& reference : child.copying.references) {
      for (const auto& parent : tables) {
        if (reference.table_sql == parent.copying.to.sql()) return true;
      }
    }
  }
  return false;
}

using KeysByTable = std::vector<std::vector<pg::Key>>;

/// Referring rows first, until none goes any more: rows of one table may refer to each other.
std::int64_t delete_keys(pg::Session& target, const FollowedTables& tables, const KeysByTable& keys) {
  std::int64_t all = 0;
  for (bool is_over = false; !is_over;) {
    const auto before = all;
    for (std::size_t i = tables.size(); i-- > 0;) {
      if (keys[i].empty()) continue;
      all +=
          target
              .exec_cancellable(delete_keys_sql(tables, i), key_columns(keys[i], tables[i].target_key.size()))
              .affected();
    }
    is_over = all == before || !has_families(tables);
  }
  return all;
}

KeysByTable absent_of(const Changes& changes) {
  KeysByTable keys;
  for (const auto& table : changes.tables) keys.push_back(table.absent);
  return keys;
}

/// Without keys that the target takes for one that has a row, such as 1.0 for 1.00.
KeysByTable absent_to_target(pg::Session& target, const FollowedTables& tables, const Changes& changes) {
  KeysByTable keys(tables.size());
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const auto& table = changes.tables[i];
    if (table.absent.empty()) continue;
    Keys live(table.keys.begin(), table.keys.end());
    for (const auto& key : table.absent) live.erase(key);
    const auto columns = tables[i].target_key.size();
    auto params = key_columns(table.absent, columns);
    for (auto& param : key_columns({live.begin(), live.end()}, columns)) params.push_back(std::move(param));
    const auto rows = target.exec_cancellable(absent_keys_sql(tables[i]), params);
    for (std::size_t k = 0; k < rows.size(); ++k)
      keys[i].push_back(table.absent[static_cast<std::size_t>(rows.integer(k, 0))]);
  }
  return keys;
}

/// Rows that should be gone, and are still referred to.
void note_undeleted(pg::Session& target, const FollowedTables& tables, const KeysByTable& absent,
                    Applied& applied) {
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (absent[i].empty()) continue;
    const auto columns = tables[i].target_key.size();
    const auto there = keys_in(
        target.exec_cancellable(present_keys_sql(tables[i]), key_columns(absent[i], columns)), columns);
    applied.left[i].insert(applied.left[i].end(), there.begin(), there.end());
  }
}

/// Which of the entries are of rows that were left. A key that either side writes in another way is not found
/// again by its text: then all of the table's are.
std::vector<bool> entries_left(const TableChanges& changes, const std::vector<pg::Key>& left) {
  const Keys wanted(left.begin(), left.end());
  Keys found;
  std::vector<bool> is_left;
  for (const auto& key : changes.keys) {
    is_left.push_back(wanted.contains(key));
    if (is_left.back()) found.insert(key);
  }
  if (found.size() < wanted.size()) is_left.assign(is_left.size(), true);
  return is_left;
}

void forget_or_put_off(pg::Session& source, const Following& f, const TableChanges& changes,
                       const std::vector<pg::Key>& left, bool is_all) {
  const auto is_left = entries_left(changes, left);
  pg::Key ids[2], drawn[2];  // of those that are applied, and of those that are left
  for (std::size_t i = 0; i < changes.ids.size(); ++i) {
    ids[is_left[i] ? 1 : 0].push_back(changes.ids[i]);
    drawn[is_left[i] ? 1 : 0].push_back(changes.drawn[i]);
  }
  if (!ids[0].empty()) source.exec(acknowledge_sql(f), {pg::to_array(ids[0]), pg::to_array(drawn[0])});
  if (!ids[1].empty() && !is_all) source.exec(put_off_sql(f), {pg::to_array(ids[1]), pg::to_array(drawn[1])});
}

}  // namespace

std::string read_marks(pg::Session& source, const FollowedTables& tables) {
  // By name: the order of the tables follows foreign keys, which may come and go.
  std::map<std::string, std::string> by_table;
  for (const auto& f : tables) {
    const auto ask = marks_of(f);
    const auto found = source.exec(ask.sql, ask.params);
    by_table[f.names.queue_sql()] = found.empty() ? "gone" : found.text(0, 0);
  }
  std::string marks;
  for (const auto& [queue, one] : by_table) marks += (marks.empty() ? "" : " | ") + one;
  return marks;
}

Changes read_changes(pg::Session& source, const FollowedTables& tables, std::int64_t entries) {
  Changes changes;
  for (const auto& f : tables) changes.tables.emplace_back().highest.resize(f.copying.sequences.size());
  try {
    source.exec(begin_source_sql(tables.front().copying) +
                "; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    for (const auto& f : tables) source.exec(hold_table_sql(f));
    changes.marks = read_marks(source, tables);
    auto keys = read_entries(source, tables, entries, changes);
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < tables.size() && !changes.is_too_large; ++i) {
      if (!keys[i].empty())
        changes.is_too_large = !read_rows(source, tables[i], keys[i], bytes, changes.tables[i]);
      changes.tables[i].absent.assign(keys[i].begin(), keys[i].end());
    }
    if (!source.must_discard()) source.exec("COMMIT");
  } catch (const pg::Failure& failure) {
    if (!failure.is_connection_lost()) pg::rollback(source);
    throw SourceFailure(failure, std::nullopt);
  }
  if (changes.entries > 0) base::failpoint("follow_read");
  return changes;
}

Applied apply_changes(pg::Session& target, const FollowedTables& tables, const Changes& changes,
                      const ledger::Token& token, const pg::TransactionLimits& limits) {
  Applied applied;
  target.exec(pg::begin_sql(limits) + target_settings(tables.front().copying));
  try {
    target.exec(synchronous_sql());
    if (!ledger::hold(target, token, changes.entries)) {
      pg::rollback(target);
      applied.is_fenced = true;
      return applied;
    }
    // Before the rows are written, for what they held may be given to others; and again after it, for rows
    // may no longer refer to them.
    applied.left.resize(tables.size());
    applied.rows = delete_keys(target, tables, absent_of(changes));
    for (std::size_t i = 0; i < tables.size(); ++i)
      applied.rows += write_table(target, tables[i], changes.tables[i], applied.left[i]);
    if (has_families(tables)) {
      const auto absent = absent_to_target(target, tables, changes);
      applied.rows += delete_keys(target, tables, absent);
      note_undeleted(target, tables, absent, applied);
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

bool Applied::is_whole() const {
  return std::all_of(left.begin(), left.end(), [](const auto& keys) { return keys.empty(); });
}

void acknowledge(pg::Session& source, const FollowedTables& tables, const Changes& changes,
                 const Applied& applied) {
  try {
    pg::in_transaction(source, kAcknowledge, [&] {
      for (std::size_t i = 0; i < tables.size(); ++i)
        forget_or_put_off(source, tables[i], changes.tables[i], applied.left[i], changes.is_all);
      return true;
    });
  } catch (const pg::Failure& failure) {
    throw SourceFailure(failure, std::nullopt);
  }
  base::failpoint("follow_acknowledged");
}

}  // namespace pgsluice::engine
