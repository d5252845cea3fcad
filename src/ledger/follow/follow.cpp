#include "ledger/follow/follow.hpp"

#include "pg/connection/transaction.hpp"

namespace pgsluice::ledger {
namespace {

constexpr const char* kIsKnown = "SELECT pg_catalog.to_regclass('pgsluice.follow') IS NOT NULL";

const std::string kSelect = R"sql(
SELECT s.job_id, s.step_id, s.name, f.queue, f.marks, f.is_following, f.is_switched, f.switch_answer
FROM pgsluice.follow f JOIN pgsluice.step s ON s.step_id = f.step_id
)sql";

constexpr const char* kOpen =
    "INSERT INTO pgsluice.follow (step_id, queue) VALUES ($1::bigint, $2) ON CONFLICT DO NOTHING";

constexpr const char* kInstalled = "UPDATE pgsluice.follow SET marks = $2 WHERE step_id = $1::bigint";
constexpr const char* kFollowing =
    "UPDATE pgsluice.follow SET is_following = true WHERE step_id = $1::bigint";
constexpr const char* kSwitched = R"sql(
UPDATE pgsluice.follow SET is_switched = true, entries_behind = 0, seconds_behind = 0, measured_at = now()
WHERE step_id = $1::bigint
)sql";
constexpr const char* kBehind = R"sql(
UPDATE pgsluice.follow SET entries_behind = $2::bigint, seconds_behind = $3::float8, measured_at = now()
WHERE step_id = $1::bigint
)sql";
constexpr const char* kForget = "DELETE FROM pgsluice.follow WHERE step_id = $1::bigint";

constexpr const char* kAsk = R"sql(
UPDATE pgsluice.follow SET switch_within_ms = $2::bigint, switch_asked_at = now(), switch_answer = ''
WHERE step_id = $1::bigint
)sql";
// 'infinity': a run is at it.
const std::string kIsOpen =
    "switch_asked_at > now() - make_interval(secs => " + std::to_string(kRequestOpen.count()) + ")";
const std::string kTake =
    "UPDATE pgsluice.follow SET switch_asked_at = 'infinity' WHERE step_id = $1::bigint AND " + kIsOpen +
    " AND switch_asked_at <> 'infinity' RETURNING switch_within_ms";
const std::string kOpenRequest =
    "SELECT EXISTS (SELECT FROM pgsluice.follow WHERE step_id = $1::bigint AND " + kIsOpen + ")";
constexpr const char* kAnswer = R"sql(
UPDATE pgsluice.follow SET switch_within_ms = NULL, switch_asked_at = NULL, switch_answer = $2
WHERE step_id = $1::bigint
)sql";

constexpr const char* kHold = R"sql(
UPDATE pgsluice.range
SET batches = batches + 1, rows_visited = rows_visited + $4::bigint
WHERE range_id = $1::bigint AND run_id = $2::uuid AND epoch = $3::bigint AND NOT is_done
)sql";

Follow read(const pg::Rows& rows, std::size_t i) {
  return {rows.integer(i, 0), rows.integer(i, 1), rows.text(i, 2),    rows.text(i, 3),
          rows.text(i, 4),    rows.boolean(i, 5), rows.boolean(i, 6), rows.text(i, 7)};
}

}  // namespace

Follow open_follow(pg::Session& session, std::int64_t step_id, const std::string& queue) {
  session.exec(kOpen, {std::to_string(step_id), queue});
  return *read_follow(session, step_id);
}

std::optional<Follow> read_follow(pg::Session& session, std::int64_t step_id) {
  if (step_id == 0 || !session.exec(kIsKnown, pg::Params{}).boolean(0, 0)) return std::nullopt;
  const auto rows = session.exec(kSelect + "WHERE f.step_id = $1::bigint", {std::to_string(step_id)});
  if (rows.empty()) return std::nullopt;
  return read(rows, 0);
}

std::vector<Follow> find_follows(pg::Session& session, const std::string& job) {
  const auto rows = session.exec(
      kSelect + "JOIN pgsluice.job j ON j.job_id = s.job_id WHERE j.name = $1 ORDER BY s.number", {job});
  std::vector<Follow> out;
  for (std::size_t i = 0; i < rows.size(); ++i) out.push_back(read(rows, i));
  return out;
}

void note_installed(pg::Session& session, std::int64_t step_id, const std::string& marks) {
  session.exec(kInstalled, {std::to_string(step_id), marks});
}

void note_following(pg::Session& session, std::int64_t step_id) {
  session.exec(kFollowing, {std::to_string(step_id)});
}

void note_switched(pg::Session& session, std::int64_t step_id) {
  session.exec(kSwitched, {std::to_string(step_id)});
}

void note_behind(pg::Session& session, std::int64_t step_id, const Behind& behind) {
  const auto age = behind.age_s < 0 ? pg::Value{} : pg::Value{std::to_string(behind.age_s)};
  session.exec(kBehind, {std::to_string(step_id), std::to_string(behind.entries), age});
}

void forget_follow(pg::Session& session, std::int64_t step_id) {
  session.exec(kForget, {std::to_string(step_id)});
}

void ask_switch(pg::Session& session, std::int64_t step_id, std::chrono::milliseconds pause) {
  session.exec(kAsk, {std::to_string(step_id), std::to_string(pause.count())});
}

std::optional<std::chrono::milliseconds> take_switch(pg::Session& session, std::int64_t step_id) {
  const auto rows = session.exec(kTake, {std::to_string(step_id)});
  if (rows.empty()) return std::nullopt;
  return std::chrono::milliseconds{rows.integer(0, 0)};
}

bool is_switch_open(pg::Session& session, std::int64_t step_id) {
  return session.exec(kOpenRequest, {std::to_string(step_id)}).boolean(0, 0);
}

void answer_switch(pg::Session& session, std::int64_t step_id, const std::string& answer) {
  session.exec(kAnswer, {std::to_string(step_id), answer});
}

bool hold(pg::Session& session, const Token& token, std::int64_t entries) {
  return session
             .exec(kHold, {std::to_string(token.range_id), token.run_id, std::to_string(token.epoch),
                           std::to_string(entries)})
             .affected() == 1;
}

std::string count_and_commit(const Token& token, std::int64_t rows_changed) {
  return "UPDATE pgsluice.range SET rows_changed = rows_changed + " + std::to_string(rows_changed) +
         " WHERE range_id = " + std::to_string(token.range_id) + "; COMMIT";
}

}  // namespace pgsluice::ledger
