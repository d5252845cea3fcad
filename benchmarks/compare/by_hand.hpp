#pragma once

#include "compare/table.hpp"
#include "support/db.hpp"

namespace pgsluice::bench {

// How others change every row of a table. Batches are transactions of their own, one after the other, and do
// not wait for their WAL to be written (synchronous_commit off), as pgsluice's do not: what is compared is
// the statements, not the disk. Who cannot work on such a table throws NotAvailable.

inline constexpr int kBatchRows = 1'000;         // pgroll's default, GitLab's for the whole batch
inline constexpr int kOffsetBatchRows = 10'000;  // with fewer it would skip over even more

void one_update(test::Db& db, const Table& table);

/// A DO block that walks along the key and commits after each batch.
void loop_with_commit(test::Db& db, const Table& table);

/// LIMIT and OFFSET over the key, counted up.
void offset_batches(test::Db& db, const Table& table);

/// The shape of pgroll's backfill: a trigger on every row that computes the value and clears a marker; each
/// batch locks the next marked rows in key order and touches them by a join.
void pgroll_shape(test::Db& db, const Table& table);

/// The shape of GitLab's batched updates, without their pauses: the end of a batch by OFFSET and LIMIT, then
/// a plain range.
void gitlab_shape(test::Db& db, const Table& table);

}  // namespace pgsluice::bench
