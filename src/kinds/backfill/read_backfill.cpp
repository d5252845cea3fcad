#include "kinds/backfill/read_backfill.hpp"

#include <utility>

#include "job/read/scalar_text.hpp"
#include "job/read/sql_names.hpp"
#include "job/read/suggestion.hpp"
#include "job/sql/table_name.hpp"
#include "kinds/backfill/backfill_rules.hpp"
#include "kinds/kind/read_keep.hpp"

namespace pgsluice::engine {

using namespace job;

namespace {

void read_key(Section& section, BackfillStep& step) {
  const auto columns = section.texts("key", true);
  if (!columns) return;
  if (columns->empty()) section.refuse("key", {"names no column", "leave key out to use the primary key"});
  for (const auto& column : *columns) {
    if (const auto refusal = add_key_column(step, column.value))
      section.refuse_at(column.where, "key", *refusal);
  }
}

void read_assignment(Section& set, BackfillStep& step, const Section::Entry& entry) {
  const Position where = position_of(*entry.node);
  const auto expression = sql_text(*entry.node);
  if (!expression) {
    return set.refuse_type(*entry.node, entry.key, "an SQL expression in a string, a number or a boolean",
                           entry.node->is_table()
                               ? "write the column without a schema or table in front of it"
                               : "write the expression as a string: \"DATE '2024-01-01'\"");
  }
  const auto refusal = add_assignment(step, entry.key, *expression);
  if (!refusal) return;
  const bool bad_column = std::holds_alternative<Refusal>(parse_column_name(entry.key));
  set.refuse_at(bad_column ? entry.key_at : where, entry.key, *refusal);
}

void read_set(Section& section, BackfillStep& step) {
  constexpr const char* kHint = "write set = { column = \"SQL expression\" }";
  section.require("set", kHint);
  const toml::node* node = section.node("set");
  if (node == nullptr) return;
  const auto* table = node->as_table();
  if (table == nullptr) return section.refuse_type(*node, "set", "a table", kHint);
  if (table->empty()) return section.refuse("set", {"sets no column", kHint});
  Section set(*table, position_of(*node), section.label() + ": set", section.label() + ": set.",
              section.diagnostics());
  for (const Section::Entry& entry : set.entries()) read_assignment(set, step, entry);
}

void read_walk(Section& section, BackfillStep& step) {
  const auto conflicts = section.flag("allow_replica_conflicts");
  step.is_replica_conflict_allowed = conflicts.value_or(false);
  const auto text = section.text("walk");
  if (!text) return;
  std::vector<std::string> names;
  for (const Walk walk : {Walk::kAuto, Walk::kKeyset, Walk::kBlocks, Walk::kInterleaved}) {
    names.emplace_back(walk_name(walk));
    if (*text != names.back()) continue;
    step.walk = walk;
    return;
  }
  section.refuse("walk", {"\"" + *text + "\" is not known", suggestion(*text, names, "walks")});
}

}  // namespace

BackfillStep read_backfill(job::Section& section, std::string name) {
  BackfillStep step;
  step.name = std::move(name);
  section.require("table", "write table = \"public.users\"");
  if (auto table = read_table(section, "table")) step.table = std::move(*table);
  read_key(section, step);
  read_set(section, step);
  if (const auto where = section.text("where")) {
    if (const auto refusal = set_where(step, *where)) section.refuse("where", *refusal);
  }
  read_walk(section, step);
  if (const auto keeping = read_keep(section)) {
    step.keep = keeping->is_kept;
    step.keep_for = keeping->time;
  }
  if (const std::string column = changed_key_column(step); !column.empty()) {
    section.refuse("set", {"changes the key column " + written(column),
                           "walk along another unique key that does not change: key = [\"…\"]"});
  }
  return step;
}

}  // namespace pgsluice::engine
