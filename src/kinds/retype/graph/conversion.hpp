#pragma once

#include <cstdint>
#include <string>

#include "pg/connection/session.hpp"

namespace pgsluice::steps::retype {

/// How the server converts a value of one type to another without an expression from the operator.
/// Immutable value.
struct Conversion {
  bool exists = false;         // `value::type` is valid
  bool is_assignment = false;  // and so is storing the value in a column of that type, as ALTER TABLE … TYPE
                               // does without USING: too long a value is an error there, where `::` cuts it
  bool may_fail = false;    // for some values
  bool may_cut = false;     // some values may come out shorter, rounded or incomplete
  bool is_by_text = false;  // written as text and read back
  std::string unstable;     // not empty: why the result depends on a session's settings
};

/// A type as the server knows it.
struct TypeFacts {
  std::uint32_t oid = 0;
  std::uint32_t base_oid = 0;  // of a domain: of its base type
  std::string sql;             // qualified where that is needed, without its modifier
  std::string base_sql;        // of a domain: its base type; else as `sql`
  bool has_modifier = false;   // varchar(16), numeric(10,2), char; of a domain: that its base has one
  bool is_domain = false;
  bool has_equality = false;
  std::string refusal;  // not empty: why no column in use can be given this type
};

/// The type that `text` names under the session's search_path. Throws Error(kRefused) if there is no such
/// type.
TypeFacts read_type(pg::Session& session, const std::string& text);
/// What the server calls a type under the current search_path.
std::string type_sql(pg::Session& session, std::uint32_t oid);

/// Follows the rules of the server's own parser (find_coercion_pathway in parse_coerce.c), reading its
/// catalog. Arrays are converted item by item.
Conversion read_conversion(pg::Session& session, const TypeFacts& from, const TypeFacts& to);

}  // namespace pgsluice::steps::retype
