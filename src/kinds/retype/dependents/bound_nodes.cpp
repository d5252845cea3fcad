#include "kinds/retype/dependents/bound_nodes.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "kinds/retype/dependents/bound_fitness.hpp"
#include "kinds/retype/dependents/bound_script.hpp"

namespace pgsluice::steps::retype {
namespace {

// What objects may refer to: the columns; the constraints that they are part of (GROUP BY over a primary key,
// ON CONFLICT ON CONSTRAINT); and each view that depends on any of these, with its row type. Where kind is
// NULL there is nothing to do here: a constraint or index, which the retype replaces; a default of the
// column; a part of a view. `view` is the view depended on, 0 for the columns.
constexpr const char* kLinks = R"sql(
WITH RECURSIVE place AS (
  SELECT p.relid, p.attnum FROM unnest($1::oid[], $2::int4[]) AS p(relid, attnum)
), ref(classid, objid, objsubid, view) AS (
  (SELECT 'pg_catalog.pg_class'::regclass::oid, relid, attnum, 0::oid FROM place
   UNION ALL
   SELECT 'pg_catalog.pg_constraint'::regclass, k.oid, 0, 0
   FROM place p JOIN pg_catalog.pg_constraint k ON k.conrelid = p.relid AND p.attnum = ANY (k.conkey))
  UNION
  SELECT part.classid, part.objid, NULL, v.oid
  FROM ref
  JOIN pg_catalog.pg_depend d ON d.refclassid = ref.classid AND d.refobjid = ref.objid
    AND (ref.objsubid IS NULL OR d.refobjsubid = ref.objsubid)
  JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND r.oid = d.objid AND r.ev_type = '1'
  JOIN pg_catalog.pg_class v ON v.oid = r.ev_class AND v.relkind = 'v'
  JOIN pg_catalog.pg_type y ON y.oid = v.reltype
  CROSS JOIN LATERAL (VALUES ('pg_catalog.pg_class'::regclass::oid, v.oid), ('pg_catalog.pg_type'::regclass, y.oid),
                             ('pg_catalog.pg_type'::regclass, y.typarray)) AS part(classid, objid)
), link AS (
  SELECT d.classid, d.objid, d.objsubid, ref.view, d.refclassid, d.refobjid, d.refobjsubid, r.ev_class,
         CASE
           WHEN r.ev_type = '1' AND rc.relkind = 'm' THEN 'materialized view'
           WHEN r.ev_type = '1' AND r.ev_class = ref.view THEN NULL
           WHEN r.ev_type = '1' THEN 'view'
           WHEN r.oid IS NOT NULL THEN 'rule'
           WHEN d.classid = 'pg_catalog.pg_policy'::regclass THEN 'policy'
           WHEN t.tgisinternal OR pg_catalog.starts_with(t.tgname, 'zzz_pgsluice_') THEN NULL
           -- A partition's copy follows its parent's; servers before 13 do not name the parent.
           WHEN coalesce((to_jsonb(t) ->> 'tgparentid')::oid, 0) <> 0 THEN NULL
           WHEN t.oid IS NOT NULL THEN 'trigger'
           WHEN d.classid = 'pg_catalog.pg_statistic_ext'::regclass THEN 'statistics'
           WHEN d.classid = 'pg_catalog.pg_publication_rel'::regclass THEN 'publication'
           WHEN d.classid = 'pg_catalog.pg_proc'::regclass AND d.refclassid <> 'pg_catalog.pg_type'::regclass
             THEN 'function'
           WHEN d.refclassid = 'pg_catalog.pg_constraint'::regclass THEN NULL
           WHEN a.adrelid = ref.view AND ref.view <> 0 THEN NULL
           WHEN a.adrelid = d.refobjid AND a.adnum = d.refobjsubid THEN NULL
           WHEN ref.view <> 0 AND d.classid = 'pg_catalog.pg_type'::regclass AND d.deptype = 'i' THEN NULL
           WHEN ref.view <> 0 THEN 'row type'
           WHEN x.relkind IN ('i', 'I') AND NOT i.indisexclusion OR x.relkind = 'S' THEN NULL
           WHEN k.contype IN ('p', 'u', 'f', 'c', 'n') THEN NULL
           WHEN a.oid IS NOT NULL OR (x.oid = d.refobjid AND d.objsubid <> 0) THEN 'generated column'
           WHEN k.contype = 'x' OR i.indisexclusion THEN 'exclusion constraint'
           WHEN x.oid = d.refobjid THEN 'partition key'
           ELSE 'other'
         END AS kind
  FROM ref
  JOIN pg_catalog.pg_depend d ON d.refclassid = ref.classid AND d.refobjid = ref.objid
    AND (ref.objsubid IS NULL OR d.refobjsubid = ref.objsubid)
  LEFT JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND r.oid = d.objid
  LEFT JOIN pg_catalog.pg_class rc ON rc.oid = r.ev_class
  LEFT JOIN pg_catalog.pg_trigger t ON d.classid = 'pg_catalog.pg_trigger'::regclass AND t.oid = d.objid
  LEFT JOIN pg_catalog.pg_attrdef a ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND a.oid = d.objid
  LEFT JOIN pg_catalog.pg_constraint k ON d.classid = 'pg_catalog.pg_constraint'::regclass AND k.oid = d.objid
  LEFT JOIN pg_catalog.pg_class x ON d.classid = 'pg_catalog.pg_class'::regclass AND x.oid = d.objid
  LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = x.oid
)
SELECT DISTINCT kind, CASE WHEN kind IN ('view', 'materialized view') THEN ev_class ELSE objid END AS oid, view,
       CASE kind WHEN 'view' THEN ''
                 WHEN 'materialized view' THEN pg_catalog.pg_describe_object('pg_catalog.pg_class'::regclass, ev_class, 0)
                 ELSE pg_catalog.pg_describe_object(classid, objid, objsubid) END,
       CASE WHEN kind IN ('row type', 'other') THEN pg_catalog.pg_describe_object(refclassid, refobjid, refobjsubid) END
FROM link WHERE kind IS NOT NULL
ORDER BY 1, 4, 2, 3, 5
)sql";

/// Kind, oid, and for refused ones the description: two columns of one table may be in the way.
using Key = std::tuple<std::string, std::uint32_t, std::string>;

struct Dependents {
  std::map<Key, BoundNode> nodes;
  std::map<std::uint32_t, std::set<std::uint32_t>> views_under;  // a view → the views it depends on
};

/// Dropped in this order; views, on which all the others may depend, come last.
constexpr const char* kOrder[] = {"publication", "statistics", "trigger", "policy",
                                  "rule",        "function",   "view"};

std::size_t rank(const std::string& kind) {
  return static_cast<std::size_t>(std::find(std::begin(kOrder), std::end(kOrder), kind) - std::begin(kOrder));
}

void refuse(BoundNode& node, const std::string& description, const std::string& referenced) {
  node.name = description;
  node.hint = "drop it before the cut-over and create it again afterwards";
  if (node.kind == "materialized view") {
    node.refusal = "it would have to be filled again while the cut-over holds its locks";
  } else if (node.kind == "generated column") {
    node.refusal = "it is computed from the column, and every row would have to be rewritten";
    node.hint =
        "make it an ordinary column first: ALTER COLUMN … DROP EXPRESSION, and a trigger that computes it";
  } else if (node.kind == "exclusion constraint") {
    node.refusal = "an exclusion constraint cannot be built without stopping the application";
  } else if (node.kind == "partition key") {
    node.refusal = "its partition key contains the column";
    node.hint = "";
  } else if (node.kind == "row type") {
    node.refusal = "it uses the row type of a view that has to be dropped (" + referenced + ")";
  } else {
    node.refusal =
        description + " depends on " + referenced + ", which pgsluice does not know how to carry over";
  }
}

Dependents read_dependents(pg::Session& session, const std::vector<ColumnPlace>& columns) {
  const auto links = session.exec(kLinks, place_params(columns));
  Dependents found;
  for (std::size_t i = 0; i < links.size(); ++i) {
    const std::string kind = links.text(i, 0);
    const bool is_refused = rank(kind) == std::size(kOrder);
    const Key key{kind, oid_at(links, i, 1), is_refused ? links.text(i, 3) : ""};
    auto& node = found.nodes.try_emplace(key, BoundNode{kind, oid_at(links, i, 1), {}, {}, {}}).first->second;
    if (is_refused) refuse(node, links.text(i, 3), links.text(i, 4));
    if (node.kind == "view") found.views_under[node.oid];
    if (node.kind == "view" && oid_at(links, i, 2) != 0)
      found.views_under[node.oid].insert(oid_at(links, i, 2));
  }
  return found;
}

/// The longest chain of views below each view; views in a cycle are left out.
std::map<std::uint32_t, int> heights(const Dependents& found) {
  std::map<std::uint32_t, int> out;
  for (bool is_growing = true; is_growing;) {
    is_growing = false;
    for (const auto& [view, under] : found.views_under) {
      const auto is_known = [&](std::uint32_t other) { return out.contains(other); };
      if (out.contains(view) || !std::all_of(under.begin(), under.end(), is_known)) continue;
      int height = 0;
      for (const auto other : under) height = std::max(height, out.at(other) + 1);
      out[view] = height;
      is_growing = true;
    }
  }
  return out;
}

}  // namespace

std::vector<BoundNode> find_bound_nodes(pg::Session& session, const std::vector<ColumnPlace>& columns) {
  const Dependents found = read_dependents(session, columns);
  const auto height = heights(found);
  std::vector<BoundNode> out;
  for (const auto& [key, node] : found.nodes) out.push_back(node);
  name_and_judge(session, out);
  for (auto& node : out) {
    if (node.kind != "view" || height.contains(node.oid)) continue;
    node.refusal = "it depends on itself through other views";
    node.hint = "drop these views";
  }
  const auto place = [&](const BoundNode& n) {
    const auto it = n.kind == "view" ? height.find(n.oid) : height.end();
    return std::tuple(rank(n.kind), it == height.end() ? 0 : -it->second, n.name, n.oid);
  };
  std::sort(out.begin(), out.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
  return out;
}

}  // namespace pgsluice::steps::retype
