#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "pg/catalog/catalog.hpp"
#include "pg/connection/connection_target.hpp"
#include "pgsluice/job.hpp"
#include "table/images/images.hpp"

namespace pgsluice::engine {

/// A column of the target, and where its values come from.
struct CopiedColumn {
  std::string name;        // at the target
  std::string expression;  // SQL over the source's columns, safe in parentheses
  bool is_plain = false;   // the expression is a column's quoted name
  /// The type that its text becomes at the target, where that may write it in another way; empty: it does
  /// not, or the source may not know the type.
  std::string becomes{};
};

/// A sequence that fills a column of the target when nobody else does.
struct CopiedSequence {
  std::string sequence_sql;  // quoted and qualified
  std::size_t column = 0;    // which of the copied columns
};

/// A foreign key of the target.
struct CopiedReference {
  std::vector<std::string> columns;
  std::string table_sql;          // that they refer to, as Table::sql()
  std::vector<std::string> keys;  // its columns, beside `columns`
};

/// A copy as every batch of it needs it. Immutable once read, so lanes share it.
struct Copying {
  std::optional<pg::ConnectionTarget> source;  // nullopt: the target's own database
  pg::Table from;
  pg::Table to;
  std::vector<pg::Column> key;  // of `from`
  std::vector<CopiedColumn> columns;
  std::vector<CopiedSequence> sequences;
  std::string where;  // over the source's columns; empty: every row
  OnConflict on_conflict = OnConflict::kError;
  /// The source's key at the target, if both sides order it alike: then a slice of it can be asked for. Else
  /// empty.
  std::vector<pg::Column> target_key;
  std::vector<std::string> conflict_key;  // of the target, for kUpdate: which row a copied one replaces
  /// Of a copy that follows its source: where keys go whose rows must be looked at again; empty: nowhere.
  std::string queue_sql{};
  std::vector<CopiedReference> references{};  // and what its rows must find at the target
  bool is_source_without_encoding = false;    // SQL_ASCII: its bytes are taken as they are
  bool is_target_without_encoding = false;
  std::optional<Images> kept{};  // where the step notes which rows it inserts

  /// `table "public"."t" of database "app" on db1:5432 as alice`: without secrets.
  std::string source_in_words() const {
    return "table " + from.sql() + (source ? " of " + source->display() : "");
  }
};

}  // namespace pgsluice::engine
