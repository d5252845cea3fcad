// A retype within a Run: its acts in order, up to the operator's word.

#include "base/failpoint.hpp"
#include "engine/run/run.hpp"
#include "kinds/ddl/ddl.hpp"
#include "kinds/ddl/outlook.hpp"
#include "kinds/retype/acts/acts.hpp"
#include "kinds/retype/acts/readiness.hpp"
#include "kinds/retype/cutover/cutover.hpp"
#include "kinds/retype/cutover/removal.hpp"
#include "kinds/retype/graph/retype_facts.hpp"
#include "kinds/retype/retype_survey.hpp"
#include "kinds/retype/value_pass.hpp"
#include "kinds/table_of_kinds.hpp"
#include "ledger/acts.hpp"
#include "ledger/objects.hpp"
#include "ledger/range/checkpoint.hpp"
#include "pg/transaction.hpp"
#include "pgsluice/error.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;
namespace rt = steps::retype;

namespace {

constexpr std::chrono::milliseconds kFenceLook{200};

// Every transaction that was there when the fence was set is over once the oldest that runs is younger.
constexpr const char* kFenceSet = "SELECT pg_catalog.txid_snapshot_xmax(pg_catalog.txid_current_snapshot())";
constexpr const char* kFencePassed =
    "SELECT pg_catalog.txid_snapshot_xmin(pg_catalog.txid_current_snapshot()) >= $1::bigint";

const char* kind_of(rt::Act::Kind kind) {
  switch (kind) {
    case rt::Act::Kind::kDdl:
      return "sql";
    case rt::Act::Kind::kIndex:
      return "index";
    case rt::Act::Kind::kFill:
      return "backfill";
    case rt::Act::Kind::kVacuum:
      return "vacuum";
    case rt::Act::Kind::kFence:
      return "fence";
  }
  return "";
}

Run::Work work_of(const rt::Act& act, const std::string& name) {
  switch (act.kind) {
    case rt::Act::Kind::kDdl:
      return SqlStep{name, act.sql, {}};
    case rt::Act::Kind::kIndex:
      return IndexStep{name, act.sql.front()};
    case rt::Act::Kind::kFill: {
      auto fill = act.fill;
      fill.name = name;
      return fill;
    }
    case rt::Act::Kind::kVacuum:
      return Run::Vacuum{act.sql.front()};
    case rt::Act::Kind::kFence:
      break;
  }
  return Run::Fence{};
}

struct Beforehand {
  rt::Retype retype;
  Rehearsed rehearsal;
};

struct OpenedActs {
  std::vector<Run::Work> works;
  std::vector<ledger::StepRecord> records;
};

/// What is ours goes from tables that have left since it was begun, and what is missing is made anew.
void tidy_up(pg::Session& session, const RetypeStep& step, std::int64_t step_id) {
  const auto retype = read_retype(session, step, owner_of(session, step_id));
  refuse_other_columns(session, retype, step_id);
  pg::in_transaction(session, {steps::kDdlLockTimeout, std::chrono::milliseconds{0}, true}, [&] {
    for (const auto& name : names_left_behind(session, retype, step_id))
      ledger::forget_acts_naming(session, step_id, name);
    for (const auto& twin : rt::names_of_missing_twins(session, retype))
      ledger::forget_acts_naming(session, step_id, twin);
    take_away_left_behind(session, step, retype, step_id, "column");
    return true;
  });
}

OpenedActs open_acts(pg::Session& session, const RetypeStep& step, std::int64_t step_id, bool is_begun) {
  if (is_begun) tidy_up(session, step, step_id);
  const auto retype = read_retype(session, step, owner_of(session, step_id));
  // Before the first of them is made: what is not in the ledger is never taken away.
  pg::in_transaction(session, {}, [&] {
    if (!is_begun) ledger::forget_objects(session, step_id);
    note_objects(session, retype, step_id);
    return true;
  });
  OpenedActs opened;
  std::vector<ledger::ActDefinition> definitions;
  for (const auto& act : rt::acts_before_cutover(retype)) {
    const auto name = step.name + ": " + act.name;
    definitions.push_back({name, kind_of(act.kind), act.part});
    opened.works.push_back(work_of(act, name));
  }
  opened.records = ledger::open_acts(session, step_id, definitions);
  return opened;
}

/// False if an index, a constraint or a table came or went after the step was ready: then it is begun again.
bool is_still_ready(pg::Session& session, const RetypeStep& step, std::int64_t step_id) {
  const auto retype = read_retype(session, step, owner_of(session, step_id));
  refuse_other_columns(session, retype, step_id);
  if (rt::missing_twins(session, retype).empty() && tables_left_behind(session, retype, step_id).empty())
    return true;
  return !ledger::move_retype(session, step_id, RetypeDetail::kReady, RetypeDetail::kBegun, "running");
}

/// Not over what another run, a cut-over or a rollback made of the step since it was read.
void begin_retype(pg::Session& session, const RetypeStep& step, const ledger::StepRecord& record) {
  const auto move = [&](const std::string& from) {
    return ledger::move_retype(session, record.step_id, from, RetypeDetail::kBegun, "running");
  };
  if (move(record.detail) || move(RetypeDetail::kBegun)) return;
  throw Error(ExitCode::kRefused, "somebody else went on with step \"" + step.name + "\" just now",
              "say run again");
}

}  // namespace

