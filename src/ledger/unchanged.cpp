#include "ledger/unchanged.hpp"

namespace pgsluice::ledger {

std::string unchanged_sql(const std::string& detail) {
  return "coalesce(substring(" + detail + " FROM '^([0-9]+) unchanged$')::bigint, 0)";
}

std::string note_unchanged(std::int64_t step_id, std::int64_t rows, bool is_seen_before) {
  const auto known = unchanged_sql("detail");
  const auto number = std::to_string(rows);
  const auto sum =
      is_seen_before ? "greatest(" + known + ", " + number + ")" : "(" + known + " + " + number + ")";
  return "UPDATE pgsluice.step SET detail = " + sum +
         " || ' unchanged' WHERE step_id = " + std::to_string(step_id) + "; ";
}

}  // namespace pgsluice::ledger
