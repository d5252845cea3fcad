#pragma once

#include <exception>

#include "pg/connection/session.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::steps::retype {

/// While it lives, the server writes definitions with every name qualified and every constant in a form that
/// reads the same under any settings. For one transaction, whose own settings it restores; throws
/// Error(kInternal) outside a transaction, where the settings would last.
class ExactSettings {
 public:
  explicit ExactSettings(pg::Session& session)
      : session_(session), before_(session.exec(kRead, pg::Params{}).row(0)) {
    session_.exec(kSet, {"", "ISO", "postgres", "3"});
    if (!session_.exec("SELECT pg_catalog.current_setting('search_path')", pg::Params{}).text(0, 0).empty())
      throw Error(ExitCode::kInternal, "definitions are read outside a transaction");
  }
  ~ExactSettings() {
    try {
      session_.exec(kSet, before_);
    } catch (const std::exception&) {
      // The transaction has failed, and its settings end with it.
    }
  }
  ExactSettings(const ExactSettings&) = delete;
  ExactSettings& operator=(const ExactSettings&) = delete;

 private:
  static constexpr const char* kRead = R"sql(
SELECT pg_catalog.current_setting('search_path'), pg_catalog.current_setting('DateStyle'),
       pg_catalog.current_setting('IntervalStyle'), pg_catalog.current_setting('extra_float_digits')
)sql";

  static constexpr const char* kSet = R"sql(
SELECT pg_catalog.set_config('search_path', $1, true), pg_catalog.set_config('DateStyle', $2, true),
       pg_catalog.set_config('IntervalStyle', $3, true), pg_catalog.set_config('extra_float_digits', $4, true)
)sql";

  pg::Session& session_;
  pg::Params before_;
};

}  // namespace pgsluice::steps::retype
