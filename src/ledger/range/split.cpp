#include "ledger/range/split.hpp"

#include "ledger/range/checkpoint.hpp"
#include "ledger/step/gone_step.hpp"
#include "pg/connection/transaction.hpp"

namespace pgsluice::ledger {
namespace {

// The row lock of a batch in flight lasts at most its statement_timeout.
constexpr pg::TransactionLimits kSplitLimits{std::chrono::milliseconds{2'000},
                                             std::chrono::milliseconds{5'000}, true};

constexpr const char* kLockStep =
    "SELECT ranges_cut FROM pgsluice.step WHERE step_id = $1::bigint FOR UPDATE";

constexpr const char* kInsert = R"sql(
INSERT INTO pgsluice.range (step_id, lower, upper, rows_expected, walk)
VALUES ($1::bigint, $2::text[], $3::text[], $4::bigint, $5)
RETURNING range_id
)sql";

constexpr const char* kOwn = "UPDATE pgsluice.range SET run_id = $2::uuid WHERE range_id = $1::bigint";

constexpr const char* kMarkCut =
    "UPDATE pgsluice.step SET ranges_cut = true, rows_expected = $2::bigint WHERE step_id = $1::bigint";

constexpr const char* kLargest = R"sql(
SELECT range_id, epoch, coalesce(position, lower), upper, rows_expected - rows_visited AS rows_left, walk,
       rows_visited >= rows_expected
FROM pgsluice.range
WHERE step_id = $1::bigint AND NOT is_done AND run_id IS NOT NULL AND upper IS NOT NULL
  AND range_id <> ALL ($3::bigint[])
ORDER BY rows_visited >= rows_expected DESC, rows_left DESC LIMIT $2::int
)sql";

// Completed by the typed comparison of position and middle.
constexpr const char* kShorten = R"sql(
UPDATE pgsluice.range SET upper = $1::text[], epoch = epoch + 1, rows_expected = rows_visited + $2::bigint
WHERE range_id = $3::bigint AND epoch = $4::bigint AND NOT is_done
  AND (coalesce(position, lower) IS NULL OR )sql";

// Waits for a batch in flight, whose outcome counts.
constexpr const char* kEndBlockRanges = R"sql(
UPDATE pgsluice.range SET is_done = true, epoch = epoch + 1
WHERE step_id = $1::bigint AND NOT is_done AND walk IN ('blocks', 'sweep')
  AND ($2::text[] = '{}' OR lower[1:2] = $2::text[])
)sql";

constexpr const char* kCountRanges = R"sql(
SELECT count(*) = $2::bigint AND count(*) FILTER (WHERE NOT is_done) = 0
FROM pgsluice.range WHERE step_id = $1::bigint
)sql";

// A range that is done counts the rows it visited; one that is not counts at least those. Sweeps and final
// passes visit rows that were counted before.
constexpr const char* kExpected = R"sql(
SELECT coalesce(sum(CASE WHEN is_done OR walk IN ('sweep', 'final') THEN rows_visited
                         ELSE greatest(rows_expected, rows_visited) END), 0)
FROM pgsluice.range WHERE step_id = $1::bigint
)sql";

constexpr const char* kRangeCounts = R"sql(
SELECT count(*) FILTER (WHERE walk IN ('blocks', 'sweep')), count(*) FILTER (WHERE walk IN ('keyset', 'final')),
       count(*) FILTER (WHERE NOT is_done)
FROM pgsluice.range WHERE step_id = $1::bigint
)sql";

pg::Value number(std::int64_t n) {
  return std::to_string(n);
}

std::int64_t insert_one(pg::Session& session, std::int64_t step_id, const NewRange& range) {
  return session
      .exec(kInsert, {number(step_id), pg::to_value(range.lower), pg::to_value(range.upper),
                      number(range.rows_expected), range_walk_text(range.walk)})
      .integer(0, 0);
}

void insert(pg::Session& session, std::int64_t step_id, const std::vector<NewRange>& ranges) {
  for (const auto& range : ranges) insert_one(session, step_id, range);
}

}  // namespace

