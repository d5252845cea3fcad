#pragma once

#include <string>

#include "table/copy/copying.hpp"

namespace pgsluice::engine {

/// How rows are written that the target may have already: into a temporary table, and from there around those
/// that are there. Pure.

/// Whether the target has any row of a slice of the key. REQUIRES: copying.target_key.
std::string is_any_there_sql(const Copying& copying, const std::string& predicate);

/// A temporary table of one batch, of the target's column types; gone with its transaction, so that no pooler
/// hands it to anybody.
const char* stage_sql();
std::string make_stage_sql(const Copying& copying);
std::string copy_into_stage_sql(const Copying& copying);

/// kSkip: without naming a key, so that a second unique one counts too. kUpdate: only a row that is not, byte
/// for byte, what it becomes. Its tag counts rows written; with copying.kept it answers how many.
std::string insert_staged_sql(const Copying& copying);

/// Of a copy that follows its source: takes staged rows out of the stage that do not find what they refer to.
/// Their keys, by the columns of conflict_key as text.
std::string take_out_orphans_sql(const Copying& copying);

/// Mending: rows of the target with a staged row's key become what that is, and those that are missing are
/// inserted, unless another unique key stands against it. The first is empty if only the key is copied.
/// REQUIRES: the key is copied under its own name.
std::string mend_staged_sql(const Copying& copying);
std::string insert_missing_sql(const Copying& copying);

}  // namespace pgsluice::engine
