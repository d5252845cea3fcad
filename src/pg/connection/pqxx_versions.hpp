#pragma once

// The one adapter between libpqxx 6.4 (Debian 12), 7.x (Ubuntu 24.04) and 7.10 (Debian 13). Included by
// session.cpp only.

#include <libpq-fe.h>

#include <memory>
#include <pqxx/pqxx>
#include <string>

#include "pg/rows.hpp"

#if PQXX_VERSION_MAJOR > 7 || (PQXX_VERSION_MAJOR == 7 && PQXX_VERSION_MINOR >= 10)
#define PGSLUICE_PQXX_PARAMS 1
#endif

namespace pgsluice::pg::versions {

#if PQXX_VERSION_MAJOR < 7

/// Remembers the handle that libpqxx keeps to itself.
class KnownHandle : public pqxx::connect_direct {
 public:
  using connect_direct::connect_direct;
  handle do_startconnect(handle present) override { return known = connect_direct::do_startconnect(present); }

  handle known = nullptr;
};

/// A connection whose PGconn is known, for what libpqxx has no public call for.
class Connection : public pqxx::connection_base {
 public:
  explicit Connection(const std::string& conninfo) : connection_base(policy_), policy_(conninfo) { init(); }
  ~Connection() { close(); }
  PGconn* raw() const { return policy_.known; }

 private:
  KnownHandle policy_;
};

#elif PQXX_VERSION_MAJOR > 7 || PQXX_VERSION_MINOR >= 8

inline PGconn* connected(const std::string& conninfo) {
  std::unique_ptr<PGconn, decltype(&PQfinish)> raw(PQconnectdb(conninfo.c_str()), &PQfinish);
  if (PQstatus(raw.get()) != CONNECTION_OK) throw pqxx::broken_connection(PQerrorMessage(raw.get()));
  return raw.release();
}

class Connection : public pqxx::connection {
 public:
  explicit Connection(const std::string& conninfo) : Connection(connected(conninfo)) {}
  PGconn* raw() const { return raw_; }

 private:
  explicit Connection(PGconn* raw)
      : pqxx::connection(pqxx::connection::seize_raw_connection(raw)), raw_(raw) {}

  PGconn* raw_;  // the base owns it
};

#else
#error "libpqxx 7.0 to 7.7 does not give away its PGconn: use 6.4, or 7.8 and later"
#endif

inline pqxx::result exec(pqxx::transaction_base& tx, const std::string& sql, const Params& params) {
#ifdef PGSLUICE_PQXX_PARAMS
  pqxx::params all;
  for (const auto& p : params) all.append(p);
  return tx.exec(sql, all);
#else
  std::vector<const char*> all;
  all.reserve(params.size());
  for (const auto& p : params) all.push_back(p ? p->c_str() : nullptr);
  return tx.exec_params(sql, pqxx::prepare::make_dynamic_params(all));
#endif
}

/// 6.x reconnects behind our back and loses every setting: forbid it. 7.x never does.
inline void forbid_reconnect(Connection& connection) {
#if PQXX_VERSION_MAJOR < 7
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  connection.inhibit_reactivation(true);
#pragma GCC diagnostic pop
#else
  static_cast<void>(connection);
#endif
}

/// By type first: on 6.x these carry no SQLSTATE, and except for the third they are not sql_error.
inline std::string sqlstate_of(const std::exception& e) {
  if (dynamic_cast<const pqxx::deadlock_detected*>(&e)) return "40P01";
  if (dynamic_cast<const pqxx::serialization_failure*>(&e)) return "40001";
  if (dynamic_cast<const pqxx::insufficient_privilege*>(&e)) return "42501";
  if (dynamic_cast<const pqxx::too_many_connections*>(&e)) return "53300";
  if (const auto* sql = dynamic_cast<const pqxx::sql_error*>(&e)) return sql->sqlstate();
  return {};
}

}  // namespace pgsluice::pg::versions
