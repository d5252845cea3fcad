#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kinds/retype/dependents/bound_objects.hpp"
#include "pg/connection/session.hpp"

namespace pgsluice::steps::retype {

using Oids = std::vector<std::uint32_t>;

/// The statements that drop one object and recreate it.
struct Script {
  std::vector<std::string> drop;
  std::vector<std::string> create;
  std::string refusal;  // as in BoundObject
  std::string hint;
  std::string lock;
  std::string locked;
};

using Scripts = std::map<std::uint32_t, Script>;  // by the object's oid

/// For a parameter of type oid[].
pg::Value oid_array(const Oids& oids);

/// Parameters $1::oid[] and $2::int4[]: the table and number of each column.
pg::Params place_params(const std::vector<ColumnPlace>& columns);
/// The table of each column.
Oids tables_of(const std::vector<ColumnPlace>& columns);

std::uint32_t oid_at(const pg::Rows& rows, std::size_t row, std::size_t column);

/// Appends COMMENT ON `object` if there is a comment.
void add_comment(std::vector<std::string>& out, const std::string& object, const pg::Value& text);

/// The words before RULE or TRIGGER in ALTER TABLE that set tgenabled or ev_enabled to `state`; empty for the
/// ordinary state, which needs no statement.
std::string enabling_word(const std::string& state);

BoundObject refused_object(const std::string& kind, const std::string& name, const std::string& why,
                           const std::string& hint);

/// The privilege to ask pg_has_role for: whether this session may act as a role (SET ROLE, OWNER TO).
const char* acting_privilege(const pg::Session& session);

}  // namespace pgsluice::steps::retype
