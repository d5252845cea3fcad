#pragma once

#include <map>
#include <string>
#include <vector>

#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

/// A copy of a graph's tables in scratch schemas: the same columns, types, CHECKs, sequences, keys, indexes,
/// foreign keys within the graph, views, policies and triggers, under the same names, with some of the real
/// rows. Triggers exist but never fire, as they could write to real tables.
class Likeness {
 public:
  /// REQUIRES: a transaction that the caller rolls back, and CREATE on the database. Takes ACCESS SHARE locks
  /// on the real tables. `retype` outlives it. Throws Failure.
  Likeness(pg::Session& session, const Retype& retype);

  /// The step over the likeness.
  const RetypeStep& step() const { return step_; }
  /// How it differs from the original: objects that could not be created, tables without a row.
  const std::vector<std::string>& remarks() const { return remarks_; }
  /// `sql` with the original names, for messages.
  std::string original(std::string sql) const;

 private:
  const std::string& scratch_of(const std::string& schema);
  void name_relations();
  void name_relation(const std::string& schema, const std::string& name);
  void make_tables();
  void make_sequences(const GraphTable& table);
  void take_rows();
  void make_keys();
  void make_bound_objects();
  std::string likened(std::string sql) const;

  pg::Session& session_;
  const Retype& retype_;
  Retype like_;  // the same graph with the scratch schemas' names
  RetypeStep step_;
  std::map<std::string, std::string> schemas_;  // real to scratch
  std::map<std::string, std::string> names_;    // of relations as written in statements: real to scratch
  std::vector<std::string> remarks_;
};

}  // namespace pgsluice::steps::retype
