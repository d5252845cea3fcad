#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pg/catalog/catalog.hpp"
#include "pg/catalog/heap.hpp"
#include "pgsluice/job.hpp"
#include "table/archive.hpp"
#include "table/referrers.hpp"

namespace pgsluice::engine {

/// What a purge deletes, and where it goes. A value, constant once made.
struct Removal {
  pg::Table table;
  BackfillStep selection;  // of its rows: table, key and walk; `where` with its times fixed; sets nothing
  std::optional<Archive> archive{};
  std::vector<Referrer> referrers{};
  std::vector<TableName> with{};
};

/// The DELETE of the rows of `predicate` that match; with an archive it puts them there and answers (rows
/// deleted, 0, whether the archive still fits). `heap`: by that part alone, as a walk over blocks does;
/// nullptr: from the table. Pure.
std::string delete_sql(const Removal& removal, const std::string& predicate);

/// By blocks: answers as steps::read_block_answer() expects, with none still matching; `oid`: the number of
/// the parameter that repeats the heap's oid. Pure.
std::string block_delete_sql(const Removal& removal, const pg::HeapFacts& heap, const std::string& predicate,
                             int oid);
/// Locks and counts the rows that match. `heap`: nullptr for the table. Pure.
std::string selected_for_delete_sql(const Removal& removal, const pg::HeapFacts* heap,
                                    const std::string& predicate);

/// The DELETEs of referring rows that go first. Pure.
std::vector<std::string> deletes_before(const Removal& removal, const pg::HeapFacts* heap,
                                        const std::string& predicate);

}  // namespace pgsluice::engine
