#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kinds/ddl/operator_act.hpp"
#include "kinds/retype/graph/retype.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// How a retype ends whose tables are not there any more as it knew them.
struct RemovalMove {
  std::int64_t step_id = 0;
  std::string from, to, state;  // as ledger::move_retype takes them
  std::string going;            // kind of column that goes: "column", or at contract "old column"
};

/// Notes, in the caller's transaction, what the retype makes under the names that its tables bear now.
void note_objects(pg::Session& session, const steps::retype::Retype& retype, std::int64_t step_id);

/// Notes, in the caller's transaction, the defaults that the cut-over gave the new columns.
void note_defaults(pg::Session& session, const steps::retype::Retype& retype, std::int64_t step_id);

/// Columns whose default was changed after the cut-over, in words; the way back brings the old one again.
std::vector<std::string> defaults_changed_since(pg::Session& session, const steps::retype::Retype& retype,
                                                std::int64_t step_id);

/// Statements that drop the functions and sequences that the ledger noted, also of tables that have been
/// renamed or dropped since: for the end of a way back or contract, when no trigger calls them any more.
std::vector<std::string> removal_of_leftovers(pg::Session& session, std::int64_t step_id);

/// Tables that the ledger noted and that are no part of the graph any more, by name: detached partitions, and
/// children whose foreign key was dropped.
std::vector<std::string> tables_left_behind(pg::Session& session, const steps::retype::Retype& retype,
                                            std::int64_t step_id);

/// The names by which the ledger noted them, dropped ones too.
std::vector<std::string> names_left_behind(pg::Session& session, const steps::retype::Retype& retype,
                                           std::int64_t step_id);

/// Columns of tables that are still part of it which left the graph, or came to it, since the retype began: a
/// foreign key was dropped, or added. Throws Error(kRefused): their table's triggers cannot follow. So does a
/// default that was given to a reference and cannot be mapped.
void refuse_other_columns(pg::Session& session, const steps::retype::Retype& retype, std::int64_t step_id);

/// Columns that left the graph after the cut-over, `the column beside "a_old" of table "t"`. Whose type was
/// changed keeps it on the way back.
std::vector<std::string> columns_left_behind(pg::Session& session, const steps::retype::Retype& retype,
                                             std::int64_t step_id);

/// Takes away, in the caller's transaction, what is ours on them. `going` as in RemovalMove.
void take_away_left_behind(pg::Session& session, const RetypeStep& step, const steps::retype::Retype& retype,
                           std::int64_t step_id, const std::string& going);

/// True: the retype's graph cannot be read any more, for a table of it was dropped or renamed, or a changing
/// column was; what the ledger noted of it is taken away from what is left. False: the graph is there, and
/// nothing was done. Throws Error(kRefused) where that would take away the only column that holds the
/// application's values, or the sequence that gives them.
bool take_away_what_is_left(OperatorAct& act, const RetypeStep& step, const RemovalMove& move);

}  // namespace pgsluice::engine
