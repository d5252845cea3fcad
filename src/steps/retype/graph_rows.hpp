#pragma once

#include <string>
#include <vector>

#include "steps/retype/graph.hpp"

namespace pgsluice::steps::retype {

// The pieces of read_graph, one query each. All run under a CatalogPath.

/// The tables of the closure with their changing columns, by schema and name. `roots` and `columns` are oids
/// and column numbers.
std::vector<GraphTable> read_tables(pg::Session& session, const std::vector<std::string>& roots,
                                    const std::vector<std::string>& columns);

std::vector<GraphIndex> read_indexes(pg::Session& session, const GraphTable& table, const std::string& to);
std::vector<GraphCheck> read_checks(pg::Session& session, const GraphTable& table);
/// Those with a changing column on either side; table indices are those of `graph`.
std::vector<GraphForeignKey> read_foreign_keys(pg::Session& session, Graph& graph);

}  // namespace pgsluice::steps::retype
