#pragma once

#include <string>

#include "support/private_server.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {

/// As long as it lives every COMMIT waits for a standby that is not there.
class NoStandby {
 public:
  /// REQUIRES: `server` outlives it.
  explicit NoStandby(PrivateServer& server) : server_(server) { set("gone"); }
  ~NoStandby() { set(""); }
  NoStandby(const NoStandby&) = delete;
  NoStandby& operator=(const NoStandby&) = delete;

 private:
  void set(const std::string& names) {
    Db db(server_.dsn());
    db.exec("SET synchronous_commit = local");
    db.exec("ALTER SYSTEM SET synchronous_standby_names = '" + names + "'");
    db.exec("SELECT pg_reload_conf()");
    wait_for([&] { return Db(server_.dsn()).text("SHOW synchronous_standby_names") == names; },
             "the setting");
  }

  PrivateServer& server_;
};

}  // namespace pgsluice::test
