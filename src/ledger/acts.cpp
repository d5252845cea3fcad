#include "ledger/acts.hpp"

#include "ledger/state_names.hpp"
#include "ledger/step/gone_step.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/key.hpp"

namespace pgsluice::ledger {
namespace {

// Locks the step's row first, so that two runs that start together write one list.
constexpr const char* kLockStep = "SELECT FROM pgsluice.step WHERE step_id = $1::bigint FOR UPDATE";

constexpr const char* kInsert = R"sql(
INSERT INTO pgsluice.step (job_id, parent_id, number, name, kind, part, definition)
SELECT p.job_id, p.step_id, $2::int, $3, $4, $5, '{}' FROM pgsluice.step p WHERE p.step_id = $1::bigint
ON CONFLICT (job_id, name) DO UPDATE SET number = excluded.number
RETURNING step_id, name, kind, state, detail, ranges_cut
)sql";

constexpr const char* kRetypes = R"sql(
SELECT s.job_id, s.step_id, s.state, s.detail, s.definition
FROM pgsluice.step s JOIN pgsluice.job j ON j.job_id = s.job_id
WHERE j.name = $1 AND s.kind = 'retype' AND s.parent_id IS NULL ORDER BY s.number
)sql";

constexpr const char* kMove = R"sql(
UPDATE pgsluice.step
SET detail = $3, state = $4, error = '', ended_at = CASE WHEN $4 IN ('done', 'rolled back') THEN now() END
WHERE step_id = $1::bigint AND detail = $2
)sql";

constexpr const char* kActs = R"sql(
SELECT a.step_id, a.name, a.kind, a.state, a.detail, a.ranges_cut,
       EXISTS (SELECT FROM pgsluice.range r WHERE r.step_id = a.step_id AND r.is_done)
FROM pgsluice.step a WHERE a.parent_id = $1::bigint ORDER BY a.number
)sql";

constexpr const char* kForgetOne =
    "DELETE FROM pgsluice.step WHERE step_id = $1::bigint AND parent_id IS NOT NULL";

constexpr const char* kForgetNaming =
    "DELETE FROM pgsluice.step WHERE parent_id = $1::bigint AND state = 'done' AND strpos(name, $2) > 0";

constexpr const char* kForget = "DELETE FROM pgsluice.step WHERE parent_id = $1::bigint";

}  // namespace

std::vector<StepRecord> open_acts(pg::Session& session, std::int64_t step_id,
                                  const std::vector<ActDefinition>& acts) {
  return pg::in_transaction(session, {}, [&] {
    const auto id = std::to_string(step_id);
    of_present_step(session.exec(kLockStep, {id}));
    std::vector<StepRecord> out;
    int number = 0;
    for (const auto& act : acts) {
      const auto row = session.exec(kInsert, {id, std::to_string(++number), act.name, act.kind, act.part});
      out.push_back({row.integer(0, 0), row.text(0, 1), row.text(0, 2),
                     read_state(kStepStates, row.text(0, 3)), row.text(0, 4), row.boolean(0, 5)});
    }
    return out;
  });
}

std::vector<ActRecord> read_acts(pg::Session& session, std::int64_t step_id) {
  const auto rows = session.exec(kActs, {std::to_string(step_id)});
  std::vector<ActRecord> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out.push_back({{rows.integer(i, 0), rows.text(i, 1), rows.text(i, 2),
                    read_state(kStepStates, rows.text(i, 3)), rows.text(i, 4), rows.boolean(i, 5)},
                   rows.boolean(i, 6)});
  }
  return out;
}

std::vector<RetypeRecord> find_retypes(pg::Session& session, const std::string& job) {
  const auto rows = session.exec(kRetypes, {job});
  std::vector<RetypeRecord> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out.push_back({rows.integer(i, 0), rows.integer(i, 1), read_state(kStepStates, rows.text(i, 2)),
                   rows.text(i, 3), pg::from_array(rows.text(i, 4))});
  }
  return out;
}

bool move_retype(pg::Session& session, std::int64_t step_id, const std::string& from, const std::string& to,
                 StepState state) {
  return session.exec(kMove, {std::to_string(step_id), from, to, name_of(state)}).affected() == 1;
}

void forget_acts(pg::Session& session, std::int64_t step_id) {
  session.exec(kForget, {std::to_string(step_id)});
}

void forget_act(pg::Session& session, std::int64_t act_id) {
  session.exec(kForgetOne, {std::to_string(act_id)});
}

void forget_acts_naming(pg::Session& session, std::int64_t step_id, const std::string& sql) {
  session.exec(kForgetNaming, {std::to_string(step_id), sql});
}

}  // namespace pgsluice::ledger
