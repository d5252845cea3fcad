#include "kinds/kind/restore_images.hpp"

#include <algorithm>
#include <exception>

#include "base/failpoint.hpp"
#include "kinds/acts/run_acts.hpp"
#include "ledger/acts.hpp"
#include "ledger/images.hpp"
#include "ledger/undo.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/sqlstate.hpp"
#include "pgsluice/error.hpp"
#include "table/images/images.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;

namespace {

Act restoring_act(const std::string& name, const std::string& part, Prepare prepare) {
  Act act;
  act.name = name;
  act.part = part;
  act.kind = Act::Kind::kFill;
  act.prepare = std::move(prepare);
  return act;
}

bool is_restore_begun(pg::Session& session, std::int64_t step_id) {
  const auto acts = ledger::read_acts(session, step_id);
  return std::any_of(acts.begin(), acts.end(), [](const auto& act) { return act.record.ranges_cut; });
}

/// Empty: another rollback has done it. Rows that a rollback without --force has named already lie behind its
/// position: with --force, an act of its own comes back to them.
std::vector<OpenedAct> open_restore(pg::Session& session, const ImageUse& use, const RollbackAct& undo) {
  if (ledger::is_undone(session, undo.step_id)) return {};
  const auto images = images_to_restore(session, undo.step_id);
  std::vector<Act> acts{restoring_act(
      use.act, "restore", use.prepare(images, undo.is_forced ? Restore::kForced : Restore::kStillOurs))};
  if (undo.is_forced && is_restore_begun(session, undo.step_id) &&
      ledger::has_quarantined(session, undo.step_id))
    acts.push_back(restoring_act(use.act_if_named, "overwrite", use.prepare(images, Restore::kNamedOnly)));
  return open_acts(session, use.step, undo.step_id, std::move(acts));
}

/// In one transaction: forgets the acts, so that nobody takes the restore up again, and records the step as
/// undone.
bool record_restored(pg::Session& session, std::int64_t step_id) {
  base::failpoint("rollback_before_note");
  return pg::in_transaction(session, {}, [&] {
    ledger::forget_acts(session, step_id);
    return ledger::mark_restored(session, step_id);
  });
}

/// Old values of rows that were not put back stay until drop-undo: they are nowhere else. False: somebody
/// reads the images, and a later run frees them.
bool free_used_images(pg::Session& session, std::int64_t step_id) try {
  return pg::in_transaction(session, {}, [&] {
    if (!ledger::has_quarantined(session, step_id)) ledger::drop_images(session, step_id);
    return true;
  });
} catch (const pg::Failure& f) {
  if (!pg::is_timeout(f.sqlstate())) throw;
  return false;
}

}  // namespace

void survey_images(const StepAt& at, const ImageUse& use, RollbackAct& act, RollbackSurvey& survey) {
  std::string obstacle = use.subject + " has changed rows, and its before-images were freed";
  const auto stored = stored_images(at.session, act.step_id);
  try {
    if (stored.is_there) {
      use.survey(at.session, images_to_restore(at.session, act.step_id), stored.bytes, act, survey);
      obstacle.clear();
    }
  } catch (const Error& e) {
    obstacle = use.subject + ": " + e.what();
  }
  if (obstacle.empty() || ledger::is_undone(at.session, act.step_id)) {
    act.has_images = true;  // or another rollback has just used and freed them: then nothing is left to do
  } else {
    survey.obstacles.push_back(obstacle);
  }
}

asio::awaitable<void> restore_images(RunningStep& step, const ImageUse& use, const RollbackAct& act) {
  std::function<std::vector<OpenedAct>(pg::Session&)> open = [&](pg::Session& session) {
    return open_restore(session, use, act);
  };
  auto acts = co_await keep_trying<std::vector<OpenedAct>>(step.connection, open, step.journal, step.stop);
  if (acts.empty()) co_return;
  std::function<bool(pg::Session&)> look = [id = act.step_id](pg::Session& s) {
    return ledger::is_undone(s, id);
  };
  for (auto& opened : acts) {  // one after the other: fills given together run side by side
    std::vector<OpenedAct> one{std::move(opened)};
    std::exception_ptr error;
    try {
      co_await run_acts(step, std::move(one));
    } catch (...) {
      error = std::current_exception();
    }
    if (error) {  // another rollback that ends the step forgets its acts
      const bool is_over = co_await keep_trying<bool>(step.connection, look, step.journal, step.stop);
      if (!is_over) std::rethrow_exception(error);
      co_return;
    }
    if (step.stop.is_requested()) co_return;
  }
  std::function<bool(pg::Session&)> end = [id = act.step_id](pg::Session& s) {
    return record_restored(s, id);
  };
  co_await keep_trying<bool>(step.connection, end, step.journal, step.stop);
  std::function<bool(pg::Session&)> free = [id = act.step_id](pg::Session& s) {
    return free_used_images(s, id);
  };
  const bool is_free = co_await keep_trying<bool>(step.connection, free, step.journal, step.stop);
  if (!is_free)
    step.journal.warn("the before-images of step \"" + use.step + "\" are being read, and stay for now",
                      "the next run frees them");
}

void forget_images(OperatorAct& act, const RollbackAct& undo) {
  base::failpoint("rollback_before_note");
  act.insist(
      failing_to_undo("before-images"),
      [&] {
        pg::in_transaction(act.session(), {}, [&] {
          ledger::drop_images(act.session(), undo.step_id);
          ledger::forget_acts(act.session(), undo.step_id);
          return ledger::mark_rolled_back(act.session(), undo.step_id);
        });
      },
      [] { return std::string(); });
}

}  // namespace pgsluice::engine
