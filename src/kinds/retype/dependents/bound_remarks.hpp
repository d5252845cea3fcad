#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kinds/retype/dependents/bound_script.hpp"
#include "pg/connection/session.hpp"

namespace pgsluice::steps::retype {

/// A comment or a security label on a relation or one of its columns.
struct Remark {
  std::uint32_t relation = 0;
  int attnum = 0;  // 0: the relation itself
  std::string column;
  pg::Value provider;  // of a security label; NULL: a comment
  std::string text;
};

/// Ordered by relation and column.
std::vector<Remark> read_remarks(pg::Session& session, const Oids& relations);

/// The statement that sets the remark, or removes it if `text` is NULL. `object` is `VIEW "s"."v"` or
/// `COLUMN "s"."t"."c"`.
std::string remark_sql(const Remark& remark, const std::string& object, const pg::Value& text);

}  // namespace pgsluice::steps::retype
