#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pg/catalog/catalog.hpp"
#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// A constraint of the wanted name that is there already.
struct FoundConstraint {
  std::string type;  // pg_constraint.contype: c, f, u, p, n, x
  bool is_validated = false;
  std::string differs{};  // from what the step asks for, in words; empty: it is the same
};

/// What the catalog shows of a table, or of one leaf partition of it.
struct ConstraintSide {
  std::uint32_t oid = 0;
  std::string table_sql;  // quoted and qualified
  std::string constraint_name;
  std::optional<FoundConstraint> constraint;
  std::vector<bool> is_not_null;  // for each of the step's columns
  bool has_index = false;         // of a key: one of the constraint's name is there, valid, and fits it
};

/// What is there of the constraint that a step asks for. A value.
struct ConstraintFacts {
  int server_version = 0;  // 150004
  pg::Table table;
  std::string references_sql;                   // of a foreign key, quoted and qualified
  std::vector<std::string> referenced_columns;  // the primary key unless the step names others
  bool is_reference_partitioned = false;
  ConstraintSide whole;
  bool has_helper_check =
      false;  // that proves a primary key's columns NOT NULL, left by a run that was killed
  std::vector<ConstraintSide> leaves;  // of a partitioned table, by name
};

/// UNIQUE and PRIMARY KEY: they have an index, and rows break them together. Pure.
bool is_key(const ConstraintStep& step);

/// Reads the catalog. Throws Error(kRefused) for a table or column that is not there, or cannot have the
/// constraint; Failure.
ConstraintFacts read_constraint_facts(pg::Session& session, const ConstraintStep& step);

/// Throws Error(kRefused) if a constraint of that name is there and says something else.
void refuse_other_constraint(const ConstraintStep& step, const ConstraintFacts& facts);

/// The CHECK that proves a primary key's columns NOT NULL, one after the other.
std::string helper_check(const ConstraintStep& step);

/// Of a key: the index that the constraint will use.
std::string key_index_sql(const ConstraintStep& step, const ConstraintSide& side);

/// Behind ALTER TABLE … ADD: `CONSTRAINT "name" CHECK (…)`.
std::string constraint_clause(const ConstraintStep& step, const ConstraintFacts& facts,
                              const std::string& name);

}  // namespace pgsluice::engine
