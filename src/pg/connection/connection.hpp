#pragma once

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "pg/connection/hop.hpp"
#include "pg/connection/session.hpp"

namespace pgsluice::pg {

/// A session with its own thread. Connects on first use and again after a loss; every run() is one hop. Used
/// from the io thread by one coroutine at a time; cancel() may come from another coroutine of that thread.
class Connection {
 public:
  Connection(ConnectionTarget target, std::string application_name)
      : target_(std::move(target)), application_name_(std::move(application_name)) {}
  ~Connection() { join(); }

  /// Runs `work` on this connection's thread. Throws what `work` throws, and Failure if connecting fails. A
  /// session that must not be used again is discarded afterwards: the next run() reconnects, which connects()
  /// counts.
  template <class Result>
  asio::awaitable<Result> run(std::function<Result(Session&)> work) {
    std::function<Result()> job = [this, work = std::move(work)] { return use<Result>(work); };
    co_return co_await hop<Result>(thread_, std::move(job));
  }

  /// Cancels the statement in flight, if it may be cancelled; true if a cancel was sent. Hops to the cancel
  /// thread.
  asio::awaitable<bool> cancel() {
    std::function<bool()> job = [session = std::atomic_load(&session_)] {
      return session && session->cancel();
    };
    co_return co_await hop<bool>(cancel_thread_, std::move(job));
  }

  /// Ends the work in flight, whatever it is (Session::abort). Returns at once; does nothing while an earlier
  /// abort is still being sent.
  void abort() {
    send_abort([](Session& session) { session.abort(); });
  }

  /// Like abort(), but only if a statement has been in flight for `longer_than` (Session::abort_hanging).
  void abort_hanging(std::chrono::milliseconds longer_than) {
    send_abort([longer_than](Session& session) { session.abort_hanging(longer_than); });
  }

  /// Whether a statement is in flight. Thread-safe, never blocks.
  bool is_in_flight() const {
    const auto session = std::atomic_load(&session_);
    return session && session->is_in_flight();
  }

  /// Like abort(), and from now on run() throws Failure without connecting.
  void shut() {
    is_shut_ = true;
    abort();
  }

  /// 0 while not connected. Thread-safe.
  int backend_pid() const {
    const auto session = std::atomic_load(&session_);
    return session ? session->backend_pid() : 0;
  }

  /// Waits for the work in flight.
  void join() {
    thread_.join();
    cancel_thread_.join();
  }

 private:
  template <class Send>
  void send_abort(Send send) {
    if (is_aborting_.exchange(true)) return;
    asio::post(cancel_thread_, [this, send] {
      if (const auto session = std::atomic_load(&session_)) send(*session);
      is_aborting_ = false;
    });
  }

  template <class Result>
  Result use(const std::function<Result(Session&)>& work) {
    struct Discard {
      Connection& connection;
      ~Discard() {
        const auto session = std::atomic_load(&connection.session_);
        if (session && session->must_discard())
          std::atomic_store(&connection.session_, std::shared_ptr<Session>());
      }
    };
    refuse_if_shut();
    auto session = std::atomic_load(&session_);
    if (!session || session->is_aborted()) {
      session = std::make_shared<Session>(target_, application_name_);
      std::atomic_store(&session_, session);
    }
    const Discard discard{*this};
    refuse_if_shut();  // may have been shut while connecting
    return work(*session);
  }

  void refuse_if_shut() const {
    if (is_shut_)
      throw Failure("57014", "the run is ending", false, CancelledBy::kUs, std::chrono::nanoseconds{0});
  }

  ConnectionTarget target_;
  std::string application_name_;
  std::atomic<bool> is_shut_{false};
  std::atomic<bool> is_aborting_{false};
  std::shared_ptr<Session>
      session_;  // written on thread_, read by cancel() and backend_pid(): atomic access only
  asio::thread_pool thread_{1};
  asio::thread_pool cancel_thread_{1};
};

}  // namespace pgsluice::pg
