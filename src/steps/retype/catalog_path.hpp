#pragma once

#include <string>

#include "pg/session.hpp"

namespace pgsluice::steps::retype {

/// While it lives, the transaction's search_path is empty, so that the server writes definitions with every
/// name qualified. For use inside a transaction; the old search_path is the caller's again afterwards.
class CatalogPath {
 public:
  explicit CatalogPath(pg::Session& session)
      : session_(session), before_(session.exec("SHOW search_path").text(0, 0)) {
    session.exec(kSet, {std::string("pg_catalog")});
  }
  ~CatalogPath() {
    try {
      session_.exec(kSet, {before_});
    } catch (...) {
      // The transaction has failed: the setting goes with it.
    }
  }
  CatalogPath(const CatalogPath&) = delete;
  CatalogPath& operator=(const CatalogPath&) = delete;

 private:
  static constexpr const char* kSet = "SELECT pg_catalog.set_config('search_path', $1, true)";

  pg::Session& session_;
  std::string before_;
};

}  // namespace pgsluice::steps::retype
