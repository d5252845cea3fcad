#include "pg/session.hpp"

#include <atomic>
#include <mutex>

#include "pg/pqxx_versions.hpp"

namespace pgsluice::pg {
namespace {

Rows copy_out(const pqxx::result& result) {
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

/// libpq ends its messages with a newline and libpqxx keeps it; DETAIL and CONTEXT lines follow and stay.
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

  template <class Execute>
  Rows guarded(Execute execute) {
    try {
      pqxx::nontransaction tx(connection);
      return copy_out(execute(tx));
    } catch (const std::exception& e) {
      throw translate(e);
    }
  }

  Failure translate(const std::exception& e) {
    std::string state = versions::sqlstate_of(e);
    const bool is_lost = !connection.is_open() ||
                         dynamic_cast<const pqxx::broken_connection*>(&e) != nullptr ||
                         state.rfind("57P0", 0) == 0;
    if (state.empty()) state = is_lost ? "08006" : "XX000";
    if (is_lost || pg::must_discard(state)) is_spoilt = true;
    // libpqxx 6 looks for the client's encoding before it looks for what went wrong.
    const bool says_nothing = is_lost && std::string(e.what()).find("client encoding") != std::string::npos;
    return Failure(state, says_nothing ? "the connection to the server was lost" : trimmed(e.what()),
                   is_lost);
  }

  pqxx::connection connection;
  std::mutex interlock;  // guards in_flight and the sending of a cancel
  bool in_flight = false;
  std::atomic<bool> is_spoilt{false};
};

Session::Session(const ConnectionTarget& target, const std::string& application_name) {
  try {
    impl_ = std::make_unique<Impl>(target.conninfo(application_name));
  } catch (const std::exception& e) {
    const std::string what = trimmed(e.what());
    // libpq gives no SQLSTATE for a refused connection; these texts come from the server and are not worth
    // retrying.
    const bool is_refused = what.find("authentication failed") != std::string::npos ||
                            what.find("does not exist") != std::string::npos ||
                            what.find("no pg_hba.conf entry") != std::string::npos ||
                            what.find("no password supplied") != std::string::npos;
    throw Failure(is_refused ? "28000" : "08001", "cannot connect to " + target.display() + ": " + what,
                  !is_refused);
  }
}

Session::~Session() = default;

Rows Session::exec(const std::string& sql) {
  return impl_->guarded([&](pqxx::transaction_base& tx) { return tx.exec(sql); });
}

Rows Session::exec(const std::string& sql, const Params& params) {
  return impl_->guarded([&](pqxx::transaction_base& tx) { return versions::exec(tx, sql, params); });
}

Rows Session::exec_cancellable(const std::string& sql, const Params& params) {
  struct InFlight {
    explicit InFlight(Impl& impl) : impl_(impl) { set(true); }
    ~InFlight() { set(false); }
    void set(bool value) {
      const std::lock_guard lock(impl_.interlock);
      impl_.in_flight = value;
    }
    Impl& impl_;
  };
  const InFlight in_flight(*impl_);
  return exec(sql, params);
}

bool Session::cancel() noexcept {
  const std::lock_guard lock(impl_->interlock);
  if (!impl_->in_flight) return false;
  try {
    impl_->connection.cancel_query();
    impl_->is_spoilt = true;
    return true;
  } catch (const std::exception&) {
    return false;  // the statement ends by its own timeout; nothing is lost but time
  }
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
