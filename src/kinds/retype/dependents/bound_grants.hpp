#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kinds/retype/dependents/bound_script.hpp"
#include "pg/connection/session.hpp"

namespace pgsluice::steps::retype {

/// Privileges that one role granted to another on a relation or a column: part of an entry of its ACL.
struct Grant {
  std::uint32_t relation = 0;
  pg::Value column;  // NULL: on the relation
  std::string grantor;
  std::string grantee_sql;  // quoted, or PUBLIC
  std::vector<std::string> privileges;
  bool is_grantable = false;
  bool is_by_owner = false;
  bool may_act = false;  // this session may act as the grantor, who may use the relation's schema
};

/// All grants on the relations and their columns, in the order of the ACL: a role receives a privilege before
/// it passes it on.
std::vector<Grant> read_grants(pg::Session& session, const Oids& relations);

/// Appends the GRANT, in the grantor's role unless that is the owner: an ACL entry names its grantor.
void add_grant(Script& script, const Grant& grant, const std::string& relation_sql, const std::string& self);

/// The statements that revoke `grants`, all of one column.
std::vector<std::string> revoke_statements(const std::vector<Grant>& grants, const std::string& relation_sql,
                                           const std::string& self);

/// The role under which this session's statements run.
std::string current_role(pg::Session& session);

}  // namespace pgsluice::steps::retype
