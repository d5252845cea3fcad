#include "ledger/range/checkpoint.hpp"

namespace pgsluice::ledger {
namespace {

constexpr const char* kAdvance = R"sql(
UPDATE pgsluice.range SET position = $5::text[]
WHERE range_id = $1::bigint AND run_id = $2::uuid AND epoch = $3::bigint AND NOT is_done
  AND coalesce(position, lower) IS NOT DISTINCT FROM $4::text[] AND upper = $6::text[]
)sql";

constexpr const char* kQuarantine =
    "INSERT INTO pgsluice.quarantine (step_id, key, sqlstate, message) VALUES ($1::bigint, $2::text[], $3, "
    "$4)";

constexpr const char* kOrRenew = R"sql(
ON CONFLICT (step_id, pg_catalog.hash_array_extended(key, 0))
DO UPDATE SET sqlstate = excluded.sqlstate, message = excluded.message, set_aside_at = now()
)sql";

constexpr const char* kForgetQuarantine = "DELETE FROM pgsluice.quarantine WHERE step_id = $1::bigint";

constexpr const char* kMarkDone = R"sql(
UPDATE pgsluice.range SET is_done = true
WHERE range_id = $1::bigint AND run_id = $2::uuid AND epoch = $3::bigint AND NOT is_done
)sql";

}  // namespace

const char* advance_sql() {
  return kAdvance;
}

bool advance(pg::Session& session, const Token& token, const std::optional<pg::Key>& from, const pg::Key& to,
             const pg::Key& upper) {
  return session
             .exec(kAdvance, {std::to_string(token.range_id), token.run_id, std::to_string(token.epoch),
                              pg::to_value(from), pg::to_array(to), pg::to_array(upper)})
             .affected() == 1;
}

std::string count_and_commit(std::int64_t range_id, const BatchCounts& counts) {
  const auto add = [](const char* column, std::int64_t n) {
    return std::string(", ") + column + " = " + column + " + " + std::to_string(n);
  };
  return "UPDATE pgsluice.range SET batches = batches + 1" + add("rows_visited", counts.visited) +
         add("rows_changed", counts.changed) +
         (counts.quarantined ? add("rows_quarantined", counts.quarantined) : "") +
         (counts.is_last ? ", is_done = true" : "") + " WHERE range_id = " + std::to_string(range_id) +
         "; COMMIT";
}

void quarantine(pg::Session& session, std::int64_t step_id, const pg::Key& key, const std::string& sqlstate,
                const std::string& message) {
  session.exec(std::string(kQuarantine) + kOrRenew,
               {std::to_string(step_id), pg::to_array(key), sqlstate, message});
}

const char* renew_quarantined_sql() {
  return kOrRenew;
}

std::string is_quarantined_sql(const std::string& named, std::int64_t step_id, const std::string& key) {
  const auto hash = [](const std::string& of) { return "pg_catalog.hash_array_extended(" + of + ", 0)"; };
  return named + ".step_id = " + std::to_string(step_id) + " AND " + hash(named + ".key") + " = " +
         hash(key) + " AND " + named + ".key = " + key;
}

void forget_quarantine(pg::Session& session, std::int64_t step_id) {
  session.exec(kForgetQuarantine, {std::to_string(step_id)});
}

bool mark_done(pg::Session& session, const Token& token) {
  return session.exec(kMarkDone, {std::to_string(token.range_id), token.run_id, std::to_string(token.epoch)})
             .affected() == 1;
}

}  // namespace pgsluice::ledger
