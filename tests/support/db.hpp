#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace pgsluice::test {

/// How NULL reads in the answers of Db.
inline constexpr const char* kNull = "(null)";

/// One connection on which a test asks and prepares. Statements run as they are given, each by itself, so
/// BEGIN and COMMIT can be sent as statements. A failing statement throws pqxx::sql_error, a lost connection
/// pqxx::broken_connection. Confined to one thread at a time.
class Db {
 public:
  explicit Db(const std::string& dsn);
  ~Db();
  Db(Db&&) noexcept;
  Db& operator=(Db&&) noexcept;

  /// One or more statements, answers thrown away.
  void exec(const std::string& sql);

  /// The first column of the first row; throws when there is no row.
  std::string text(const std::string& sql);
  std::int64_t number(const std::string& sql);
  bool yes(const std::string& sql);

  /// Every row, every column, as text.
  std::vector<std::vector<std::string>> rows(const std::string& sql);

  /// The first column of every row.
  std::vector<std::string> column(const std::string& sql);

  /// Process id of the backend behind this connection.
  int backend_pid();

 private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

/// How many rows the answers of the two queries differ by (EXCEPT ALL both ways, one snapshot). 0: equal.
std::int64_t differences(Db& db, const std::string& query, const std::string& other_query);

}  // namespace pgsluice::test
