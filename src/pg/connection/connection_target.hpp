#pragma once

#include <map>
#include <string>
#include <vector>

namespace pgsluice::pg {

/// Where to connect. Read from a connection string or URI with libpq's own parser; anything missing comes
/// from PG* variables, service and password files, as in every libpq program. Immutable value; display()
/// never shows a secret.
class ConnectionTarget {
 public:
  /// Throws Error(kUsage) for text that libpq cannot read, without repeating it: it may hold a password.
  explicit ConnectionTarget(const std::string& dsn);

  /// Connection string for libpq, with the session's application_name and default limits where the user gave
  /// none.
  std::string conninfo(const std::string& application_name) const;

  /// The same for a program to be started: PG* variables, which no process list shows.
  std::map<std::string, std::string> environment() const;

  /// Every password that is known here, of the settings and of PGPASSWORD: to blot them out of other
  /// programs' output.
  std::vector<std::string> secrets() const;

  /// "database \"app\" on db1:5432 as alice", for messages.
  std::string display() const;

 private:
  std::map<std::string, std::string> settings_;
};

}  // namespace pgsluice::pg
