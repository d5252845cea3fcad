#include "kinds/retype/dependents/bound_fitness.hpp"

#include <map>

#include "kinds/retype/dependents/bound_script.hpp"
#include "pg/key.hpp"

namespace pgsluice::steps::retype {
namespace {

// Names, and why the session could not drop or create the object. `home` is the schema in which an owner
// other than the session's role needs the right to own it; 0: none.
constexpr const char* kFitness = R"sql(
WITH node AS (SELECT n.kind, n.oid FROM unnest($1::text[], $2::oid[]) AS n(kind, oid)), owned AS (
  SELECT n.kind, n.oid, 'pg_catalog.pg_class'::regclass::oid AS classid, c.oid AS host, c.relowner AS owner,
         c.relnamespace AS home, NULL::text AS name
  FROM node n JOIN pg_catalog.pg_class c ON c.oid = n.oid AND n.kind = 'view'
  UNION ALL
  SELECT n.kind, n.oid, 'pg_catalog.pg_rewrite'::regclass, c.oid, c.relowner, 0, NULL
  FROM node n JOIN pg_catalog.pg_rewrite r ON r.oid = n.oid AND n.kind = 'rule'
  JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
  UNION ALL
  SELECT n.kind, n.oid, 'pg_catalog.pg_policy'::regclass, c.oid, c.relowner, 0, NULL
  FROM node n JOIN pg_catalog.pg_policy p ON p.oid = n.oid AND n.kind = 'policy'
  JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
  UNION ALL
  SELECT n.kind, n.oid, 'pg_catalog.pg_trigger'::regclass, c.oid, c.relowner, 0, NULL
  FROM node n JOIN pg_catalog.pg_trigger t ON t.oid = n.oid AND n.kind = 'trigger'
  JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
  UNION ALL
  SELECT n.kind, n.oid, 'pg_catalog.pg_statistic_ext'::regclass, s.stxrelid, s.stxowner, s.stxnamespace, NULL
  FROM node n JOIN pg_catalog.pg_statistic_ext s ON s.oid = n.oid AND n.kind = 'statistics'
  UNION ALL
  SELECT n.kind, n.oid, 'pg_catalog.pg_publication_rel'::regclass, r.prrelid, p.pubowner, 0,
         'publication ' || pg_catalog.quote_ident(p.pubname) || ' of table ' || r.prrelid::regclass::text
  FROM node n JOIN pg_catalog.pg_publication_rel r ON r.oid = n.oid AND n.kind = 'publication'
  JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
  UNION ALL
  SELECT n.kind, n.oid, 'pg_catalog.pg_proc'::regclass, 0, f.proowner, 0, NULL
  FROM node n JOIN pg_catalog.pg_proc f ON f.oid = n.oid AND n.kind = 'function'
)
SELECT o.kind, o.oid,
       coalesce(o.name, o.kind || ' ' || (pg_catalog.pg_identify_object(o.classid, o.oid, 0)).identity),
       CASE
         WHEN EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = o.oid AND o.kind = 'view' AND c.relpersistence = 't')
           THEN 'temporary'
         WHEN EXISTS (SELECT FROM pg_catalog.pg_depend e
                      WHERE e.deptype = 'e' AND ((e.classid = o.classid AND e.objid = o.oid)
                        OR (e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = o.host))) THEN 'extension'
         WHEN NOT pg_catalog.pg_has_role(o.owner, 'USAGE') THEN 'owner'
         WHEN o.home <> 0 AND NOT u.rolsuper
              AND NOT (pg_catalog.pg_has_role(o.owner, $3) AND pg_catalog.has_schema_privilege(o.owner, o.home, 'CREATE')
                       AND pg_catalog.has_schema_privilege(o.home, 'CREATE')) THEN 'home'
       END,
       pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(o.owner))
FROM owned o JOIN pg_catalog.pg_roles u ON u.rolname = current_user
)sql";

void judge(BoundNode& node, const std::string& obstacle, const std::string& owner) {
  if (obstacle == "temporary") {
    node.refusal = "it is temporary and belongs to a session";
    node.hint = "end that session";
  } else if (obstacle == "extension") {
    node.refusal = "it belongs to an extension, which would have to be changed";
    node.hint =
        "take it out of the extension with ALTER EXTENSION … DROP, or drop the extension until the job is "
        "done";
  } else if (obstacle == "owner") {
    node.refusal = "it belongs to role " + owner + ", for which the connected role may not act";
    node.hint = "connect as a member of that role or as a superuser";
  } else if (obstacle == "home") {
    node.refusal = "it could not be given back to its owner " + owner;
    node.hint =
        "allow the connected role to SET ROLE to that owner, and both of them to CREATE in the schema";
  }
}

}  // namespace

void name_and_judge(pg::Session& session, std::vector<BoundNode>& nodes) {
  pg::Key kinds, oids;
  std::map<std::pair<std::string, std::uint32_t>, BoundNode*> asked;
  for (auto& node : nodes) {
    if (!node.refusal.empty()) continue;
    asked[{node.kind, node.oid}] = &node;
    kinds.push_back(node.kind);
    oids.push_back(std::to_string(node.oid));
  }
  if (asked.empty()) return;
  const auto rows =
      session.exec(kFitness, {pg::to_array(kinds), pg::to_array(oids), acting_privilege(session)});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    BoundNode& node = *asked.at({rows.text(i, 0), oid_at(rows, i, 1)});
    node.name = rows.text(i, 2);
    judge(node, rows.text(i, 3), rows.text(i, 4));
  }
}

}  // namespace pgsluice::steps::retype
