#pragma once

#include <string>
#include <vector>

#include "table/copy/copying.hpp"

namespace pgsluice::engine {

/// What a copy that follows its source has made there, by the name that the ledger keeps. All in schema
/// pgsluice but the triggers, which are on the copied table.
class FollowNames {
 public:
  explicit FollowNames(const std::string& queue);

  const std::string& queue_sql() const { return queue_sql_; }  // quoted and qualified, as are the next three
  const std::string& note_sql() const { return note_sql_; }
  const std::string& truncate_sql() const { return truncate_sql_; }
  const std::string& refuse_sql() const { return refuse_sql_; }
  // Triggers, unquoted.
  const std::string& note() const { return note_; }
  const std::string& truncate() const { return truncate_; }
  const std::string& refuse() const { return refuse_; }
  const std::string& refuse_row() const { return refuse_row_; }

 private:
  std::string queue_sql_, note_sql_, truncate_sql_, refuse_sql_;
  std::string note_, truncate_, refuse_, refuse_row_;
};

/// A copy that follows its source, as every look at its queue needs it. Immutable once read.
struct Following {
  Copying copying;  // writes as kUpdate, by the target's form of the source's key
  FollowNames names;
  std::vector<pg::Column> target_key;  // where the source's key goes, column by column
  /// Why rows of the target may not be deleted and inserted anew in one statement; empty: they may.
  std::string unreplaceable;
  std::string owner;  // in words, for messages at the source: `job "x", step "y"`
};

}  // namespace pgsluice::engine
