#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"

namespace pgsluice::ledger {

/// Something that a retype creates, recorded before it is created: rollback and contract touch nothing else,
/// and find it even if its table was renamed or dropped.
struct MadeObject {
  std::string kind;  // trigger, constraint, index, column, old column, function, sequence; table, partition:
                     // the ones that carry them; default: what a cut-over gave a column
  std::string name;  // quoted; schema-qualified if it belongs to a schema
  std::uint32_t table_oid = 0;  // 0: belongs to no table

  bool operator==(const MadeObject&) const = default;
};

/// What the objects of a retype are named after.
struct ObjectOwner {
  std::string job;
  std::string step;
  bool is_named_by_step = false;  // begun by a version that named objects after the step only
};

/// In the caller's transaction, adds those that the ledger does not know yet.
void note_objects(pg::Session& session, std::int64_t step_id, const std::vector<MadeObject>& objects);
/// In the order in which they can be dropped: dependent objects first.
std::vector<MadeObject> read_objects(pg::Session& session, std::int64_t step_id);
/// In the caller's transaction: they are gone, or belong to the application now.
void forget_objects(pg::Session& session, std::int64_t step_id);
/// The same for these objects only.
void forget_objects(pg::Session& session, std::int64_t step_id, const std::vector<MadeObject>& objects);

/// Works with ledgers of earlier formats too.
ObjectOwner read_owner(pg::Session& session, std::int64_t step_id);

}  // namespace pgsluice::ledger
