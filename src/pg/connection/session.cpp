#include "pg/connection/session.hpp"

#include <atomic>
#include <chrono>
#include <mutex>

#include "pg/connection/pqxx_versions.hpp"
#include "pg/connection/wire.hpp"

namespace pgsluice::pg {
namespace {

using Clock = std::chrono::steady_clock;

// Each check costs one system call.
constexpr const char* kClientCheck = "client_connection_check_interval = '500ms'";
constexpr int kVersionWithClientCheck = 140000;

constexpr const char* kNoEncoding = "SQL_ASCII";

Rows copied(const pqxx::result& result) {
  std::vector<std::vector<Value>> rows;
  rows.reserve(result.size());
  for (const auto& row : result) {
    std::vector<Value>& out = rows.emplace_back();
    out.reserve(row.size());
    for (const auto& field : row) {
      out.push_back(field.is_null() ? Value{} : Value{std::string(field.c_str(), field.size())});
    }
  }
  return Rows(std::move(rows), static_cast<std::int64_t>(result.affected_rows()));
}

/// libpq ends its messages with a newline and libpqxx keeps it; DETAIL and CONTEXT lines follow and are kept.
std::string trimmed(std::string message) {
  while (!message.empty() && (message.back() == '\n' || message.back() == ' ')) message.pop_back();
  for (const char* prefix : {"ERROR:  ", "FATAL:  "}) {
    if (message.rfind(prefix, 0) == 0) message.erase(0, std::char_traits<char>::length(prefix));
  }
  return message;
}

}  // namespace

struct Session::Impl {
  explicit Impl(const std::string& conninfo) : connection(conninfo) {
    versions::forbid_reconnect(connection);
  }

  /// A statement in flight. The interlock: it ends only after a cancel that is being sent has been sent.
  class InFlight {
   public:
    InFlight(Impl& impl, bool may_be_cancelled) : impl_(impl) {
      const std::lock_guard lock(impl_.interlock);
      if (impl_.is_aborted)
        throw Failure("57014", "the session was told to end", false, CancelledBy::kUs,
                      std::chrono::nanoseconds{0});
      impl_.in_flight_since = Clock::now();
      impl_.is_in_flight = true;
      impl_.is_cancellable = may_be_cancelled;
    }
    ~InFlight() {
      const std::lock_guard lock(impl_.interlock);
      impl_.is_cancellable = false;
      impl_.is_in_flight = false;
    }
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;

   private:
    Impl& impl_;
  };

  template <class Execute>
  auto guarded(bool may_be_cancelled, Execute execute) {
    const InFlight in_flight(*this, may_be_cancelled);
    const auto began = Clock::now();
    try {
      return execute();
    } catch (const std::exception& e) {
      throw translate(e, Clock::now() - began);
    }
  }

  Rows exec(bool may_be_cancelled, const std::string& sql, const Params* params) {
    return guarded(may_be_cancelled, [&] {
      if (patience.silence.count() > 0) return wire::exec(connection.raw(), sql, params, patience);
      pqxx::nontransaction tx(connection);
      return copied(params ? versions::exec(tx, sql, *params) : tx.exec(sql));
    });
  }

  /// REQUIRES: the interlock is held. Recorded first, because the statement may fail before the cancel has
  /// been sent.
  bool send_cancel() noexcept {
    is_cancel_sent = true;
    is_spoilt = true;  // even if sending fails: it may have arrived, and later cancels would not be ours
    try {
      connection.cancel_query();
      return true;
    } catch (const std::exception&) {
      return false;  // the statement ends through its own timeout; only time is lost
    }
  }

  /// Finds out whether the server supports it: not every platform does.
  void try_client_check() {
    if (connection.server_version() < kVersionWithClientCheck) return;
    try {
      pqxx::nontransaction tx(connection);
      tx.exec(std::string("BEGIN; SET LOCAL ") + kClientCheck + "; ROLLBACK");
      has_client_check = true;
    } catch (const pqxx::sql_error&) {
      pqxx::nontransaction tx(connection);
      tx.exec("ROLLBACK");  // then treat it like an older server
    }
  }

  /// The bytes of such a database are in no encoding known to the server. As UTF8 it would refuse bytes that
  /// it sent us itself, for instance in a key.
  void take_bytes_as_they_are() {
    pqxx::nontransaction tx(connection);
    const auto encoding = tx.exec("SHOW server_encoding");
    if (encoding[0][0].as<std::string>() == kNoEncoding) tx.exec("SET client_encoding = SQL_ASCII");
  }

