#include "kinds/sql/existing/existing_objects.hpp"

#include <algorithm>
#include <optional>

#include "job/made/made_objects.hpp"
#include "kinds/index_build/asked_index.hpp"
#include "kinds/sql/existing/probe.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::engine {
namespace {

using job::MadeObjects;
using Pairs = std::vector<ObjectPair>;
using Texts = std::vector<std::string>;

constexpr const char* kSavepoint = "SAVEPOINT pgsluice_probe";
constexpr const char* kBackToSavepoint =
    "ROLLBACK TO SAVEPOINT pgsluice_probe; RELEASE SAVEPOINT pgsluice_probe";

std::string in_words(const FoundTable& table) {
  return " of table " + table.sql;
}

/// A table, and those that its foreign keys point at, as found before their probes hide them.
struct Tables {
  FoundTable table;
  std::vector<FoundTable> parents;
};

std::optional<Tables> find_tables(pg::Session& session, const TableName& name, const MadeObjects& made) {
  const auto table = find_table(session, name);
  if (!table) return std::nullopt;
  Tables found{*table, {}};
  for (const auto& reference : made.references) {
    const auto parent = find_table(session, reference);
    if (!parent) return std::nullopt;
    found.parents.push_back(*parent);
  }
  return found;
}

void make_probes_of(pg::Session& session, const std::vector<FoundTable>& parents) {
  for (const auto& parent : parents)
    session.exec("CREATE TEMPORARY TABLE " + probe_of(parent.name) + " (LIKE " + parent.sql +
                 " INCLUDING INDEXES)");
}

/// What the probe has, beside what is there.
Pairs read_pairs(pg::Session& session, const Tables& found, const MadeObjects& made) {
  Pairs pairs;
  const bool is_table = made.shape == MadeObjects::Shape::kTable;
  if (is_table || !made.columns.empty()) pairs = read_columns(session, found.table, made.columns);
  if (is_table) pairs.insert(pairs.begin(), read_table_kind(session, found.table));
  for (auto& pair : read_constraints(session, found.table, found.parents)) pairs.push_back(std::move(pair));
  return pairs;
}

/// Only what the first reading has too: later statements may make more, which is not asked for yet.
Pairs those_of(const Pairs& first, Pairs second) {
  std::erase_if(second, [&](const ObjectPair& pair) {
    return std::none_of(first.begin(), first.end(),
                        [&](const ObjectPair& one) { return one.what == pair.what; });
  });
  return second;
}

Recognition compare(pg::Session& session, const Tables& found, const MadeObjects& made, const Texts& later) {
  const auto of = made.shape == MadeObjects::Shape::kTable ? "" : in_words(found.table);
  const auto pairs = read_pairs(session, found, made);
  const auto recognition = judge_objects(of, pairs);
  if (recognition.existing != Existing::kOther) return recognition;
  bool has_gone_on = false;
  for (const auto& sql : later) {
    const auto on_probe = job::alter_on_probe(sql, made.name);
    if (on_probe.empty()) continue;
    session.exec(on_probe);
    has_gone_on = true;
  }
  if (!has_gone_on) return recognition;
  const auto later_on = judge_objects(of, those_of(pairs, read_pairs(session, found, made)));
  return later_on.existing == Existing::kAll ? later_on : recognition;
}

Recognition recognise_parts(pg::Session& session, const MadeObjects& made, const Texts& later) {
  const auto found = find_tables(session, made.name, made);
  if (!found || !has_any_part(session, found->table, made)) return {};
  const auto probe = probe_of(found->table.name);
  session.exec("CREATE TEMPORARY TABLE " + probe + " (LIKE " + found->table.sql + ")");
  for (const auto& column : made.columns)
    session.exec("ALTER TABLE " + probe + " DROP COLUMN IF EXISTS " + pg::Identifier(column).sql());
  make_probes_of(session, found->parents);
  session.exec(made.on_probe);
  return compare(session, *found, made, later);
}

Recognition recognise_table(pg::Session& session, const MadeObjects& made, const Texts& later) {
  auto name = made.name;
  if (name.schema.empty()) name.schema = current_schema(session);
  const auto found = find_tables(session, name, made);
  if (!found) return {};
  make_probes_of(session, found->parents);
  session.exec(made.on_probe);
  return compare(session, *found, made, later);
}

Recognition recognise_index(pg::Session& session, const std::string& sql) {
  const auto asked = asked_index(sql);
  if (!asked) return {};
  const auto index_sql = index_sql_of(session, *asked);
  const auto what = "index " + index_sql;
  switch (steps::index_state(session, index_sql, asked->table_sql)) {
    case steps::IndexState::kMissing:
      return {};
    case steps::IndexState::kForeign:
      return {Existing::kOther, what + " belongs to another table, or is no index"};
    case steps::IndexState::kInvalid:
    case steps::IndexState::kBuilding:
      return {Existing::kOther, what + " is there, but not valid"};
    case steps::IndexState::kValid:
      break;
  }
  const auto other = steps::other_definition_within(session, index_sql, asked->table_sql, asked->wanted);
  if (other.empty()) return {Existing::kAll, what};
  return {Existing::kOther, what + " is another one: " + other};
}

Recognition recognise_function(pg::Session& session, const MadeObjects& made) {
  auto name = made.name;
  if (name.schema.empty()) name.schema = current_schema(session);
  if (!has_function(session, name)) return {};
  session.exec(made.on_probe);
  return judge_objects("", {read_function(session, name)});
}

Recognition recognise_made(pg::Session& session, const std::string& sql, const MadeObjects& made,
                           const Texts& later) {
  switch (made.shape) {
    case MadeObjects::Shape::kParts:
      return recognise_parts(session, made, later);
    case MadeObjects::Shape::kTable:
      return recognise_table(session, made, later);
    case MadeObjects::Shape::kIndex:
      return recognise_index(session, sql);
    case MadeObjects::Shape::kFunction:
      return recognise_function(session, made);
  }
  return {};
}

}  // namespace

Recognition recognise(pg::Session& session, const std::string& sql, const Texts& later) {
  const auto made = job::made_objects(sql);
  if (!made) return {};
  session.exec(kSavepoint);
  Recognition recognition;
  try {
    recognition = recognise_made(session, sql, *made, later);
  } catch (const pg::Failure& f) {
    if (f.is_connection_lost() || f.disposition() == pg::Disposition::kRetryable) throw;
    // It cannot be compared; then the statement's own error is told.
  }
  session.exec(kBackToSavepoint);
  return recognition;
}

Recognition recognise_alone(pg::Session& session, const std::string& sql, const Texts& later) {
  session.exec(pg::begin_sql({}));
  Recognition recognition;
  try {
    recognition = recognise(session, sql, later);
  } catch (...) {
    pg::rollback(session);
    throw;
  }
  pg::rollback(session);
  return recognition;
}

}  // namespace pgsluice::engine
