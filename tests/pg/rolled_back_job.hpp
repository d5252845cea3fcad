#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <mutex>

#include "base/process_identity.hpp"
#include "engine/run/run.hpp"
#include "kinds/definition_change/job_definition.hpp"
#include "ledger/jobs.hpp"
#include "ledger/range/checkpoint.hpp"
#include "ledger/range/lease.hpp"
#include "ledger/range/split.hpp"
#include "ledger/runs.hpp"
#include "ledger/schema.hpp"
#include "pg/engine_jobs.hpp"
#include "pgsluice/error.hpp"
#include "support/shared_server.hpp"

namespace pgsluice::engine {

/// A job with a past, in a database of its own: the past is written by the ledger's own functions, its
/// effects by hand.
class RolledBackJob : public ::testing::Test {
 protected:
  static constexpr const char* kRunId = "11111111-1111-1111-1111-111111111111";

  RolledBackJob() {
    test::make_users(db_);
    ledger::install(session_);
  }

  /// Writes the job as one whose run has ended after it did the first `done` steps; their effects are the
  /// test's.
  void pretend(const Job& job, std::size_t done) {
    record_ = ledger::open_job(session_, definition_of(job));
    ledger::register_run(session_, record_.job_id, kRunId, "test", base::this_process());
    for (std::size_t i = 0; i < done; ++i) do_step(i);
    ledger::end_run(session_, kRunId, "work left", 75);
    ledger::set_job_state(session_, record_.job_id, JobState::kReady);
  }

  void do_step(std::size_t place) {
    const auto id = record_.steps.at(place).step_id;
    ledger::set_step_state(session_, id, StepState::kRunning);
    ledger::cut(session_, id, 0, {ledger::NewRange{}});
    ledger::mark_done(session_, ledger::lease_next(session_, id, kRunId, {})->token);
    ledger::set_step_state(session_, id, StepState::kDone);
  }

  /// The onboarding job with everything done, as a run leaves it.
  Job pretend_onboarded() {
    auto job = test::job_of(test::onboarding_text());
    pretend(job, 4);
    db_.exec(
        "ALTER TABLE users ADD onboarded boolean; UPDATE users SET onboarded = true; CREATE INDEX "
        "users_onboarded ON users (onboarded)");
    db_.exec("UPDATE pgsluice.range SET rows_changed = 10000, rows_visited = 10000 WHERE step_id = " +
             std::to_string(record_.steps.at(1).step_id));
    ledger::set_step_detail(session_, record_.steps.at(2).step_id, "created");
    return job;
  }

  using Teller = std::function<void(const EventBody&)>;

  /// `tell` is called for each event, one at a time.
  void roll_back(const Job& job, const Teller& tell) {
    struct Sink : EventSink {
      explicit Sink(const Teller& t) : tell(t) {}
      void publish(Event event) override {
        const std::lock_guard<std::mutex> lock(mutex);
        tell(event.body);
      }
      const Teller& tell;
      std::mutex mutex;
    } sink(tell);
    RollbackOptions options;
    options.handle_signals = false;
    engine::Run(pg::ConnectionTarget(dsn_), job, options, sink).execute();
  }

  void roll_back(const Job& job) {
    roll_back(job, [this](const EventBody& body) { told_.push_back(body); });
  }

  Error refusal(const Job& job) {
    try {
      roll_back(job);
    } catch (const Error& e) {
      return e;
    }
    return Error(ExitCode::kDone, "it was not refused");
  }

  bool has_column() {
    return db_.number(
               "SELECT count(*) FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = "
               "'onboarded' AND NOT attisdropped") == 1;
  }
  bool has_index() { return db_.yes("SELECT to_regclass('users_onboarded') IS NOT NULL"); }
  std::vector<std::string> states() { return db_.column("SELECT state FROM pgsluice.step ORDER BY number"); }
  std::string job_row() { return db_.text("SELECT state || ', ' || control FROM pgsluice.job"); }

  std::vector<std::string> statements_told() const {
    std::vector<std::string> out;
    for (const auto& body : told_) {
      if (const auto* statement = std::get_if<event::Statement>(&body)) out.push_back(statement->sql);
    }
    return out;
  }

  std::string dsn_ = test::fresh_database();
  test::Db db_{dsn_};
  pg::Session session_{pg::ConnectionTarget(dsn_), "pgsluice test"};
  ledger::JobRecord record_;
  std::vector<EventBody> told_;
};

}  // namespace pgsluice::engine
