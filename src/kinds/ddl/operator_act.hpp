#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"
#include "pgsluice/event.hpp"
#include "telling/journal.hpp"
#include "telling/stop.hpp"

namespace pgsluice::engine {

/// What an operator does to a job (rollback, cutover, contract): statements that need locks, tried again with
/// backoff until they get them, every attempt in the event log. Blocks; lives for one call, on one thread.
class OperatorAct {
 public:
  /// `stop`: of the run that it is part of, after which no other attempt begins; nullptr: it is no part of
  /// one.
  OperatorAct(pg::Session& session, const std::string& job, std::int64_t job_id,
              const std::function<void(EventBody)>& tell, const Stop* stop = nullptr);

  pg::Session& session() { return session_; }
  Journal& journal() { return journal_; }
  void set_job_id(std::int64_t job_id) { job_id_ = job_id; }

  /// How the failure of an act is reported: `subject` in words ("step \"x\" could not be undone"), and what
  /// to do about a lock that it did not get, or about any other error.
  struct Failing {
    std::string subject;
    std::string lock_hint;
    std::string other_hint;
  };
  /// Runs `work` until it succeeds, at most kDdlAttempts times. `holders` names the sessions that block it.
  /// Throws Error, kWorkLeft if the run is to stop; Failure if the connection is lost.
  void insist(const Failing& failing, const std::function<void()>& work,
              const std::function<std::string()>& holders);

  /// Writes the journal's pending events to the ledger.
  void store_events();

 private:
  class Teller : public EventSink {
   public:
    explicit Teller(const std::function<void(EventBody)>& tell) : tell_(tell) {}
    void publish(Event event) override { tell_(std::move(event.body)); }

   private:
    const std::function<void(EventBody)>& tell_;
  };

  bool is_over() const;
  void wait(std::chrono::milliseconds duration) const;
  [[noreturn]] void fail(const Failing& failing, const pg::Failure& failure, int attempts);

  pg::Session& session_;
  Teller teller_;
  Journal journal_;
  std::int64_t job_id_;
  const Stop* stop_;
};

/// A step that could not be undone.
OperatorAct::Failing failing_to_undo(const std::string& step);

/// "; "public"."users" is held by pid 4711 (…)" for each holder of each table.
std::string holders_of(pg::Session& session, const std::vector<std::string>& tables);

}  // namespace pgsluice::engine
