#include "job/sql/statement_kind.hpp"

#include <algorithm>
#include <map>
#include <string_view>

namespace pgsluice::job {
namespace {

/// "OBJECT_FOREIGN_TABLE" → "FOREIGN TABLE".
std::string object_words(const std::string& type) {
  static const std::map<std::string, std::string> kOdd = {
      {"OBJECT_MATVIEW", "MATERIALIZED VIEW"},
      {"OBJECT_TABCONSTRAINT", "TABLE"},
      {"OBJECT_DOMCONSTRAINT", "DOMAIN"},
      {"OBJECT_ATTRIBUTE", "TYPE"},
      {"OBJECT_STATISTIC_EXT", "STATISTICS"},
      {"OBJECT_FDW", "FOREIGN DATA WRAPPER"},
      {"OBJECT_TSCONFIGURATION", "TEXT SEARCH CONFIGURATION"},
      {"OBJECT_TSDICTIONARY", "TEXT SEARCH DICTIONARY"}};
  const auto odd = kOdd.find(type);
  if (odd != kOdd.end()) return odd->second;
  std::string words = type.rfind("OBJECT_", 0) == 0 ? type.substr(7) : type;
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

/// "CreateExtensionStmt" → "CREATE EXTENSION": correct for every node not listed below.
std::string node_words(std::string_view node) {
  if (node.size() > 4 && node.substr(node.size() - 4) == "Stmt") node.remove_suffix(4);
  std::string words;
  for (const char c : node) {
    const bool capital = c >= 'A' && c <= 'Z';
    if (capital && !words.empty()) words += ' ';
    words += capital ? c : static_cast<char>(c - 'a' + 'A');
  }
  return words;
}

std::string transaction_words(const Tree& tree) {
  std::string words = text_of(tree, "kind").substr(std::string_view("TRANS_STMT_").size());
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

std::string rename_words(const Tree& tree) {
  const std::string what = text_of(tree, "renameType");
  const bool part = what == "OBJECT_COLUMN" || what == "OBJECT_ATTRIBUTE";
  return "ALTER " + object_words(part ? text_of(tree, "relationType") : what);
}

std::string create_words(const Tree& tree, const char* object) {
  return (is_set(tree, "replace") ? std::string("CREATE OR REPLACE ") : std::string("CREATE ")) + object;
}

const std::map<std::string, std::string, std::less<>>& plain_kinds() {
  static const std::map<std::string, std::string, std::less<>> kKinds = {
      {"CreateStmt", "CREATE TABLE"},
      {"CreateTrigStmt", "CREATE TRIGGER"},
      {"CreateEventTrigStmt", "CREATE EVENT TRIGGER"},
      {"RuleStmt", "CREATE RULE"},
      {"CreateSeqStmt", "CREATE SEQUENCE"},
      {"AlterSeqStmt", "ALTER SEQUENCE"},
      {"CreateEnumStmt", "CREATE TYPE"},
      {"CompositeTypeStmt", "CREATE TYPE"},
      {"CreateRangeStmt", "CREATE TYPE"},
      {"AlterEnumStmt", "ALTER TYPE"},
      {"AlterTypeStmt", "ALTER TYPE"},
      {"CreateStatsStmt", "CREATE STATISTICS"},
      {"AlterStatsStmt", "ALTER STATISTICS"},
      {"CreatedbStmt", "CREATE DATABASE"},
      {"DropdbStmt", "DROP DATABASE"},
      {"CreateTableSpaceStmt", "CREATE TABLESPACE"},
      {"DropTableSpaceStmt", "DROP TABLESPACE"},
      {"VariableSetStmt", "SET"},
      {"VariableShowStmt", "SHOW"},
      {"RefreshMatViewStmt", "REFRESH MATERIALIZED VIEW"},
      {"AlterDatabaseSetStmt", "ALTER DATABASE"},
      {"AlterRoleSetStmt", "ALTER ROLE"},
      {"AlterDefaultPrivilegesStmt", "ALTER DEFAULT PRIVILEGES"},
      {"SecLabelStmt", "SECURITY LABEL"},
      {"CreatePLangStmt", "CREATE LANGUAGE"},
      {"CreateAmStmt", "CREATE ACCESS METHOD"},
      {"ConstraintsSetStmt", "SET CONSTRAINTS"}};
  return kKinds;
}

bool is_whole_database(const Tree& reindex) {
  const std::string kind = text_of(reindex, "kind");
  return kind == "REINDEX_OBJECT_DATABASE" || kind == "REINDEX_OBJECT_SCHEMA" ||
         kind == "REINDEX_OBJECT_SYSTEM";
}

bool has_option(const Tree& options, std::string_view name) {
  return std::any_of(options.begin(), options.end(), [&](const Tree& option) {
    return text_of(child(option, "DefElem"), "defname") == name;
  });
}

}  // namespace

std::string statement_kind(const ParsedStatement& statement) {
  const std::string& node = statement.node;
  const Tree& tree = statement.tree;
  if (node == "AlterTableStmt") return "ALTER " + object_words(text_of(tree, "objtype"));
  if (node == "AlterObjectSchemaStmt" || node == "AlterOwnerStmt")
    return "ALTER " + object_words(text_of(tree, "objectType"));
  if (node == "RenameStmt") return rename_words(tree);
  if (node == "DropStmt") return "DROP " + object_words(text_of(tree, "removeType"));
  if (node == "IndexStmt") return "CREATE INDEX";
  if (node == "ViewStmt") return create_words(tree, "VIEW");
  if (node == "CreateFunctionStmt")
    return create_words(tree, is_set(tree, "is_procedure") ? "PROCEDURE" : "FUNCTION");
  if (node == "CreateTableAsStmt") return "CREATE " + object_words(text_of(tree, "objtype")) + " AS";
  if (node == "DefineStmt") return "CREATE " + object_words(text_of(tree, "kind"));
  if (node == "GrantStmt" || node == "GrantRoleStmt") return is_set(tree, "is_grant") ? "GRANT" : "REVOKE";
  if (node == "VacuumStmt") return is_set(tree, "is_vacuumcmd") ? "VACUUM" : "ANALYZE";
  if (node == "TransactionStmt") return transaction_words(tree);
  const auto plain = plain_kinds().find(node);
  return plain != plain_kinds().end() ? plain->second : node_words(node);
}

bool is_concurrent(const ParsedStatement& statement) {
  const Tree& tree = statement.tree;
  if (is_set(tree, "concurrent")) return true;
  if (statement.node == "ReindexStmt") return has_option(child(tree, "params"), "concurrently");
  const Tree& commands = child(tree, "cmds");
  return std::any_of(commands.begin(), commands.end(), [](const Tree& command) {
    const Tree& def = child(child(command, "AlterTableCmd"), "def");
    return is_set(child(def, "PartitionCmd"), "concurrent");
  });
}

bool runs_in_transaction(const ParsedStatement& statement) {
  static constexpr std::string_view kNever[] = {
      "CreatedbStmt",           "DropdbStmt",           "CreateTableSpaceStmt",
      "DropTableSpaceStmt",     "AlterSystemStmt",      "TransactionStmt",
      "CreateSubscriptionStmt", "DropSubscriptionStmt", "AlterSubscriptionStmt"};
  const std::string& node = statement.node;
  const Tree& tree = statement.tree;
  if (std::find(std::begin(kNever), std::end(kNever), node) != std::end(kNever)) return false;
  if (node == "VacuumStmt") return !is_set(tree, "is_vacuumcmd");
  if (node == "ClusterStmt") return !child(tree, "relation").is_null();
  if (node == "DiscardStmt") return text_of(tree, "target") != "DISCARD_ALL";
  if (node == "AlterDatabaseStmt") return !has_option(child(tree, "options"), "tablespace");
  if (node == "ReindexStmt") return !is_whole_database(tree) && !is_concurrent(statement);
  // Only REFRESH MATERIALIZED VIEW may run CONCURRENTLY in a transaction.
  return node == "RefreshMatViewStmt" || !is_concurrent(statement);
}

}  // namespace pgsluice::job
