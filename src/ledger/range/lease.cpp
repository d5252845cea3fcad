#include "ledger/range/lease.hpp"

#include "pg/connection/transaction.hpp"

namespace pgsluice::ledger {
namespace {

// An orphan backend ends through its own statement_timeout (below deadlock_timeout) or idle_in_transaction (2
// s): wait longer than both.
constexpr pg::TransactionLimits kLeaseLimits{std::chrono::milliseconds{5'000},
                                             std::chrono::milliseconds{6'000}, true};

// A position is NULL before the first batch, so `lower` is used instead: a range never visits rows up to its
// lower end.
constexpr const char* kReturning =
    "RETURNING r.range_id, r.epoch, coalesce(r.position, r.lower), r.upper, r.rows_expected, r.rows_visited, "
    "r.walk";

const std::string kLeaseNext = std::string(R"sql(
WITH free AS (
  SELECT f.range_id, coalesce(f.run_id <> $2::uuid, false) AS is_taken_over
  FROM pgsluice.range f LEFT JOIN pgsluice.run u ON u.run_id = f.run_id
  WHERE f.step_id = $1::bigint AND NOT f.is_done
    AND (f.run_id IS NULL OR u.run_id IS NULL OR u.ended_at IS NOT NULL OR u.lease_until < now()
         OR (f.run_id = $2::uuid AND f.range_id <> ALL ($3::bigint[])))
  ORDER BY f.range_id LIMIT 1
  FOR UPDATE OF f SKIP LOCKED
)
UPDATE pgsluice.range r SET run_id = $2::uuid, epoch = r.epoch + 1
FROM free WHERE r.range_id = free.range_id
)sql") + kReturning + ", free.is_taken_over";

const std::string kLeaseAgain = std::string(R"sql(
UPDATE pgsluice.range r SET epoch = r.epoch + 1
WHERE r.range_id = $1::bigint AND r.run_id = $2::uuid AND NOT r.is_done
)sql") + kReturning + ", false";

constexpr const char* kRelease = R"sql(
UPDATE pgsluice.range SET run_id = NULL
WHERE range_id = $1::bigint AND run_id = $2::uuid AND epoch = $3::bigint
)sql";

constexpr const char* kFixUpper = R"sql(
UPDATE pgsluice.range SET upper = $4::text[]
WHERE range_id = $1::bigint AND run_id = $2::uuid AND epoch = $3::bigint AND upper IS NULL
)sql";

const std::string kRemaining = R"sql(
SELECT count(*),
       count(*) FILTER (WHERE f.run_id <> $2::uuid AND u.ended_at IS NULL AND u.lease_until >= now()),
       count(*) FILTER (WHERE f.run_id <> $2::uuid AND u.ended_at IS NULL AND u.lease_until >= now()
         AND u.heartbeat_at > (SELECT o.started_at FROM pgsluice.run o WHERE o.run_id = $2::uuid)
         AND u.heartbeat_at > now() - make_interval(secs => )sql" +
                               std::to_string(kFreshSeconds) + R"sql())
FROM pgsluice.range f LEFT JOIN pgsluice.run u ON u.run_id = f.run_id
WHERE f.step_id = $1::bigint AND NOT f.is_done
)sql";

std::optional<Range> read_range(const pg::Rows& rows, const std::string& run_id) {
  if (rows.empty()) return std::nullopt;
  Range range;
  range.token = {rows.integer(0, 0), run_id, rows.integer(0, 1)};
  range.position = pg::from_value(rows.at(0, 2));
  range.upper = pg::from_value(rows.at(0, 3));
  range.rows_expected = rows.integer(0, 4);
  range.rows_visited = rows.integer(0, 5);
  range.walk = read_range_walk(rows.text(0, 6));
  range.is_taken_over = rows.boolean(0, 7);
  return range;
}

pg::Params parameters(const Token& token) {
  return {std::to_string(token.range_id), token.run_id, std::to_string(token.epoch)};
}

}  // namespace

const char* range_walk_text(RangeWalk walk) {
  switch (walk) {
    case RangeWalk::kKeyset:
      return "keyset";
    case RangeWalk::kBlocks:
      return "blocks";
    case RangeWalk::kSweep:
      return "sweep";
    case RangeWalk::kFinal:
      return "final";
  }
  return "";
}

RangeWalk read_range_walk(const std::string& text) {
  for (const auto walk : {RangeWalk::kBlocks, RangeWalk::kSweep, RangeWalk::kFinal}) {
    if (text == range_walk_text(walk)) return walk;
  }
  return RangeWalk::kKeyset;
}

std::optional<Range> lease_next(pg::Session& session, std::int64_t step_id, const std::string& run_id,
                                const std::set<std::int64_t>& in_use) {
  pg::Key used;
  for (const auto range_id : in_use) used.push_back(std::to_string(range_id));
  return pg::in_transaction(session, kLeaseLimits, [&] {
    return read_range(session.exec(kLeaseNext, {std::to_string(step_id), run_id, pg::to_array(used)}),
                      run_id);
  });
}

std::optional<Range> lease_again(pg::Session& session, const Token& token) {
  return pg::in_transaction(session, kLeaseLimits, [&] {
    return read_range(session.exec(kLeaseAgain, {std::to_string(token.range_id), token.run_id}),
                      token.run_id);
  });
}

void release(pg::Session& session, const Token& token) {
  pg::in_transaction(session, kLeaseLimits,
                     [&] { return session.exec(kRelease, parameters(token)).affected(); });
}

bool fix_upper(pg::Session& session, const Token& token, const pg::Key& upper) {
  auto params = parameters(token);
  params.emplace_back(pg::to_array(upper));
  return pg::in_transaction(session, kLeaseLimits,
                            [&] { return session.exec(kFixUpper, params).affected(); }) == 1;
}

Remaining remaining(pg::Session& session, std::int64_t step_id, const std::string& run_id) {
  const auto rows = session.exec(kRemaining, {std::to_string(step_id), run_id});
  return {rows.integer(0, 0), rows.integer(0, 1), rows.integer(0, 2)};
}

}  // namespace pgsluice::ledger