asio::awaitable<void> Run::run_retype(const RetypeStep& step, ledger::StepRecord record) {
  const auto name = step_name_;
  journal_.write(event::StepStarted{name, step_kind_, !record.detail.empty(), 0});
  if (record.detail == RetypeDetail::kReady) {
    std::function<bool(pg::Session&)> look = [=](pg::Session& s) {
      return is_still_ready(s, step, record.step_id);
    };
    const bool is_ready = co_await keep_trying<bool>(steps_, look, journal_, stop_);
    if (!is_ready) record.detail = RetypeDetail::kBegun;
    if (stop_.is_requested()) co_return;
  }
  if (record.detail != RetypeDetail::kReady) {
    if (record.detail.empty() && !looked_at_.count(record.step_id))
      co_await refuse_beforehand(step, record.step_id);
    if (stop_.is_requested()) co_return;
    std::function<OpenedActs(pg::Session&)> open = [=](pg::Session& s) {
      auto opened = open_acts(s, step, record.step_id, record.detail == RetypeDetail::kBegun);
      begin_retype(s, step, record);
      return opened;
    };
    const auto opened = co_await keep_trying<OpenedActs>(steps_, open, journal_, stop_);
    co_await run_acts(opened.works, opened.records);
    step_name_ = name;
    step_kind_ = "retype";
    if (stop_.is_requested()) co_return;
    std::function<bool(pg::Session&)> ready = [id = record.step_id](pg::Session& s) {
      return ledger::move_retype(s, id, RetypeDetail::kBegun, RetypeDetail::kReady, "running");
    };
    co_await keep_trying<bool>(steps_, ready, journal_, stop_);
    base::failpoint("retype_ready");
    journal_.write(event::State{"running", RetypeDetail::kReady, "every row is proved by the server"});
  }
  if (step.is_cutover_auto) {
    co_await cut_over(step, record.step_id);
  } else {
    stop_.request(StopCause::kReadyForCutover,
                  "old and new columns of step \"" + name +
                      "\" are in step; the cut-over waits for you: pgsluice cutover " + job_.name);
  }
}

asio::awaitable<void> Run::look_before_writing() {
  Outlook outlook;
  bool is_first_to_write = true;
  for (std::size_t i = 0; i < job_.steps.size() && !stop_.is_requested(); ++i) {
    const auto& record = record_.steps[i];
    if (record.state == "done") continue;
    const auto kind = kind_of(job_.steps[i]);
    kind->foresee(outlook);
    const auto* retype = kind->to_rehearse();
    if (retype && record.detail.empty() && outlook.maker_of_any(retype->tables).empty()) {
      co_await refuse_beforehand(*retype, record.step_id);
      if (is_first_to_write) looked_at_.insert(record.step_id);
    }
    is_first_to_write = is_first_to_write && !kind->writes();
  }
}

asio::awaitable<void> Run::refuse_beforehand(RetypeStep step, std::int64_t step_id) {
  std::function<Beforehand(pg::Session&)> look = [=](pg::Session& s) {
    Beforehand out{read_retype(s, step, owner_of(s, step_id)), {}};
    refuse_retype(step.name, retype_obstacles(s, out.retype));
    out.rehearsal = rehearsed(s, out.retype);
    return out;
  };
  auto beforehand = co_await keep_trying<Beforehand>(steps_, look, journal_, stop_);
  for (const auto& warning : beforehand.rehearsal.warnings) journal_.warn(warning.message, warning.hint);
  refuse_retype(step.name, beforehand.rehearsal.refused);
  journal_.write(event::State{"running", "rehearsed", beforehand.rehearsal.summary});
  co_await refuse_losses(step, beforehand.retype);
  std::function<std::vector<Obstacle>(pg::Session&)> count = [retype = beforehand.retype](pg::Session& s) {
    return collisions(s, retype);
  };
  const auto collided = co_await keep_trying<std::vector<Obstacle>>(steps_, count, journal_, stop_);
  refuse_retype(step.name, collided);
}

