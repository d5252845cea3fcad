#pragma once

#include <string>
#include <vector>

#include "table/images/images.hpp"
#include "table/referrers.hpp"

namespace pgsluice::engine {

/// The statements around the rows that a copy has inserted. Pure. An image of one has the columns "place",
/// k1, k2, … (its key at the target) and "hash": of the text of every column, as the row was stored.
/// `changed` names these columns. A row that has this hash still is as it was copied.

/// What a row's text depends on, besides what every transaction sets: "; SET LOCAL …".
const char* kept_settings();

std::string create_kept_sql(const Images& images);

/// Runs `insert`, an INSERT into `present` without its end, and keeps an image of each row that it inserts.
/// Answers how many these are.
std::string keeping_insert_sql(const Images& images, const std::string& insert);

/// Leaves the newest image of each row: one that was lost, and mended since, has two.
std::string newest_image_sql(const Images& images);

/// Locks the rows of the images, so that no other row begins to refer to one.
std::string hold_kept_sql(const Images& images, const std::string& predicate);

/// Deletes the rows of the images of `predicate`, where they still are as copied and none of `referrers`
/// refers to them; with `is_forced` also where they were changed. Their images go with them. One row: how
/// many, and 0.
std::string remove_kept_sql(const Images& images, const std::vector<Referrer>& referrers,
                            const std::string& predicate, bool is_forced);
/// The same, whatever they hold now, for rows that an earlier one has named: they are named no more. The
/// predicate must end in is_named_sql().
std::string remove_named_sql(const Images& images, const std::vector<Referrer>& referrers,
                             const std::string& predicate);

/// Quarantines the images of `predicate` that are left, each with the reason.
std::string not_removed_sql(const Images& images, const std::vector<Referrer>& referrers,
                            const std::string& predicate);

}  // namespace pgsluice::engine
