#include "kinds/constraint/constraint_acts.hpp"

#include <algorithm>

#include "pg/identifier.hpp"

namespace pgsluice::engine {
namespace {

constexpr int kNotNullIsAConstraint = 180'000;   // since then it can be NOT VALID
constexpr int kPartitionedForeignKey = 180'000;  // since then a partitioned table takes one that is NOT VALID

std::string quoted(const std::string& name) {
  return pg::Identifier(name).sql();
}

bool is_valid(const ConstraintSide& side) {
  return side.constraint && side.constraint->is_validated;
}

/// Writes acts for one table after the other; a value that lives for one call.
class Writer {
 public:
  Writer(const ConstraintStep& step, const ConstraintFacts& facts) : step_(step), facts_(facts) {}

  std::vector<Act> take() { return std::move(acts_); }

  void alter(const std::string& what, const ConstraintSide& side, const std::string& change) {
    acts_.push_back({what + " of " + side.table_sql,
                     "act",
                     Act::Kind::kDdl,
                     {"ALTER TABLE " + side.table_sql + " " + change},
                     {}});
  }

  void add(const ConstraintSide& side, bool is_proved_at_once) {
    if (side.constraint) return;
    alter("add " + quoted(side.constraint_name), side,
          "ADD " + constraint_clause(step_, facts_, side.constraint_name) +
              (is_proved_at_once ? "" : " NOT VALID"));
  }

  void validate(const ConstraintSide& side) {
    if (is_valid(side)) return;
    alter("validate " + quoted(side.constraint_name), side,
          "VALIDATE CONSTRAINT " + quoted(side.constraint_name));
  }

  /// NOT VALID for the whole table, then each leaf is proved by itself, and the whole without reading a row
  /// again.
  void add_and_validate() {
    add(facts_.whole, false);
    for (const auto& leaf : facts_.leaves) validate(leaf);
    validate(facts_.whole);
  }

  /// The CHECK that proved it lets SET NOT NULL do without reading the table.
  void not_null() {
    const auto column = quoted(step_.columns.front());
    if (facts_.server_version >= kNotNullIsAConstraint) return add_and_validate();
    if (!facts_.whole.is_not_null.front()) {
      add_and_validate();
      alter("set NOT NULL on " + column, facts_.whole, "ALTER COLUMN " + column + " SET NOT NULL");
    } else if (!facts_.whole.constraint) {
      return;
    }
    alter("drop " + quoted(facts_.whole.constraint_name), facts_.whole,
          "DROP CONSTRAINT " + quoted(facts_.whole.constraint_name));
  }

  void foreign_key() {
    const bool is_by_leaf = !facts_.leaves.empty() && facts_.server_version < kPartitionedForeignKey;
    if (!is_by_leaf) return add_and_validate();
    if (facts_.whole.constraint) return;
    for (const auto& leaf : facts_.leaves) {
      add(leaf, false);
      validate(leaf);
    }
    add(facts_.whole, true);  // takes over what the leaves have proved
  }

  /// SET NOT NULL on a primary key's columns, each by way of a CHECK that proves it.
  void key_columns_not_null() {
    for (std::size_t i = 0; i < step_.columns.size(); ++i) {
      if (facts_.whole.is_not_null[i]) continue;
      const auto column = quoted(step_.columns[i]);
      const auto check = quoted(helper_check(step_));
      const auto& whole = facts_.whole;
      alter("add a check of " + column, whole,
            "DROP CONSTRAINT IF EXISTS " + check + ", ADD CONSTRAINT " + check + " CHECK (" + column +
                " IS NOT NULL) NOT VALID");
      for (const auto& leaf : facts_.leaves)
        alter("prove the check of " + column, leaf, "VALIDATE CONSTRAINT " + check);
      alter("prove the check of " + column, whole, "VALIDATE CONSTRAINT " + check);
      alter("set NOT NULL on " + column, whole, "ALTER COLUMN " + column + " SET NOT NULL");
      alter("drop the check of " + column, whole, "DROP CONSTRAINT " + check);
    }
  }

  /// Left by a run that was killed behind the last SET NOT NULL.
  void drop_helper_check() {
    const bool is_needed = std::find(facts_.whole.is_not_null.begin(), facts_.whole.is_not_null.end(),
                                     false) != facts_.whole.is_not_null.end();
    if (facts_.has_helper_check && !is_needed)
      alter("drop the check of its columns", facts_.whole, "DROP CONSTRAINT " + quoted(helper_check(step_)));
  }

  void key_on(const ConstraintSide& side) {
    if (side.constraint) return;
    const auto name = quoted(side.constraint_name);
    if (!side.has_index)
      acts_.push_back({"build index " + name + " of " + side.table_sql,
                       "act",
                       Act::Kind::kIndex,
                       {key_index_sql(step_, side)},
                       {}});
    const char* what = step_.constraint == Constraint::kUnique ? " UNIQUE" : " PRIMARY KEY";
    alter("add " + name, side, "ADD CONSTRAINT " + name + what + " USING INDEX " + name);
  }

  void key() {
    if (facts_.whole.constraint) return;
    if (step_.constraint == Constraint::kPrimaryKey) {
      key_columns_not_null();
      drop_helper_check();
    }
    if (facts_.leaves.empty() && facts_.table.kind != "p") return key_on(facts_.whole);
    for (const auto& leaf : facts_.leaves) key_on(leaf);
    add(facts_.whole, true);  // takes over the leaves' indexes
  }

 private:
  const ConstraintStep& step_;
  const ConstraintFacts& facts_;
  std::vector<Act> acts_;
};

}  // namespace

std::vector<Act> constraint_acts(const ConstraintStep& step, const ConstraintFacts& facts) {
  Writer writer(step, facts);
  switch (step.constraint) {
    case Constraint::kNotNull:
      writer.not_null();
      break;
    case Constraint::kCheck:
      writer.add_and_validate();
      break;
    case Constraint::kForeignKey:
      writer.foreign_key();
      break;
    case Constraint::kUnique:
    case Constraint::kPrimaryKey:
      writer.key();
      break;
  }
  return writer.take();
}

bool is_proved(const ConstraintStep& step, const ConstraintFacts& facts) {
  if (step.constraint == Constraint::kNotNull && facts.server_version < kNotNullIsAConstraint)
    return facts.whole.is_not_null.front() || is_valid(facts.whole);
  if (is_key(step)) return facts.whole.constraint.has_value();
  return is_valid(facts.whole);
}

}  // namespace pgsluice::engine
