#pragma once

#include <string>
#include <vector>

#include "pgsluice/job.hpp"
#include "table/copy/copying.hpp"

namespace pgsluice::engine {

/// What a copy that follows its source has made there for one of its tables, by the name that the ledger
/// keeps. All in schema pgsluice but the triggers, which are on the copied table.
class FollowNames {
 public:
  /// `place`: of the table among those of the job file, which tells their queues apart.
  FollowNames(const std::string& queue, std::size_t place);

  /// Numbers the changes of all tables, so that the queues together have one order.
  const std::string& numbers_sql() const { return numbers_sql_; }

  const std::string& queue_sql() const { return queue_sql_; }  // quoted and qualified, as are the others
  const std::string& note_sql() const { return note_sql_; }
  const std::string& truncate_sql() const { return truncate_sql_; }
  const std::string& refuse_sql() const { return refuse_sql_; }
  // Triggers, unquoted.
  const std::string& note() const { return note_; }
  const std::string& truncate() const { return truncate_; }
  const std::string& refuse() const { return refuse_; }
  const std::string& refuse_row() const { return refuse_row_; }

 private:
  std::string numbers_sql_, queue_sql_, note_sql_, truncate_sql_, refuse_sql_;
  std::string note_, truncate_, refuse_, refuse_row_;
};

/// A table that a copy follows, as every look at its queue needs it. Immutable once read.
struct Following {
  CopyStep step;    // the copy of this table alone
  Copying copying;  // writes as kUpdate, by the target's form of the source's key
  FollowNames names;
  std::vector<pg::Column> target_key;  // where the source's key goes, column by column
  /// Why rows of the target may not be deleted and inserted anew in one statement; empty: they may.
  std::string unreplaceable;
  std::string owner;  // in words, for messages at the source: `job "x", step "y"`
};

/// The tables of one step, which are followed and switched together: referenced ones before those that refer
/// to them. Never empty.
using FollowedTables = std::vector<Following>;

/// Their sources: `table "public"."a", table "public"."b"`.
std::string sources_in_words(const FollowedTables& tables);

}  // namespace pgsluice::engine