void cut(pg::Session& session, std::int64_t step_id, std::int64_t rows_expected,
         const std::vector<NewRange>& ranges) {
  pg::in_transaction(session, kSplitLimits, [&] {
    const auto step = session.exec(kLockStep, {number(step_id)});
    // One that is gone has no ranges: another rollback forgot it, or the job has begun anew, which shows
    // next.
    if (step.empty() || step.boolean(0, 0)) return false;
    insert(session, step_id, ranges);
    session.exec(kMarkCut, {number(step_id), number(rows_expected)});
    return true;
  });
}

bool recut(pg::Session& session, std::int64_t step_id, const pg::Key& heap,
           const std::vector<NewRange>& ranges) {
  return pg::in_transaction(session, kSplitLimits, [&] {
    of_present_step(session.exec(kLockStep, {number(step_id)}));
    // A run that splits a range right now holds its row, and the half that it writes is invisible to our
    // statement that waited for it. The next statement sees it, and then no range is left that can be cut.
    std::int64_t ended = 0;
    for (std::int64_t more = 1; more > 0; ended += more)
      more = session.exec(kEndBlockRanges, {number(step_id), pg::to_array(heap)}).affected();
    if (ended == 0) return false;
    insert(session, step_id, ranges);
    return true;
  });
}

bool extend(pg::Session& session, std::int64_t step_id, std::int64_t known,
            const std::vector<NewRange>& ranges) {
  return pg::in_transaction(session, kSplitLimits, [&] {
    of_present_step(session.exec(kLockStep, {number(step_id)}));
    if (!session.exec(kCountRanges, {number(step_id), number(known)}).boolean(0, 0)) return false;
    insert(session, step_id, ranges);
    return true;
  });
}

RangeCounts range_counts(pg::Session& session, std::int64_t step_id) {
  const auto rows = session.exec(kRangeCounts, {number(step_id)});
  return {rows.integer(0, 0), rows.integer(0, 1), rows.integer(0, 2)};
}

std::int64_t rows_expected(pg::Session& session, std::int64_t step_id) {
  return session.exec(kExpected, {number(step_id)}).integer(0, 0);
}

std::vector<Candidate> largest_remaining(pg::Session& session, std::int64_t step_id,
                                         const std::set<std::int64_t>& put_off) {
  pg::Key without;
  for (const auto range_id : put_off) without.push_back(number(range_id).value());
  const auto rows = session.exec(kLargest, {number(step_id), number(kCandidatesMost), pg::to_array(without)});
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    candidates.push_back({rows.integer(i, 0), rows.integer(i, 1), read_range_walk(rows.text(i, 5)),
                          pg::from_value(rows.at(i, 2)), *pg::from_value(rows.at(i, 3)), rows.integer(i, 4),
                          rows.boolean(i, 6)});
  }
  return candidates;
}

std::optional<std::int64_t> split(pg::Session& session, std::int64_t step_id, const Candidate& candidate,
                                  const pg::Key& middle, const IsBefore& is_before) {
  constexpr int kFirstKeyParameter = 5;
  const std::string shorten = kShorten + is_before("coalesce(position, lower)", kFirstKeyParameter) + ")";
  const std::int64_t moved = candidate.rows_left / 2;
  pg::Params params{pg::to_array(middle), number(candidate.rows_left - moved), number(candidate.range_id),
                    number(candidate.epoch)};
  params.insert(params.end(), middle.begin(), middle.end());

  return pg::in_transaction(session, kSplitLimits, [&]() -> std::optional<std::int64_t> {
    if (session.exec(shorten, params).affected() != 1) return std::nullopt;
    return insert_one(session, step_id, {middle, candidate.upper, moved, candidate.walk});
  });
}

std::optional<Token> set_apart(pg::Session& session, std::int64_t step_id, const Range& range,
                               const pg::Key& position, const NewRange& apart) {
  return pg::in_transaction(session, kSplitLimits, [&]() -> std::optional<Token> {
    if (!advance(session, range.token, range.position, position, *range.upper)) return std::nullopt;
    const auto range_id = insert_one(session, step_id, apart);
    session.exec(kOwn, {number(range_id), range.token.run_id});
    return Token{range_id, range.token.run_id, 0};
  });
}

}  // namespace pgsluice::ledger
