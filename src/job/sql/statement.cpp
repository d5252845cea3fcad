#include "job/sql/statement.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "job/sql/lock_table.hpp"
#include "job/sql/statement_kind.hpp"

namespace pgsluice::job {
namespace {

void lock_other(StatementFacts& facts, const TableName& table, LockMode mode) {
  if (table.name.empty() || table == facts.table) return;
  const TableLock lock{table, lock_name(mode)};
  auto& locks = facts.other_locks;
  if (std::find(locks.begin(), locks.end(), lock) == locks.end()) locks.push_back(lock);
}

/// The first table is the statement's main one, the rest are others.
void lock_tables(StatementFacts& facts, const std::vector<TableName>& tables, LockMode mode) {
  if (tables.empty()) return;
  facts.table = tables.front();
  facts.lock = lock_name(mode);
  for (const TableName& table : tables) lock_other(facts, table, mode);
}

std::vector<TableName> range_vars(const Tree& list) {
  std::vector<TableName> tables;
  for (const Tree& item : list) tables.push_back(table_of(child(item, "RangeVar")));
  return tables;
}

/// A dotted name as a list of String nodes, without its last `dropped` parts.
TableName dotted_name(const Tree& list, std::size_t dropped) {
  std::vector<std::string> parts;
  for (const Tree& part : child(child(list, "List"), "items")) parts.push_back(string_node(part));
  if (parts.size() <= dropped) return {};
  parts.resize(parts.size() - dropped);
  return {parts.size() > 1 ? parts[parts.size() - 2] : std::string(), parts.back()};
}

/// A constraint with REFERENCES locks the referenced table.
void lock_referenced(StatementFacts& facts, const Tree& constraint) {
  const Tree& target = child(child(constraint, "Constraint"), "pktable");
  if (!target.is_null()) lock_other(facts, table_of(target), LockMode::kShareRowExclusive);
}

void lock_all_referenced(StatementFacts& facts, const Tree& column) {
  for (const Tree& constraint : child(column, "constraints")) lock_referenced(facts, constraint);
}

LockMode alter_command(StatementFacts& facts, const Tree& command) {
  const std::string subtype = text_of(command, "subtype");
  const Tree& def = child(command, "def");
  const Tree& column = child(def, "ColumnDef");
  if (subtype == "AT_AddColumn") {
    facts.columns_added.push_back(text_of(column, "colname"));
    lock_all_referenced(facts, column);
  }
  if (subtype == "AT_DropColumn") facts.columns_dropped.push_back(text_of(command, "name"));
  if (subtype == "AT_DropConstraint") facts.constraints_dropped.push_back(text_of(command, "name"));
  if (subtype == "AT_AddConstraint") lock_referenced(facts, def);
  if (subtype == "AT_AddInherit") {
    lock_other(facts, table_of(child(def, "RangeVar")), LockMode::kShareUpdateExclusive);
  }
  const Tree& partition = child(child(def, "PartitionCmd"), "name");
  if (!partition.is_null()) lock_other(facts, table_of(partition), LockMode::kAccessExclusive);
  return alter_table_lock(command);
}

void alter_table(const Tree& tree, StatementFacts& facts) {
  facts.table = table_of(child(tree, "relation"));
  LockMode strongest = LockMode::kNone;
  for (const Tree& item : child(tree, "cmds")) {
    strongest = std::max(strongest, alter_command(facts, child(item, "AlterTableCmd")));
  }
  facts.lock = lock_name(strongest);
}

void create_index(const Tree& tree, StatementFacts& facts) {
  facts.index_name = text_of(tree, "idxname");
  facts.unique = is_set(tree, "unique");
  const bool concurrent = is_set(tree, "concurrent");
  lock_tables(facts, {table_of(child(tree, "relation"))},
              concurrent ? LockMode::kShareUpdateExclusive : LockMode::kShare);
}

void create_table(const Tree& tree, StatementFacts& facts) {
  for (const TableName& parent : range_vars(child(tree, "inhRelations"))) {
    // A partition is attached when it is created; an ordinary child only reads its parents.
    const bool partition = !child(tree, "partbound").is_null();
    lock_other(facts, parent, partition ? LockMode::kAccessExclusive : LockMode::kShareUpdateExclusive);
  }
  for (const Tree& element : child(tree, "tableElts")) {
    lock_all_referenced(facts, child(element, "ColumnDef"));
    lock_referenced(facts, element);
    const Tree& like = child(child(element, "TableLikeClause"), "relation");
    if (!like.is_null()) lock_other(facts, table_of(like), LockMode::kAccessShare);
  }
}

void create_trigger(const Tree& tree, StatementFacts& facts) {
  lock_tables(facts, {table_of(child(tree, "relation"))}, LockMode::kShareRowExclusive);
  const Tree& referenced = child(tree, "constrrel");
  if (!referenced.is_null()) lock_other(facts, table_of(referenced), LockMode::kAccessShare);
}

void create_view(const Tree& tree, StatementFacts& facts) {
  if (!is_set(tree, "replace")) return;
  lock_tables(facts, {table_of(child(tree, "view"))}, LockMode::kAccessExclusive);
}

void drop(const Tree& tree, StatementFacts& facts) {
  const std::string what = text_of(tree, "removeType");
  const Tree& objects = child(tree, "objects");
  if (what == "OBJECT_INDEX" && !objects.empty()) {
    const TableName index = dotted_name(objects.front(), 0);
    facts.index_name = index.name;
    facts.index_schema = index.schema;
    facts.lock =
        lock_name(is_set(tree, "concurrent") ? LockMode::kShareUpdateExclusive : LockMode::kAccessExclusive);
    return;
  }
  const bool part = what == "OBJECT_TRIGGER" || what == "OBJECT_POLICY" || what == "OBJECT_RULE";
  const bool relation = what == "OBJECT_TABLE" || what == "OBJECT_VIEW" || what == "OBJECT_MATVIEW" ||
                        what == "OBJECT_SEQUENCE" || what == "OBJECT_FOREIGN_TABLE";
  if (!part && !relation) return;
  std::vector<TableName> tables;
  for (const Tree& object : objects) tables.push_back(dotted_name(object, part ? 1 : 0));
  lock_tables(facts, tables, LockMode::kAccessExclusive);
  facts.is_table_dropped = what == "OBJECT_TABLE";
}

void rename(const Tree& tree, StatementFacts& facts) {
  const Tree& relation = child(tree, "relation");
  if (relation.is_null()) return;
  const bool index = text_of(tree, "renameType") == "OBJECT_INDEX";
  lock_tables(facts, {table_of(relation)},
              index ? LockMode::kShareUpdateExclusive : LockMode::kAccessExclusive);
}

void comment(const Tree& tree, StatementFacts& facts) {
  const std::string what = text_of(tree, "objtype");
  const bool part = what == "OBJECT_COLUMN" || what == "OBJECT_TRIGGER" || what == "OBJECT_TABCONSTRAINT" ||
                    what == "OBJECT_POLICY" || what == "OBJECT_RULE";
  const bool relation = what == "OBJECT_TABLE" || what == "OBJECT_VIEW" || what == "OBJECT_MATVIEW" ||
                        what == "OBJECT_INDEX" || what == "OBJECT_SEQUENCE";
  if (!part && !relation) return;
  // A COMMENT on something that belongs to a table reads the table; on a relation or a column it locks it.
  const bool locks = relation || what == "OBJECT_COLUMN";
  lock_tables(facts, {dotted_name(child(tree, "object"), part ? 1 : 0)},
              locks ? LockMode::kShareUpdateExclusive : LockMode::kAccessShare);
}

void select(const Tree& tree, StatementFacts& facts) {
  const bool for_update = !child(tree, "lockingClause").is_null();
  const LockMode mode = for_update ? LockMode::kRowShare : LockMode::kAccessShare;
  for (const TableName& table : range_vars(child(tree, "fromClause"))) {
    if (table.name.empty()) continue;
    if (!facts.table) lock_tables(facts, {table}, mode);
    lock_other(facts, table, mode);
  }
}

void vacuum(const Tree& tree, StatementFacts& facts) {
  std::vector<TableName> tables;
  for (const Tree& item : child(tree, "rels")) {
    tables.push_back(table_of(child(child(item, "VacuumRelation"), "relation")));
  }
  lock_tables(facts, tables, LockMode::kShareUpdateExclusive);
}

void reindex(const Tree& tree, StatementFacts& facts) {
  const Tree& relation = child(tree, "relation");
  if (relation.is_null()) return;
  const bool index = text_of(tree, "kind") == "REINDEX_OBJECT_INDEX";
  if (index) facts.index_name = table_of(relation).name;
  lock_tables(facts, {table_of(relation)}, index ? LockMode::kAccessExclusive : LockMode::kShare);
}

void refresh(const Tree& tree, StatementFacts& facts) {
  const bool concurrent = is_set(tree, "concurrent");
  lock_tables(facts, {table_of(child(tree, "relation"))},
              concurrent ? LockMode::kExclusive : LockMode::kAccessExclusive);
}

/// Statements with one table in one field and always the same lock.
struct PlainLock {
  const char* field;
  LockMode mode;
};

const std::map<std::string, PlainLock, std::less<>>& plain_locks() {
  static const std::map<std::string, PlainLock, std::less<>> kLocks = {
      {"InsertStmt", {"relation", LockMode::kRowExclusive}},
      {"UpdateStmt", {"relation", LockMode::kRowExclusive}},
      {"DeleteStmt", {"relation", LockMode::kRowExclusive}},
      {"MergeStmt", {"relation", LockMode::kRowExclusive}},
      {"CopyStmt", {"relation", LockMode::kRowExclusive}},
      {"CreatePolicyStmt", {"table", LockMode::kAccessExclusive}},
      {"AlterPolicyStmt", {"table", LockMode::kAccessExclusive}},
      {"RuleStmt", {"relation", LockMode::kAccessExclusive}},
      {"ClusterStmt", {"relation", LockMode::kAccessExclusive}},
      {"AlterObjectSchemaStmt", {"relation", LockMode::kAccessExclusive}},
      {"AlterSeqStmt", {"sequence", LockMode::kShareRowExclusive}}};
  return kLocks;
}

/// Statements about a list of tables, all locked alike.
void lock_listed(const ParsedStatement& statement, StatementFacts& facts) {
  const Tree& tree = statement.tree;
  const std::vector<TableName> tables = range_vars(child(tree, "relations"));
  if (statement.node == "TruncateStmt") lock_tables(facts, tables, LockMode::kAccessExclusive);
  if (statement.node == "CreateStatsStmt") lock_tables(facts, tables, LockMode::kShareUpdateExclusive);
  if (statement.node == "LockStmt") lock_tables(facts, tables, static_cast<LockMode>(tree.value("mode", 0)));
}

using Describe = void (*)(const Tree&, StatementFacts&);

const std::map<std::string, Describe, std::less<>>& describers() {
  static const std::map<std::string, Describe, std::less<>> kDescribers = {
      {"AlterTableStmt", alter_table}, {"IndexStmt", create_index},
      {"CreateStmt", create_table},    {"CreateTrigStmt", create_trigger},
      {"ViewStmt", create_view},       {"DropStmt", drop},
      {"RenameStmt", rename},          {"CommentStmt", comment},
      {"SelectStmt", select},          {"VacuumStmt", vacuum},
      {"ReindexStmt", reindex},        {"RefreshMatViewStmt", refresh}};
  return kDescribers;
}

void describe(const ParsedStatement& statement, StatementFacts& facts) {
  const auto describer = describers().find(statement.node);
  if (describer != describers().end()) return describer->second(statement.tree, facts);
  const auto plain = plain_locks().find(statement.node);
  if (plain == plain_locks().end()) return lock_listed(statement, facts);
  const Tree& relation = child(statement.tree, plain->second.field);
  if (relation.is_null()) return;
  lock_tables(facts, {table_of(relation)}, plain->second.mode);
}

}  // namespace

Checked<StatementFacts> analyse_statement(std::string_view sql) {
  auto parsed = parse_statements(sql);
  if (auto* refusal = std::get_if<Refusal>(&parsed)) return std::move(*refusal);
  const auto& statements = std::get<0>(parsed);
  if (statements.size() != 1) {
    return Refusal{"must be one statement, but contains " + std::to_string(statements.size()),
                   "write one statement"};
  }
  StatementFacts facts;
  facts.kind = statement_kind(statements.front());
  facts.transactional = runs_in_transaction(statements.front());
  facts.concurrent = is_concurrent(statements.front());
  describe(statements.front(), facts);
  return facts;
}

}  // namespace pgsluice::job
