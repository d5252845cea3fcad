#include "kinds/retype/dependents/bound_grants.hpp"

#include <algorithm>

#include "pg/identifier.hpp"
#include "pg/key.hpp"

namespace pgsluice::steps::retype {
namespace {

constexpr const char* kGrants = R"sql(
WITH acl AS (
  SELECT oid, 0 AS attnum, NULL::name AS attname, relacl AS items, relowner AS owner, relnamespace AS home
  FROM pg_catalog.pg_class WHERE oid = ANY ($1::oid[])
  UNION ALL
  SELECT c.oid, a.attnum, a.attname, a.attacl, c.relowner, c.relnamespace
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  WHERE c.oid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped AND a.attacl IS NOT NULL
)
SELECT acl.oid, acl.attname, pg_catalog.pg_get_userbyid(e.grantor),
       CASE WHEN e.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(e.grantee)) END,
       array_agg(e.privilege ORDER BY e.n)::text[], e.is_grantable, e.grantor = acl.owner,
       pg_catalog.pg_has_role(e.grantor, $2) AND pg_catalog.has_schema_privilege(e.grantor, acl.home, 'USAGE')
FROM acl CROSS JOIN LATERAL pg_catalog.aclexplode(acl.items)
  WITH ORDINALITY AS e(grantor, grantee, privilege, is_grantable, n)
GROUP BY acl.oid, acl.attnum, acl.attname, acl.owner, acl.home, e.grantor, e.grantee, e.is_grantable
ORDER BY acl.oid, acl.attnum, min(e.n)
)sql";

std::string privilege_list(const Grant& grant) {
  std::string out;
  for (const auto& privilege : grant.privileges) {
    out += (out.empty() ? "" : ", ") + privilege;
    if (grant.column) out += " (" + pg::Identifier(*grant.column).sql() + ")";
  }
  return out;
}

void add_as_grantor(std::vector<std::string>& out, const Grant& grant, const std::string& statement,
                    const std::string& self) {
  if (!grant.is_by_owner) out.push_back("SET LOCAL ROLE " + pg::Identifier(grant.grantor).sql());
  out.push_back(statement);
  if (!grant.is_by_owner) out.push_back("SET LOCAL ROLE " + pg::Identifier(self).sql());
}

}  // namespace

std::vector<Grant> read_grants(pg::Session& session, const Oids& relations) {
  const auto rows = session.exec(kGrants, {oid_array(relations), acting_privilege(session)});
  std::vector<Grant> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out.push_back({oid_at(rows, i, 0), rows.at(i, 1), rows.text(i, 2), rows.text(i, 3),
                   pg::from_array(rows.text(i, 4)), rows.boolean(i, 5), rows.boolean(i, 6),
                   rows.boolean(i, 7)});
  }
  return out;
}

void add_grant(Script& script, const Grant& grant, const std::string& relation_sql, const std::string& self) {
  if (!grant.is_by_owner && !grant.may_act) {
    script.refusal = "role " + pg::Identifier(grant.grantor).sql() +
                     " granted privileges on it, and the connected role may not do so on its behalf";
    script.hint = "connect as a superuser, or let the owner grant them";
    return;
  }
  add_as_grantor(script.create, grant,
                 "GRANT " + privilege_list(grant) + " ON TABLE " + relation_sql + " TO " + grant.grantee_sql +
                     (grant.is_grantable ? " WITH GRANT OPTION" : ""),
                 self);
}

std::vector<std::string> revoke_statements(const std::vector<Grant>& grants, const std::string& relation_sql,
                                           const std::string& self) {
  // Last first, so that a role that passed a privilege on still has it. CASCADE alone is not enough: a grant
  // option on the whole table leaves entries on the column that the owner's REVOKE does not reach.
  std::vector<std::string> out;
  for (auto grant = grants.rbegin(); grant != grants.rend(); ++grant) {
    const auto is_same = [&](const Grant& g) {
      return g.grantor == grant->grantor && g.grantee_sql == grant->grantee_sql;
    };
    if (std::any_of(grants.rbegin(), grant, is_same))
      continue;  // its other half, with or without grant option
    add_as_grantor(out, *grant,
                   "REVOKE ALL PRIVILEGES (" + pg::Identifier(grant->column.value_or("")).sql() +
                       ") ON TABLE " + relation_sql + " FROM " + grant->grantee_sql + " CASCADE",
                   self);
  }
  return out;
}

std::string current_role(pg::Session& session) {
  return session.exec("SELECT current_user", pg::Params{}).text(0, 0);
}

}  // namespace pgsluice::steps::retype
