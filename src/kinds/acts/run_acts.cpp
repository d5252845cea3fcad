#include "kinds/acts/run_acts.hpp"

#include "kinds/ddl/ddl_statements.hpp"
#include "kinds/ddl/run_ddl.hpp"
#include "kinds/index_build/run_alone.hpp"
#include "kinds/index_build/run_index.hpp"
#include "ledger/acts.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kFenceLook{200};  // the server does not announce the end of a transaction

// Every transaction that was there when the fence was set is over once the oldest that runs is younger.
constexpr const char* kFenceSet = "SELECT pg_catalog.txid_snapshot_xmax(pg_catalog.txid_current_snapshot())";
constexpr const char* kFencePassed =
    "SELECT pg_catalog.txid_snapshot_xmin(pg_catalog.txid_current_snapshot()) >= $1::bigint";

asio::awaitable<void> run_fence(RunningStep& step) {
  step.journal.write(event::StepStarted{step.record.name, step.record.kind, false, 0});
  const auto range = co_await lease_single(step, step.connection);
  if (!range) co_return;
  std::function<std::string(pg::Session&)> set = [](pg::Session& s) { return s.exec(kFenceSet).text(0, 0); };
  const auto fence = co_await keep_trying<std::string>(step.connection, set, step.journal, step.stop);
  std::function<bool(pg::Session&)> look = [fence](pg::Session& s) {
    return s.exec(kFencePassed, {fence}).boolean(0, 0);
  };
  bool is_told = false;
  for (;;) {
    const bool is_passed = co_await keep_trying<bool>(step.connection, look, step.journal, step.stop);
    if (is_passed) break;
    if (step.stop.is_requested()) co_return;
    if (!is_told) step.journal.warn("waiting for transactions that began before the fill ended");
    is_told = true;
    co_await sleep_unless_stopped(kFenceLook, step.stop);
  }
  co_await mark_done(step, step.connection, range->token);
}

/// REQUIRES: no fill.
asio::awaitable<void> story_of(RunningStep& step, const Act& act) {
  switch (act.kind) {
    case Act::Kind::kIndex:
      return run_index(step, act.sql.front());
    case Act::Kind::kVacuum:
      return run_vacuum(step, act.sql.front());
    case Act::Kind::kFence:
      return run_fence(step);
    case Act::Kind::kDdl:
    case Act::Kind::kFill:
    case Act::Kind::kCopy:
    case Act::Kind::kPurge:
      break;
  }
  return run_ddl(step, ddl_statements(act.sql));
}

asio::awaitable<void> run_act(RunningStep step, Act act) {
  const Story story = [&] { return story_of(step, act); };
  co_await run_told(step, story);
}

bool is_fill(const OpenedAct& opened) {
  return opened.act.kind == Act::Kind::kFill || opened.act.kind == Act::Kind::kCopy ||
         opened.act.kind == Act::Kind::kPurge;
}

Filling fill_of(const OpenedAct& opened) {
  if (opened.act.prepare) return {opened.act.prepare, opened.record};
  return filling_of(opened.act.fill, opened.record);
}

/// The ledger's name for this kind of act.
const char* kind_name(Act::Kind kind) {
  switch (kind) {
    case Act::Kind::kDdl:
      return "sql";
    case Act::Kind::kIndex:
      return "index";
    case Act::Kind::kFill:
      return "backfill";
    case Act::Kind::kCopy:
      return "copy";
    case Act::Kind::kPurge:
      return "purge";
    case Act::Kind::kVacuum:
      return "vacuum";
    case Act::Kind::kFence:
      return "fence";
  }
  return "";
}

}  // namespace

std::vector<OpenedAct> open_acts(pg::Session& session, const std::string& step, std::int64_t step_id,
                                 std::vector<Act> acts) {
  std::vector<ledger::ActDefinition> definitions;
  for (const auto& act : acts) definitions.push_back({step + ": " + act.name, kind_name(act.kind), act.part});
  auto records = ledger::open_acts(session, step_id, definitions);
  std::vector<OpenedAct> opened;
  for (std::size_t i = 0; i < acts.size(); ++i)
    opened.push_back({std::move(acts[i]), std::move(records.at(i))});
  return opened;
}

asio::awaitable<void> run_acts(RunningStep& step, std::vector<OpenedAct> acts) {
  for (std::size_t i = 0; i < acts.size();) {
    co_await step.gate.pass_pause(step.stop);
    if (step.stop.is_requested()) co_return;
    // Neighbouring fills never wait for each other: where one must, a fence lies between them.
    std::vector<Filling> fillings;
    for (; i < acts.size() && is_fill(acts[i]); ++i) fillings.push_back(fill_of(acts[i]));
    if (!fillings.empty()) {
      co_await step.fills.run(std::move(fillings));
      continue;
    }
    RunningStep one = step;
    one.record = acts[i].record;
    if (one.record.state != StepState::kDone) co_await run_act(std::move(one), acts[i].act);
    ++i;
  }
}

}  // namespace pgsluice::engine
