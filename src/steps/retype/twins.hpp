#pragma once

#include <functional>
#include <string>

#include "steps/retype/retype.hpp"

namespace pgsluice::steps::retype {

/// What a column is called in a twin: new_name or old_name for the changing ones.
using Naming = std::function<std::string(const std::string&)>;

/// CREATE INDEX CONCURRENTLY of `index` as `name`, over columns named by `naming`.
std::string index_twin_sql(const Retype& retype, const GraphTable& table, const GraphIndex& index,
                           const std::string& name, const Naming& naming);

/// ADD CONSTRAINT … FOREIGN KEY … NOT VALID of `key` as `name`, both sides named by `naming`.
std::string foreign_key_twin_sql(const Retype& retype, const GraphForeignKey& key, const std::string& name,
                                 const Naming& naming);

/// The expression of a CHECK over columns named by `naming`.
std::string check_twin_expression(const Retype& retype, const GraphTable& table, const GraphCheck& check,
                                  const Naming& naming);

/// True if the index is the primary key's.
inline bool is_primary(const GraphIndex& index) {
  return index.constraint_type == "p";
}

}  // namespace pgsluice::steps::retype
