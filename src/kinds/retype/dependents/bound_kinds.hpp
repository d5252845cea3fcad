#pragma once

#include "kinds/retype/dependents/bound_objects.hpp"
#include "kinds/retype/dependents/bound_script.hpp"

// How each kind of bound object is dropped and recreated. All functions read under an empty search_path.
namespace pgsluice::steps::retype {

/// Views with everything on them except their rules and triggers, which are objects of their own.
Scripts read_views(pg::Session& session, const Oids& oids);
/// Rules other than those that define a view.
Scripts read_rules(pg::Session& session, const Oids& oids);
Scripts read_policies(pg::Session& session, const Oids& oids);
Scripts read_triggers(pg::Session& session, const Oids& oids);
/// Extended statistics: their definition only. They have no data until the next ANALYZE.
Scripts read_statistics(pg::Session& session, const Oids& oids);
/// Tables in publications, by the oid of pg_publication_rel.
Scripts read_publications(pg::Session& session, const Oids& oids);
/// SQL functions with a parsed body. They keep their oid: an empty body holds their place until then.
Scripts read_functions(pg::Session& session, const Oids& oids);

/// Grants, comments, security labels and planner settings of the columns themselves.
std::vector<BoundObject> read_column_properties(pg::Session& session,
                                                const std::vector<ColumnPlace>& columns);
/// Replica identity and CLUSTER, which name an index that contains a column.
std::vector<BoundObject> read_index_roles(pg::Session& session, const std::vector<ColumnPlace>& columns);
/// Why tables or columns cannot be retyped at all.
std::vector<BoundObject> read_table_refusals(pg::Session& session, const std::vector<ColumnPlace>& columns);

}  // namespace pgsluice::steps::retype
