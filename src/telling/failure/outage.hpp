#pragma once

#include <chrono>
#include <functional>
#include <random>
#include <string>

#include "base/backoff.hpp"
#include "pg/connection/connection.hpp"
#include "pgsluice/error.hpp"
#include "telling/failure/interruption.hpp"
#include "telling/journal.hpp"
#include "telling/stop.hpp"

namespace pgsluice::engine {

/// How long a run tolerates an unreachable server before it exits with 69. A restart or a failover takes
/// less.
constexpr std::chrono::seconds kReconnectMax{60};
/// The same before anything has started: a mistyped host should fail soon, and there is nothing to lose.
constexpr std::chrono::seconds kFirstConnectMax{5};
constexpr std::chrono::milliseconds kReconnectFirst{50};
constexpr std::chrono::milliseconds kReconnectWaitMax{5'000};

/// Runs `work` until it succeeds or the server was unreachable for `patience`; also retries retryable errors,
/// such as a lock that it does not get. Throws Error(kUnreachable), or Error(kWorkLeft) if the server was
/// reachable or the run's stop ended it, Error(kFailed) if another session cancelled it. REQUIRES: `work` may
/// run twice, because its first answer can be lost. Other failures pass through.
template <class Result>
boost::asio::awaitable<Result> keep_trying(pg::Connection& connection,
                                           std::function<Result(pg::Session&)> work, Journal& journal,
                                           const Stop& stop,
                                           std::chrono::milliseconds patience = kReconnectMax) {
  const auto began = std::chrono::steady_clock::now();
  // Every connection waits for a different time, so that lanes that were cut off together do not return
  // together.
  const base::Backoff backoff{kReconnectFirst, kReconnectWaitMax, base::Backoff::kNoLimit,
                              std::random_device{}()};
  for (int attempt = 1;; ++attempt) {
    std::string message;
    bool is_reached = false;
    try {
      co_return co_await connection.run<Result>(work);
    } catch (const pg::Failure& f) {
      if (f.cancelled_by() == pg::CancelledBy::kUs && stop.is_requested()) throw cut_short(stop);
      if (f.cancelled_by() == pg::CancelledBy::kSomebody)
        throw cancelled_by_somebody("a statement of the run", f);
      if (!f.is_connection_lost() && f.disposition() != pg::Disposition::kRetryable) throw;
      message = f.what();
      is_reached = !f.is_connection_lost();
    }
    const auto waited = std::chrono::steady_clock::now() - began;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(patience - waited);
    const auto wait = backoff.next(attempt, left);
    const bool is_over = !wait || (stop.is_requested() && attempt > 3);
    if (is_over && is_reached) {
      throw Error(ExitCode::kWorkLeft, "the server cannot serve us: " + message,
                  "end the sessions that block it, or run again later: the job continues where it stopped");
    }
    if (is_over) {
      throw Error(ExitCode::kUnreachable, "the database cannot be reached: " + message,
                  "start it or correct the connection, then run again: the job continues where it stopped");
    }
    if (attempt == 2) {
      const std::string what = is_reached ? "the server cannot serve us" : "the database cannot be reached";
      journal.warn(what + ", trying again: " + message);
    }
    co_await sleep_for(*wait);
  }
}

}  // namespace pgsluice::engine