asio::awaitable<void> Run::refuse_losses(RetypeStep step, rt::Retype retype) {
  const LookSurroundings at{job_, gate_, journal_, stop_};
  const auto losses = co_await read_values_paced(steps_, std::move(retype), at);
  std::vector<Obstacle> obstacles;
  for (const auto& loss : in_words(losses, job_.max_quarantined))
    obstacles.push_back({loss.message, loss.hint});
  refuse_retype(step.name, obstacles);
}

asio::awaitable<void> Run::run_acts(std::vector<Work> works, std::vector<ledger::StepRecord> records) {
  for (std::size_t i = 0; i < works.size();) {
    co_await gate_.pass_pause(stop_);
    if (stop_.is_requested()) co_return;
    // Neighbouring fills wait for nothing of each other: what does has a fence in between.
    std::vector<Filling> fillings;
    for (; i < works.size() && std::holds_alternative<BackfillStep>(works[i]); ++i)
      fillings.push_back({std::get<BackfillStep>(works[i]), records[i]});
    if (!fillings.empty()) {
      co_await run_fills(std::move(fillings));
    } else {
      co_await run_work(works[i], records[i]);
      ++i;
    }
  }
}

asio::awaitable<void> Run::cut_over(RetypeStep step, std::int64_t step_id) {
  // The act writes to the event log by itself; the sink may be called from its thread.
  std::function<bool(pg::Session&)> swap = [=, job = job_.name, run = run_id_,
                                            &sink = sink_](pg::Session& s) {
    const std::function<void(EventBody)> tell = [&](EventBody body) {
      Event event;
      event.job = job;
      event.run_id = run;
      event.body = std::move(body);
      sink.publish(std::move(event));
    };
    cut_over_step(s, job, step, step_id, tell);
    return true;
  };
  co_await keep_trying<bool>(steps_, swap, journal_, stop_);
}

asio::awaitable<void> Run::run_vacuum(Vacuum work, std::int64_t step_id) {
  journal_.write(event::StepStarted{step_name_, step_kind_, false, 0});
  pg::Connection own(job_.direct_dsn.empty() ? target_ : pg::ConnectionTarget(job_.direct_dsn),
                     application_prefix_ + " vacuum");
  const Lent lent(own_, own);
  const auto range = co_await lease_single(own, step_id);
  if (!range) co_return;
  co_await build(own, work.sql, "SHARE UPDATE EXCLUSIVE", 1);
  if (stop_.is_requested()) co_return;
  std::function<bool(pg::Session&)> mark = [token = range->token](pg::Session& s) {
    return ledger::mark_done(s, token);
  };
  co_await keep_trying<bool>(own, mark, journal_, stop_);
}

asio::awaitable<void> Run::run_fence(std::int64_t step_id) {
  journal_.write(event::StepStarted{step_name_, step_kind_, false, 0});
  const auto range = co_await lease_single(steps_, step_id);
  if (!range) co_return;
  std::function<std::string(pg::Session&)> set = [](pg::Session& s) { return s.exec(kFenceSet).text(0, 0); };
  const auto fence = co_await keep_trying<std::string>(steps_, set, journal_, stop_);
  std::function<bool(pg::Session&)> look = [fence](pg::Session& s) {
    return s.exec(kFencePassed, {fence}).boolean(0, 0);
  };
  bool is_told = false;
  for (;;) {
    const bool is_passed = co_await keep_trying<bool>(steps_, look, journal_, stop_);
    if (is_passed) break;
    if (stop_.is_requested()) co_return;
    if (!is_told) journal_.warn("waiting for transactions that began before the fill ended");
    is_told = true;
    co_await sleep_unless_stopped(kFenceLook, stop_);
  }
  std::function<bool(pg::Session&)> mark = [token = range->token](pg::Session& s) {
    return ledger::mark_done(s, token);
  };
  co_await keep_trying<bool>(steps_, mark, journal_, stop_);
}

}  // namespace pgsluice::engine
