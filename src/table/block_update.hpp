#pragma once

#include <optional>
#include <string>

#include "pg/catalog/catalog.hpp"
#include "pg/catalog/heap.hpp"
#include "pg/rows.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::steps {

/// The UPDATE of a block walk around its WHERE condition, for one heap of the table. Its answer is one row
/// that read_block_answer() takes. `oid` is the number of the parameter that repeats the heap's oid.
std::string block_update_sql(const pg::Table& table, const BackfillStep& step, const pg::HeapFacts& heap,
                             const std::string& predicate, int oid);
/// The list of values in that answer, for another statement that selects them from its changed rows; `still`
/// is their column that is not NULL where a row still matches.
std::string block_answer(const pg::Table& table, const pg::HeapFacts& heap, int oid,
                         const std::string& still = "still");
/// "ONLY heap AS table": an expression may qualify columns with the name of the partitioned table.
std::string only_sql(const pg::Table& table, const pg::HeapFacts& heap);
/// Before a statement whose WAL is to be reported.
extern const char* const kExplainWal;

/// The same UPDATE under EXPLAIN (ANALYZE, WAL), which reports what it wrote. read_sampled_answer() takes its
/// answer and that of heap_state_sql(), sent after it in the same transaction.
std::string sampled_block_update_sql(const pg::Table& table, const BackfillStep& step,
                                     const pg::HeapFacts& heap, const std::string& predicate);
std::string heap_state_sql(std::uint32_t table_oid, const pg::HeapFacts& heap);

struct BlockAnswer {
  struct Wal {
    double bytes = 0;
    double page_images = 0;
  };
  std::int64_t changed = 0;
  std::int64_t still_matching =
      0;                        // new versions for which `where` is still true: they would be changed twice
  std::int64_t hot_so_far = 0;  // HOT updates of the heap since the session last reported its statistics
  std::int64_t filenode = 0;    // that the rows were read from; 0: no longer part of the table
  std::int64_t missed = 0;      // read first but not changed; see keeping_update_sql()
  std::optional<Wal> wal{};     // of a sampled UPDATE
};
BlockAnswer read_block_answer(const pg::Rows& rows);
/// nullopt if the plan cannot be parsed: its names may be in another encoding. `old_rows_node`: the plan node
/// that counts the rows read first; empty: there is none.
std::optional<BlockAnswer> read_sampled_answer(const pg::Rows& explained, const pg::Rows& state,
                                               const std::string& old_rows_node = {});

/// The rows that block_update_sql() selects, locked in the same way and counted: see selected_sql().
std::string block_selected_sql(const pg::Table& table, const BackfillStep& step, const pg::HeapFacts& heap,
                               const std::string& predicate);

/// Reads hot_so_far before the UPDATE; one statement without parameters, so that it can follow BEGIN.
std::string hot_so_far_sql(const pg::HeapFacts& heap);

/// How many rows the blocks hold, including those already right: $1 and $2 as in the predicate.
std::string count_blocks_sql(const pg::HeapFacts& heap);

/// "FROM … WHERE …" of the rows of some blocks that still match: $1 and $2 as in the predicate.
std::string rows_left(const pg::Table& table, const BackfillStep& step, const pg::HeapFacts& heap);

}  // namespace pgsluice::steps
