#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pg/catalog/heap.hpp"
#include "pgsluice/job.hpp"
#include "table/images/images.hpp"

namespace pgsluice::engine {

/// The statements around before-images. Pure. An image's columns are "place", k1, k2, … (key), o1, o2, …
/// (old values) and n1, n2, … (new values). Images are numbered as they are written, and `place` is that
/// number woven: walked in the order of places, images that were written one after the other, whose rows are
/// neighbours, come eight passes apart. Restored in number order, a page would be filled with new versions at
/// once and no update could be HOT (measured: 2 % against 85 %, WAL 353 MB against 158 MB for 1,000,000
/// rows).
std::string create_images_sql(const Images& images);
/// Whether the batch statements use this name themselves.
bool is_name_of_images(const std::string& name);
std::vector<std::string> set_storage_sql(const Images& images, const std::string& column,
                                         const std::string& storage);

/// How a batch makes sure that an image holds what the UPDATE really replaced, on servers that do not return
/// old values.
enum class Guard {
  kVersion,  // only the version that was read is changed: no lock, but rows that others change are missed
  kLock,     // rows are locked before they are read: 56 bytes of WAL and a fifth of the CPU more
};

/// The UPDATE of one batch that keeps an image of each row it changes, in one statement. `heap`: only this
/// heap of the table. Ends in "SELECT … FROM changed", of which `answer` is the list; `changed` holds a row
/// for each changed row, with `still` true if it matches the step's `where` again. On servers that return old
/// values the UPDATE is alone; on older ones the old values are read first, and joined by key with the
/// predicate repeated: a row that others changed in between, or whose key changed while its lock was awaited,
/// is read but not changed, see missed_sql().
std::string keeping_update_sql(const Images& images, const BackfillStep& step, const pg::HeapFacts* heap,
                               const std::string& predicate, const std::string& answer, Guard guard);
/// How many rows were read but not changed, for the list above.
std::string missed_sql(const Images& images);
/// The name of the plan node that counts the rows read first in EXPLAIN; empty: none are.
std::string old_rows_node(const Images& images);

/// Leaves one image of each row: several are joined where one's new value is the next one's old value, so
/// that the oldest value that is ours is restored; before a value of the application's, images are dropped.
std::string join_images_sql(const Images& images);
/// The index along which images are walked.
std::string index_images_sql(const Images& images);

/// "WITH image AS (…)": the images of `predicate`.
std::string images_where(const Images& images, const std::string& predicate);
/// The condition that row `target` of the table is that of row `image`, by the key.
std::string same_row(const Images& images);
/// The key as the quarantine has it, whose collation is the database's: another one would hash it otherwise.
std::string named_key(const Images& images, const std::string& prefix);
/// Quarantines images of `predicate`: `image LEFT JOIN target`, with SQL for error and reason, and a
/// "WHERE …" over both.
std::string quarantine_sql(const Images& images, const std::string& predicate, const std::string& sqlstate,
                           const std::string& reason, const std::string& condition);

/// The UPDATE that puts the old values back where the new ones still stand, of the images of `predicate`;
/// with `is_forced` also where others changed them since. One row: how many rows have their old value now,
/// and 0.
std::string restore_sql(const Images& images, const std::string& predicate, bool is_forced);
/// The same for rows that an earlier restore has named: whatever they hold now goes, and those that have
/// their old value then are named no more. The predicate must end in is_named_sql().
std::string overwrite_named_sql(const Images& images, const std::string& predicate);
/// " AND …": only images of rows that are named.
std::string is_named_sql(const Images& images);
/// Quarantines the images of `predicate` whose rows do not hold their old value, each with the reason.
std::string not_restored_sql(const Images& images, const std::string& predicate);
/// Quarantines the images of `predicate` with a server's error.
std::string quarantine_images_sql(const Images& images, const std::string& predicate,
                                  const std::string& sqlstate, const std::string& message);

}  // namespace pgsluice::engine
