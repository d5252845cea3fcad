#pragma once

#include <string>
#include <vector>

#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// What pending sql steps will have done to the schema by the time a later step runs, as far as their text
/// shows. Names are compared as written; a missing schema matches any. Not thread-safe.
class Outlook {
 public:
  void add(const std::string& step, const std::string& sql);

  /// The step that makes the table; empty if none is known.
  std::string maker_of(const TableName& table) const;
  /// The step that makes one of the tables; empty if none is known.
  std::string maker_of_any(const std::vector<TableName>& tables) const;
  /// The step that drops the table; empty if none does.
  std::string dropper_of(const TableName& table) const;
  /// The step that makes the column, or a table that may have it; empty if none does.
  std::string adder_of(const TableName& table, const std::string& column) const;
  /// The first step whose effects its text does not show (DO, CALL, SELECT f()); empty if there is none.
  const std::string& opaque_step() const { return opaque_step_; }

 private:
  struct Table {
    TableName name;
    std::string step;
    std::vector<std::string> columns;
    bool has_more_columns = false;
  };
  struct Column {
    TableName table;
    std::string name;
    std::string step;
  };
  void forget(const TableName& table, const std::string& step);

  std::vector<Table> made_;
  std::vector<Column> columns_;
  std::vector<Table> dropped_;
  std::string opaque_step_;
};

/// Whether two names may mean the same table: equal names, and no two different schemas.
bool may_be_same(const TableName& a, const TableName& b);

/// Whether the server resolves both names to one table; may_be_same() if it does not know one of them yet.
bool is_same_table(pg::Session& session, const TableName& a, const TableName& b);

}  // namespace pgsluice::engine
