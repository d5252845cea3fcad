#include "kinds/backfill/restore_images.hpp"

#include "base/failpoint.hpp"
#include "base/units.hpp"
#include "kinds/acts/run_acts.hpp"
#include "lanes/batch/restore_step.hpp"
#include "ledger/acts.hpp"
#include "ledger/images.hpp"
#include "ledger/undo.hpp"
#include "pg/catalog/swallowers.hpp"
#include "pg/connection/transaction.hpp"
#include "table/backfill_facts.hpp"
#include "table/table_checks.hpp"
#include "table/table_facts.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;

namespace {

/// How the images no longer fit their table; empty: they do.
std::string misfit_of(pg::Session& session, const Images& images) {
  const auto stored = read_facts(session, {"pgsluice", images.name()}).table;
  const auto differs = [&](const std::vector<pg::Column>& columns, const char* letter) -> std::string {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const auto* kept = stored.find(letter + std::to_string(i + 1));
      if (kept == nullptr || kept->type != columns[i].type) return columns[i].name;
    }
    return {};
  };
  auto name = differs(images.key, "k");
  if (name.empty()) name = differs(images.changed, "o");
  if (name.empty()) return {};
  return "column \"" + name + "\" of table " + images.table.sql() +
         " has another type than its before-images in " + images.table_sql();
}

Images images_now(pg::Session& session, const BackfillStep& step, std::int64_t step_id) {
  const auto table = read_facts(session, step.table).table;
  return images_of(session, table, step, step_id);
}

/// Empty: another rollback has done it.
std::vector<OpenedAct> open_restore(pg::Session& session, const BackfillStep& step, const RollbackAct& undo) {
  if (ledger::is_undone(session, undo.step_id)) return {};
  Act act;
  act.name = "put old values back";
  act.part = "restore";
  act.kind = Act::Kind::kFill;
  act.prepare = restoring(images_now(session, step, undo.step_id), undo.is_forced);
  return open_acts(session, step.name, undo.step_id, {std::move(act)});
}

/// Frees the images and records the step as undone: `mark` says with what of it in quarantine.
bool forget(pg::Session& session, std::int64_t step_id, bool (*mark)(pg::Session&, std::int64_t)) {
  base::failpoint("rollback_before_note");
  return pg::in_transaction(session, {}, [&] {
    drop_images(session, step_id);
    ledger::forget_acts(session, step_id);
    return mark(session, step_id);
  });
}

}  // namespace

void survey_images(const StepAt& at, const BackfillStep& step, RollbackAct& act, RollbackSurvey& survey) {
  const auto subject = "backfill step \"" + step.name + "\"";
  const auto stored = stored_images(at.session, act.step_id);
  if (!stored.is_there) {
    survey.obstacles.push_back(subject + " has changed rows, and its before-images were freed");
    return;
  }
  try {
    const auto images = images_now(at.session, step, act.step_id);
    if (const auto misfit = misfit_of(at.session, images); !misfit.empty()) {
      survey.obstacles.push_back(subject + ": " + misfit);
      return;
    }
    act.has_images = true;
    act.words = {"the old values of " + images.table.sql() + " are put back from " + images.table_sql() +
                 " (" + base::format_bytes(static_cast<double>(stored.bytes)) +
                 ") where the new ones still stand"};
    const auto triggers = pg::fired_triggers(at.session, images.table.oid, changed_columns(step));
    if (!triggers.empty())
      survey.remarks.push_back("putting old values back into " + images.table.sql() + " fires trigger " +
                               listed(triggers) + ": what they write stays");
  } catch (const Error& e) {
    survey.obstacles.push_back(subject + ": " + e.what());
  }
}

asio::awaitable<void> restore_images(RunningStep& step, const BackfillStep& definition,
                                     const RollbackAct& act) {
  std::function<std::vector<OpenedAct>(pg::Session&)> open = [&](pg::Session& session) {
    return open_restore(session, definition, act);
  };
  auto acts = co_await keep_trying<std::vector<OpenedAct>>(step.connection, open, step.journal, step.stop);
  if (acts.empty()) co_return;
  co_await run_acts(step, std::move(acts));
  if (step.stop.is_requested()) co_return;
  std::function<bool(pg::Session&)> end = [id = act.step_id](pg::Session& s) {
    return forget(s, id, ledger::mark_restored);
  };
  co_await keep_trying<bool>(step.connection, end, step.journal, step.stop);
}

void forget_images(OperatorAct& act, const RollbackAct& undo) {
  act.insist(
      failing_to_undo("before-images"),
      [&] { forget(act.session(), undo.step_id, ledger::mark_rolled_back); }, [] { return std::string(); });
}

}  // namespace pgsluice::engine
