#pragma once

#include <cstdint>
#include <string>

#include "pg/session.hpp"

namespace pgsluice::steps::retype {

/// How the server turns a value of one type into one of another without an expression of the operator's.
/// Immutable value.
struct Conversion {
  bool exists = false;         // `value::type` means something
  bool is_assignment = false;  // and so does storing the value in a column of that type, as ALTER TABLE …
                               // TYPE does without USING: what is too long is an error there, where `::` cuts
  bool may_fail = false;       // for some values
  bool may_cut = false;        // some values may come out shorter, rounded or without a part of theirs
  bool is_by_text = false;     // written as text and read again
  std::string unstable;        // not empty: why a session's settings decide what comes out
};

/// A type as the server knows it.
struct TypeFacts {
  std::uint32_t oid = 0;
  std::uint32_t base_oid = 0;  // of a domain: of what it stands on
  std::string sql;             // qualified where that is needed, without its modifier
  std::string base_sql;        // of a domain: what it stands on; else as `sql`
  bool has_modifier = false;   // varchar(16), numeric(10,2), char; of a domain: its base's
  bool is_domain = false;
  bool has_equality = false;
  std::string refusal;  // not empty: why no column can be given this type while it is in use
};

/// The type that `text` names under the session's search_path. Throws Error(kRefused) if there is none.
TypeFacts read_type(pg::Session& session, const std::string& text);
/// What the server calls a type under the search_path of now.
std::string type_sql(pg::Session& session, std::uint32_t oid);

/// By the rules of the server's own parser (find_coercion_pathway in parse_coerce.c), from its catalog.
/// Arrays are converted item by item.
Conversion read_conversion(pg::Session& session, const TypeFacts& from, const TypeFacts& to);

}  // namespace pgsluice::steps::retype
