#include "engine/removal.hpp"

#include "engine/cutover.hpp"
#include "engine/retype_facts.hpp"
#include "ledger/acts.hpp"
#include "ledger/objects.hpp"
#include "pg/transaction.hpp"
#include "pgsluice/error.hpp"
#include "steps/retype/made_objects.hpp"
#include "steps/sql/ddl.hpp"

namespace pgsluice::engine {

namespace rt = steps::retype;

namespace {

std::vector<rt::MadeObject> noted(pg::Session& session, std::int64_t step_id) {
  std::vector<rt::MadeObject> out;
  for (auto& object : ledger::read_objects(session, step_id))
    out.push_back({std::move(object.kind), std::move(object.name), object.table_oid});
  return out;
}

/// What is not as the retype knew it; empty: nothing.
std::string what_changed(pg::Session& session, const RetypeStep& step,
                         const std::vector<rt::MadeObject>& objects,
                         const std::map<std::uint32_t, std::string>& tables, std::int64_t step_id) {
  std::string text;
  for (const auto& object : objects) {
    if (object.kind != "table") continue;
    const auto now = tables.find(object.table_oid);
    if (now != tables.end() && now->second == object.name) continue;
    text += (text.empty() ? "" : ", ") + ("table " + object.name) +
            (now == tables.end() ? " is gone" : " is now " + now->second);
  }
  if (!text.empty() || objects.empty()) return text;
  try {
    (void)read_retype(session, step, owner_of(session, step_id));
    return {};
  } catch (const Error& e) {
    return e.what();
  }
}

}  // namespace

bool take_away_what_is_left(OperatorAct& act, const RetypeStep& step, const RemovalMove& move) {
  auto& session = act.session();
  const auto objects = noted(session, move.step_id);
  const auto tables = rt::tables_now(session, objects);
  const auto changed = what_changed(session, step, objects, tables, move.step_id);
  if (changed.empty()) return false;
  // After the cut-over the old columns are all that a way back could come from.
  if (move.from == RetypeDetail::kCutOver && move.to == RetypeDetail::kSwappedBack && !tables.empty())
    throw Error(ExitCode::kRefused, "step \"" + step.name + "\" cannot be swapped back: " + changed,
                "give the table its name again; or contract, which takes away the old columns that are left");
  const auto statements = rt::removal_of(objects, tables, move.going);
  act.journal().warn("step \"" + step.name + "\": " + changed +
                     "; what it added is taken away from what is left");
  std::vector<std::string> names;
  for (const auto& [oid, name] : tables) names.push_back(name);
  act.insist(
      {"what step \"" + step.name + "\" added could not be taken away",
       "end the sessions in its way (the event log names them), then say it again",
       "nothing was changed; correct what the server says, then say it again"},
      [&] {
        pg::in_transaction(session, {steps::kDdlLockTimeout, std::chrono::milliseconds{0}, true}, [&] {
          if (!ledger::move_retype(session, move.step_id, move.from, move.to, move.state)) return false;
          for (const auto& sql : statements) session.exec(sql);
          ledger::forget_objects(session, move.step_id);
          return true;
        });
      },
      [&] { return holders_of(session, names); });
  act.journal().write(event::State{move.from, move.to, changed});
  act.store_events();
  return true;
}

}  // namespace pgsluice::engine
