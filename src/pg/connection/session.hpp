#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

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

  /// Takes one line of a COPY, with its newline; false: enough.
  using TakeLine = std::function<bool(std::string_view line)>;
  /// COPY … TO STDOUT. False if `take` ended it: the rest was cancelled, and the session must be discarded. A
  /// copy that broke off throws, however many lines have come.
  bool copy_out(const std::string& sql, const TakeLine& take);
  /// COPY … FROM STDIN with these lines; cancel() may end it. How many rows the server took: a trigger may
  /// have left some out.
  std::int64_t copy_in(const std::string& sql, std::string_view lines);

  /// From now on a statement is given up, and the connection with it, when the server has said nothing for so
  /// long: for a server whose timeouts nobody can rely on, such as a frozen one.
  void give_up_after(std::chrono::milliseconds silence);

  /// Thread-safe. Sends a cancel if a cancellable statement is in flight; true if it was sent. May block as
  /// long as the server takes to accept a connection: never call it on the io thread.
  bool cancel() noexcept;

  /// Thread-safe. Ends the session's work: cancels the statement in flight, even a COMMIT that waits for a
  /// standby, and makes every later one fail without being sent. May be called again in case a cancel had no
  /// effect. Blocks like cancel().
  void abort() noexcept;
  /// Thread-safe, never blocks. As abort(), but sends nothing: a statement of a session that gives up on
  /// silence (below) ends soon, others when they are answered.
  void abandon() noexcept;
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
