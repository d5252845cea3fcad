#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/session.hpp"

namespace pgsluice::ledger {

/// Something that a retype makes, noted before it is made: rollback and contract touch nothing else, and find
/// it though its table was renamed or dropped.
struct MadeObject {
  std::string kind;             // trigger, constraint, index, column, old column, function, sequence; table,
                                // partition: which bears them; default: what a cut-over gave a column
  std::string name;             // quoted; qualified where it belongs to a schema
  std::uint32_t table_oid = 0;  // 0: of no table

  bool operator==(const MadeObject&) const = default;
};

/// Whose names the objects of a retype bear.
struct ObjectOwner {
  std::string job;
  std::string step;
  bool is_named_by_step = false;  // begun by a program whose names knew the step only
};

/// Adds what the ledger does not know yet, in the caller's transaction.
void note_objects(pg::Session& session, std::int64_t step_id, const std::vector<MadeObject>& objects);
/// In the order in which they can be taken away: what depends on others first.
std::vector<MadeObject> read_objects(pg::Session& session, std::int64_t step_id);
/// In the caller's transaction: they are gone, or are the application's own by now.
void forget_objects(pg::Session& session, std::int64_t step_id);
/// The same of some.
void forget_objects(pg::Session& session, std::int64_t step_id, const std::vector<MadeObject>& objects);

/// Reads ledgers of earlier formats too.
ObjectOwner read_owner(pg::Session& session, std::int64_t step_id);

}  // namespace pgsluice::ledger
