#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "pg/connection/connection_target.hpp"
#include "pg/failure.hpp"
#include "pg/rows.hpp"

namespace pgsluice::pg {

/// One connection. Confined to one thread at a time, except for cancel(), which any thread may call. Sends
/// exactly what it is given: BEGIN and COMMIT are up to the caller. Every failure is a pg::Failure.
class Session {
 public:
  /// Connects. Throws Failure; its message names the target without secrets.
  Session(const ConnectionTarget& target, const std::string& application_name);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Simple protocol: one or several statements, the answer is the last one's.
  Rows exec(const std::string& sql);
  /// Extended protocol, unnamed statement: works through transaction poolers and is planned with the actual
  /// values.
  Rows exec(const std::string& sql, const Params& params);
  /// As above, and cancel() may end it. The interlock: a cancel is sent only while such a statement is in
  /// flight, and the statement ends only after the cancel has been sent, so that no cancel ever lands on a
  /// COMMIT.
  Rows exec_cancellable(const std::string& sql, const Params& params);

  /// Thread-safe. Sends a cancel if a cancellable statement is in flight; true if it was sent. May block as
  /// long as the server takes to accept a connection: never call it on the io thread.
  bool cancel() noexcept;

  /// Thread-safe. Ends the session's work: cancels the statement in flight, even a COMMIT that waits for a
  /// standby, and makes every later one fail without being sent. May be called again in case a cancel had no
  /// effect. Blocks like cancel().
  void abort() noexcept;
  /// Like abort(), but only if a statement has been in flight for `longer_than`; else does nothing.
  void abort_hanging(std::chrono::milliseconds longer_than) noexcept;
  bool is_aborted() const noexcept;
  /// Thread-safe, never blocks.
  bool is_in_flight() const noexcept;

  enum class Span { kTransaction, kSession };
  /// "; SET LOCAL …", to follow a BEGIN, or "; SET …": makes the server end a statement soon after its client
  /// is gone. Empty if the server cannot do that.
  std::string client_check(Span span = Span::kTransaction) const;

  /// The process id from the start-up message. Behind a pooler it is not a server process.
  int backend_pid() const noexcept;
  /// 150004 for 15.4.
  int server_version() const noexcept;
  /// A cancel was sent, or a statement ended in a way after which the connection must not be used again.
  bool must_discard() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// ROLLBACK that never throws: the first cause matters more. False if the session must be discarded.
bool rollback(Session& session) noexcept;

}  // namespace pgsluice::pg