  Failure translate(const std::exception& e, std::chrono::nanoseconds ran_for) {
    const auto* raw = dynamic_cast<const wire::WireError*>(&e);
    std::string state = raw ? raw->sqlstate() : versions::sqlstate_of(e);
    const bool is_lost = (raw && raw->is_lost()) || !connection.is_open() ||
                         dynamic_cast<const pqxx::broken_connection*>(&e) != nullptr ||
                         state.rfind("57P0", 0) == 0;
    if (state.empty()) state = is_lost ? "08006" : "XX000";
    if (is_lost || pg::must_discard(state)) is_spoilt = true;
    // libpqxx 6 asks for the client's encoding before it asks what went wrong.
    const bool says_nothing = is_lost && std::string(e.what()).find("client encoding") != std::string::npos;
    const auto message = says_nothing ? "the connection to the server was lost" : trimmed(e.what());
    const bool is_ours = is_cancel_sent && state == "57014";
    return {state, message, is_lost, is_ours ? CancelledBy::kUs : read_cancel(state, message), ran_for};
  }

  versions::Connection connection;
  std::mutex interlock;  // guards the next three and sending a cancel
  bool is_cancellable = false;
  Clock::time_point in_flight_since;
  std::atomic<bool> is_in_flight{false};  // read without the interlock by callers that must not wait
  std::atomic<bool> is_aborted{false};
  std::atomic<bool> is_cancel_sent{false};
  std::atomic<bool> is_spoilt{false};
  bool has_client_check = false;  // constant after construction
  wire::Patience patience{std::chrono::milliseconds{0}, &is_aborted};
};

Session::Session(const ConnectionTarget& target, const std::string& application_name) {
  try {
    impl_ = std::make_unique<Impl>(target.conninfo(application_name));
    impl_->try_client_check();
    impl_->take_bytes_as_they_are();
  } catch (const std::exception& e) {
    const std::string what = trimmed(e.what());
    // libpq gives no SQLSTATE for a refused connection; these texts come from the server and mean that
    // retrying is pointless.
    const auto says = [&](const char* words) { return what.find(words) != std::string::npos; };
    const bool is_no_database = says("database \"") && says("does not exist");
    const bool is_refused = says("authentication failed") || says("does not exist") ||
                            says("no pg_hba.conf entry") || says("no password supplied") ||
                            says("is not permitted to log in") || says("permission denied for database");
    const char* sqlstate = is_no_database ? "3D000" : is_refused ? "28000" : "08001";
    throw Failure(sqlstate, "cannot connect to " + target.display() + ": " + what, !is_refused);
  }
}

Session::~Session() = default;

Rows Session::exec(const std::string& sql) {
  return impl_->exec(false, sql, nullptr);
}

Rows Session::exec(const std::string& sql, const Params& params) {
  return impl_->exec(false, sql, &params);
}

Rows Session::exec_cancellable(const std::string& sql, const Params& params) {
  return impl_->exec(true, sql, &params);
}

bool Session::copy_out(const std::string& sql, const TakeLine& take) {
  const bool is_whole = impl_->guarded(
      false, [&] { return wire::copy_out(impl_->connection.raw(), sql, take, impl_->patience); });
  if (!is_whole) impl_->is_spoilt = true;
  return is_whole;
}

std::int64_t Session::copy_in(const std::string& sql, std::string_view lines) {
  return impl_->guarded(true, [&] { return wire::copy_in(impl_->connection.raw(), sql, lines); });
}

void Session::give_up_after(std::chrono::milliseconds silence) {
  impl_->patience.silence = silence;
}

bool Session::cancel() noexcept {
  const std::lock_guard lock(impl_->interlock);
  return impl_->is_in_flight && impl_->is_cancellable && impl_->send_cancel();
}

void Session::abort() noexcept {
  const std::lock_guard lock(impl_->interlock);
  impl_->is_aborted = true;
  impl_->is_spoilt = true;
  if (impl_->is_in_flight) impl_->send_cancel();
}

void Session::abandon() noexcept {
  impl_->is_spoilt = true;
  impl_->is_aborted = true;
}

void Session::abort_hanging(std::chrono::milliseconds longer_than) noexcept {
  const std::lock_guard lock(impl_->interlock);
  if (!impl_->is_in_flight || Clock::now() - impl_->in_flight_since < longer_than) return;
  impl_->is_aborted = true;
  impl_->send_cancel();
}

bool Session::is_in_flight() const noexcept {
  return impl_->is_in_flight;
}

bool Session::is_aborted() const noexcept {
  return impl_->is_aborted;
}

std::string Session::client_check(Span span) const {
  if (!impl_->has_client_check) return {};
  return std::string(span == Span::kTransaction ? "; SET LOCAL " : "; SET ") + kClientCheck;
}

int Session::backend_pid() const noexcept {
  return impl_->connection.backendpid();
}
int Session::server_version() const noexcept {
  return impl_->connection.server_version();
}
bool Session::must_discard() const noexcept {
  return impl_->is_spoilt;
}

bool rollback(Session& session) noexcept {
  try {
    session.exec("ROLLBACK");
    return !session.must_discard();
  } catch (const std::exception&) {
    return false;  // the caller holds the first cause and discards the session
  }
}

}  // namespace pgsluice::pg
