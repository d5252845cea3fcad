#pragma once

// The one adapter between libpqxx 6.4 (Debian 12), 7.x (Ubuntu 24.04) and 7.10 (Debian 13). Included by
// session.cpp only.

#include <pqxx/pqxx>
#include <string>

#include "pg/rows.hpp"

#if PQXX_VERSION_MAJOR > 7 || (PQXX_VERSION_MAJOR == 7 && PQXX_VERSION_MINOR >= 10)
#define PGSLUICE_PQXX_PARAMS 1
#endif

namespace pgsluice::pg::versions {

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
inline void forbid_reconnect(pqxx::connection& connection) {
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
