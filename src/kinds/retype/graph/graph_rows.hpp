#pragma once

#include <string>
#include <vector>

#include "kinds/retype/graph/graph.hpp"

namespace pgsluice::steps::retype {

// The pieces of read_graph, one query each. All run under ExactSettings.

/// The tables of the closure with their changing columns, by schema and name. `roots` and `columns` are oids
/// and column numbers.
std::vector<GraphTable> read_tables(pg::Session& session, const std::vector<std::string>& roots,
                                    const std::vector<std::string>& columns);

/// The partitions of a partitioned table; those that cannot be carried over go to `obstacles`.
void read_partitions(pg::Session& session, GraphTable& table, std::vector<std::string>& obstacles);

/// REQUIRES: the table's partitions are read.
std::vector<GraphIndex> read_indexes(pg::Session& session, const GraphTable& table, const TypeFacts& to);
std::vector<GraphCheck> read_checks(pg::Session& session, const GraphTable& table);
/// Adds constraints of kinds that cannot be carried over to `obstacles`.
void read_uncarried(pg::Session& session, const GraphTable& table, std::vector<std::string>& obstacles);
/// Adds indexes that exist on one partition only, except those that the retype itself made, to `obstacles`.
void read_strays(pg::Session& session, const GraphTable& table, std::vector<std::string>& obstacles);
/// Those with a changing column on either side; their table indices refer to `graph`.
std::vector<GraphForeignKey> read_foreign_keys(pg::Session& session, Graph& graph);

}  // namespace pgsluice::steps::retype
