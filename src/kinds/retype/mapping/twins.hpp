#pragma once

#include <functional>
#include <string>

#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

/// What a column is called in a twin: new_name or old_name for the changing ones.
using Naming = std::function<std::string(const std::string&)>;

/// The twin of `of` that is called `naming(of.name)`, if it exists already and belongs to a partitioned
/// table.
const JoinedTwin* joined_twin(const Partitioned& of, const Naming& naming);
/// True: the twin has its part on this partition, and nothing needs to be built there.
bool is_joined(const Partitioned& of, std::size_t partition, const Naming& naming);
/// The name of the twin's part on this partition: as the server named it, or as we would.
std::string part_name(const Partitioned& of, std::size_t partition, const Naming& naming);

/// Where and how an index is built.
struct IndexPlace {
  std::string on;   // a table or partition, quoted; `ONLY …` for a partitioned one
  std::string how;  // "CONCURRENTLY ", or empty
};

/// CREATE INDEX of `index` as `name`, over columns named by `naming`.
std::string index_twin_sql(const Retype& retype, const GraphTable& table, const GraphIndex& index,
                           const IndexPlace& place, const std::string& name, const Naming& naming);

/// ADD CONSTRAINT … FOREIGN KEY for `key`, called `name`, on `on`, a table or partition; both sides named by
/// `naming`. The caller adds NOT VALID where there are rows.
std::string foreign_key_twin_sql(const Retype& retype, const GraphForeignKey& key, const std::string& on,
                                 const std::string& name, const Naming& naming);

/// The expression of a CHECK over columns named by `naming`.
std::string check_twin_expression(const Retype& retype, const GraphTable& table, const GraphCheck& check,
                                  const Naming& naming);

/// True if the index is the primary key's.
inline bool is_primary(const GraphIndex& index) {
  return index.constraint_type == "p";
}

}  // namespace pgsluice::steps::retype
