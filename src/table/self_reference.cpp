#include "table/self_reference.hpp"

#include "pg/identifier.hpp"

namespace pgsluice::engine {

std::string refer_to_nothing(const Referrer& referrer) {
  return "let an earlier backfill step set " + pg::column_list(referrer.columns) +
         " to NULL where the row that it refers to goes, or make the constraint ON DELETE SET NULL while the "
         "job runs";
}

}  // namespace pgsluice::engine
