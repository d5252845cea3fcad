#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kinds/ddl/operator_act.hpp"
#include "kinds/retype/graph/retype.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// How to end a retype whose tables are no longer as it knew them.
struct RemovalMove {
  std::int64_t step_id = 0;
  std::string from, to;  // as ledger::move_retype takes them
  StepState state = StepState::kDone;
  std::string going;  // kind of column to drop: "column", or at contract "old column"
};

/// Notes, in the caller's transaction, what the retype makes, under the names that its tables have now.
void note_objects(pg::Session& session, const steps::retype::Retype& retype, std::int64_t step_id);

/// Notes, in the caller's transaction, the defaults that the cut-over gave the new columns.
void note_defaults(pg::Session& session, const steps::retype::Retype& retype, std::int64_t step_id);

/// Columns whose default was changed after the cut-over, in words; the way back restores the old one.
std::vector<std::string> defaults_changed_since(pg::Session& session, const steps::retype::Retype& retype,
                                                std::int64_t step_id);

/// Statements that drop the functions and sequences that the ledger noted, also of tables that have been
/// renamed or dropped since: for the end of a rollback or contract, when no trigger calls them any longer.
std::vector<std::string> removal_of_leftovers(pg::Session& session, std::int64_t step_id);

/// Tables that the ledger noted and that are no longer part of the graph, by name: detached partitions, and
/// children whose foreign key was dropped.
std::vector<std::string> tables_left_behind(pg::Session& session, const steps::retype::Retype& retype,
                                            std::int64_t step_id);

/// The names under which the ledger noted them, including dropped ones.
std::vector<std::string> names_left_behind(pg::Session& session, const steps::retype::Retype& retype,
                                           std::int64_t step_id);

/// Throws Error(kRefused) if a column of a table that is still part of the graph has left or joined the graph
/// since the retype began, because a foreign key was dropped or added: the table's triggers cannot follow.
/// Also if a reference was given a default that cannot be mapped.
void refuse_other_columns(pg::Session& session, const steps::retype::Retype& retype, std::int64_t step_id);

/// Columns that left the graph after the cut-over, `the column beside "a_old" of table "t"`. They keep the
/// new type on the way back.
std::vector<std::string> columns_left_behind(pg::Session& session, const steps::retype::Retype& retype,
                                             std::int64_t step_id);

/// Drops, in the caller's transaction, what is ours on tables and columns that left the graph. `going` as in
/// RemovalMove.
void take_away_left_behind(pg::Session& session, const RetypeStep& step, const steps::retype::Retype& retype,
                           std::int64_t step_id, const std::string& going);

/// True: the retype's graph can no longer be read because one of its tables or changing columns was dropped
/// or renamed; what the ledger noted was dropped from the tables that are left. False: the graph is there,
/// and nothing was done. Throws Error(kRefused) where that would drop the only column that holds the
/// application's values, or the sequence that gives them.
bool take_away_what_is_left(OperatorAct& act, const RetypeStep& step, const RemovalMove& move);

}  // namespace pgsluice::engine
