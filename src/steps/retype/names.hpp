#pragma once

#include <string>

#include "steps/retype/graph.hpp"

namespace pgsluice::steps::retype {

// Names of what a retype adds. They follow from the name of what is there, so that any run, on any machine,
// finds them again without keeping a list. Longer ones than PostgreSQL's 63 bytes are cut and told apart by a
// hash.

/// The shadow of a column, and the twin of an index or constraint, until the cut-over: `id_new`.
std::string new_name(const std::string& name);
/// What it replaced, from the cut-over to contract: `id_old`.
std::string old_name(const std::string& name);

// With the step's name, so that two retypes can share a table:

/// `"pgsluice"."sync_ids_public_users"`
std::string sync_function(const std::string& step, const GraphTable& table);
/// Fills an old reference at COMMIT, when a deferred foreign key let the parent come after its child.
std::string late_function(const std::string& step, const GraphTable& table);
/// A sequence for old keys that the application gave out itself.
std::string key_sequence(const std::string& step, const GraphTable& table, const GraphColumn& column);

/// `zzz_pgsluice_ids_insert` and the like. BEFORE triggers fire in the order of their names: an earlier one
/// may still change the key.
std::string insert_trigger(const std::string& step);
std::string update_trigger(const std::string& step);
std::string late_trigger(const std::string& step);

/// CHECK constraints of ours on a shadow column.
std::string filled_check(const std::string& column);
std::string map_check(const std::string& column);

}  // namespace pgsluice::steps::retype
