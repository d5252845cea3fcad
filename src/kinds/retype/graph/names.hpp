#pragma once

#include <string>

#include "kinds/retype/graph/graph.hpp"

namespace pgsluice::steps::retype {

// Names of what a retype adds. They follow from the names of what is there, so that any run on any machine
// finds them again without a list. Names longer than PostgreSQL's 63 bytes are cut and told apart by a hash.

/// The shadow of a column, and the twin of an index or constraint, until the cut-over: `id_new`.
std::string new_name(const std::string& name);
/// What was replaced, from the cut-over to contract: `id_old`.
std::string old_name(const std::string& name);

/// Whose retype it is. Two jobs may have steps of the same name, even over the same table.
struct Owner {
  std::string job;
  std::string step;
  bool is_named_by_step = false;  // begun by an older program, which left the job out of the names it gave
};

// These belong to one owner alone: job, step, schema and table go into a hash with their lengths, so that
// schema "a", table "b_c" and schema "a_b", table "c" differ. The readable part of the name may be cut, the
// hash never is.

/// `"pgsluice"."sync_public_users_1f2e3d4c"`
std::string sync_function(const Owner& owner, const GraphTable& table);
/// Fills an old reference at COMMIT, when a deferred foreign key let the parent come after its child.
std::string late_function(const Owner& owner, const GraphTable& table);
/// A sequence for old keys, where the application used to give them out itself.
std::string key_sequence(const Owner& owner, const GraphTable& table, const GraphColumn& column);

/// `zzz_pgsluice_ids_1f2e3d4c_insert` and the like. BEFORE triggers fire in the order of their names, and an
/// earlier one may still change the key.
std::string insert_trigger(const Owner& owner);
std::string update_trigger(const Owner& owner);
std::string late_trigger(const Owner& owner);

/// CHECK constraints of ours on a shadow column.
std::string filled_check(const std::string& column);
std::string map_check(const std::string& column);

}  // namespace pgsluice::steps::retype
