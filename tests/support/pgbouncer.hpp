#pragma once

#include <memory>
#include <string>

#include "support/process.hpp"
#include "support/server.hpp"

namespace pgsluice::test {

/// A real pgbouncer in transaction mode in front of a server, on a unix socket of its own. It hands
/// transactions to its server connections in turn, so that what depends on session state breaks soon. The
/// server must outlive it.
class Pgbouncer {
 public:
  /// Settings are laid over the defaults of the [pgbouncer] section.
  explicit Pgbouncer(const Server& server, const Settings& settings = {});

  std::string dsn(const std::string& database = "postgres", const std::string& user = "postgres") const;
  std::filesystem::path socket_path() const;
  std::string log_text() const { return read_file(folder_.path() / "log"); }

 private:
  std::string configuration(const Server& server, const Settings& settings) const;

  TempFolder folder_{Owner::kServer};
  std::unique_ptr<Process> process_;
};

}  // namespace pgsluice::test
