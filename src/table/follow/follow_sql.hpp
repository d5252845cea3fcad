#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/key.hpp"
#include "table/follow/following.hpp"
#include "walk/fragment.hpp"
#include "walk/keyset.hpp"

namespace pgsluice::engine {

/// The statements of a copy that follows its source. Pure. Keys travel as text, read and written under the
/// settings of a copy.

/// A statement at the source.
struct SourceDdl {
  std::string sql;
  std::string lock{};       // that it takes on a copied table: "SHARE ROW EXCLUSIVE"; empty: none
  std::string table_sql{};  // which table
};

/// A copied table at the source, and what a follow has made for it.
struct FollowedSource {
  std::string table_sql;
  FollowNames names;
};

/// The queues, what fills them, and what refuses TRUNCATE: one transaction.
std::vector<SourceDdl> install_statements(const FollowedTables& tables);
/// What refuses every write from now on: the switch.
std::vector<SourceDdl> refuse_statements(const FollowedTables& tables);
/// The queues and their triggers go; what the switch has made stays.
std::vector<SourceDdl> removal_statements(const std::vector<FollowedSource>& sources);
std::vector<FollowedSource> sources_of(const FollowedTables& tables);

/// What tells that nobody has truncated, rewritten, exchanged or partitioned the table, or touched the
/// triggers or the queue: one text, the same as long as nobody has.
walk::Fragment marks_of(const Following& following);
/// How many of the triggers that fill the queue and refuse TRUNCATE are there and always fire: 2.
walk::Fragment awake_triggers(const Following& following);

/// Keys by column, as parameters of type text[].
pg::Params key_columns(const std::vector<pg::Key>& keys, std::size_t columns);

/// Keeps the table as it is until the transaction ends: a snapshot taken after it sees no rewrite.
std::string hold_table_sql(const Following& following);
/// (place among the tables, change_id, drawn, key as text[]) of the oldest entries of all queues together.
std::string read_entries_sql(const FollowedTables& tables, std::int64_t entries);
/// Those of these keys that are in the queue, each column as text. REQUIRES: keys is not empty.
walk::Fragment queued_keys(const Following& following, const std::vector<pg::Key>& keys);
/// How many entries all queues have at most; 0: none.
std::string count_entries_sql(const FollowedTables& tables);
/// Forgets entries that are applied: $1 bigint[] of change_id, $2 double precision[] of drawn.
std::string acknowledge_sql(const Following& following);
/// Makes entries the last ones of all queues: parameters as for acknowledge_sql().
std::string put_off_sql(const Following& following);
/// The rows of these keys, as a copy reads them. REQUIRES: keys is not empty.
std::string copy_out_of_keys_sql(const Following& following, const std::vector<pg::Key>& keys);
/// Puts the keys of a slice into the queue again, or these: one text[] a column. REQUIRES: copying.queue_sql.
walk::Fragment requeue(const Copying& copying, const walk::Keyset& keyset, const walk::KeySlice& slice);
walk::Fragment requeue_keys(const Copying& copying, const std::vector<pg::Key>& keys);

/// How many rows either side has: those that are to be there, and those that are.
std::string count_source_sql(const Copying& copying);
std::string count_target_sql(const Copying& copying);

/// At the start of a transaction on which the other side relies: its COMMIT is on disk, and wherever else the
/// server's settings want it.
const char* synchronous_sql();

/// The last number that the sequence behind a column of the source has given: one row, or none. $1: the
/// table, $2: the column.
const char* source_sequence_sql();

}  // namespace pgsluice::engine
