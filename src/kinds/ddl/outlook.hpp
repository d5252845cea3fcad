#pragma once

#include <string>
#include <vector>

#include "pg/session.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// What the sql steps that have yet to run will have done to the schema when a later step's turn comes, as
/// far as their text tells. Names are compared as they are written; a missing schema matches any. Not
/// thread-safe.
class Outlook {
 public:
  void add(const std::string& step, const std::string& sql);

  /// The step that makes the table; empty: none that is known.
  std::string maker_of(const TableName& table) const;
  /// The step that makes one of the tables; empty: none that is known.
  std::string maker_of_any(const std::vector<TableName>& tables) const;
  /// The step after which the table is gone; empty: none.
  std::string dropper_of(const TableName& table) const;
  /// The step that makes the column, or a table that may have it; empty: none.
  std::string adder_of(const TableName& table, const std::string& column) const;
  /// The first step whose effects its text does not tell (DO, CALL, SELECT f()); empty: none.
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

/// Whether two names may mean one table: the same name, and no two different schemas.
bool may_be_same(const TableName& a, const TableName& b);

/// Whether the server reads both names as one table; may_be_same() where it knows one of them not yet.
bool is_same_table(pg::Session& session, const TableName& a, const TableName& b);

}  // namespace pgsluice::engine
