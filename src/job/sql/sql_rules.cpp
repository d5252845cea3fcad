#include "job/sql/sql_rules.hpp"

#include <optional>
#include <utility>

#include "job/sql/parse_tree.hpp"
#include "job/sql/statement_kind.hpp"

namespace pgsluice::job {
namespace {

std::string concurrent_hint(const ParsedStatement& statement) {
  if (statement.node == "IndexStmt") return "build it in a separate step with kind = \"index\"";
  if (statement.node == "DropStmt") {
    return "drop it without CONCURRENTLY: the lock is taken with a short timeout and released at once; an "
           "index step (kind = \"index\") undoes itself";
  }
  return "it needs its own session: run it outside the job, or build a new index with kind = \"index\"";
}

std::optional<Refusal> check_in_transaction(const ParsedStatement& statement) {
  const std::string kind = statement_kind(statement);
  if (statement.node == "TransactionStmt") {
    return Refusal{"contains " + kind, "leave it out: the step's statements share one transaction"};
  }
  if (!runs_in_transaction(statement)) {
    if (is_concurrent(statement)) {
      return Refusal{"contains " + kind + " CONCURRENTLY, which cannot run in a transaction",
                     concurrent_hint(statement)};
    }
    return Refusal{"contains " + kind + ", which cannot run in a transaction", "run it outside the job"};
  }
  if (statement.node == "VariableSetStmt" && !is_set(statement.tree, "is_local")) {
    return Refusal{"contains SET for the whole session",
                   "write SET LOCAL: it ends with the step's transaction"};
  }
  const bool copies_client = statement.node == "CopyStmt" && text_of(statement.tree, "filename").empty();
  if (copies_client)
    return Refusal{"contains COPY from or to the client", "write INSERT … VALUES or INSERT … SELECT"};
  return std::nullopt;
}

/// The only statement of a text.
Checked<ParsedStatement> parse_one(std::string_view text, const char* wanted) {
  auto parsed = parse_statements(text);
  if (auto* refusal = std::get_if<Refusal>(&parsed)) return std::move(*refusal);
  auto& statements = std::get<0>(parsed);
  if (statements.size() == 1) return std::move(statements.front());
  const std::string count =
      statements.empty() ? "no statement" : std::to_string(statements.size()) + " statements";
  return Refusal{"must be one statement, but contains " + count, wanted};
}

std::optional<Refusal> check_reads_only(const Tree& select) {
  std::optional<Refusal> found;
  if (!child(select, "intoClause").is_null())
    return Refusal{"creates a table (SELECT INTO)", "a verify step only reads"};
  if (!child(select, "lockingClause").is_null())
    return Refusal{"locks rows", "leave out FOR UPDATE or FOR SHARE"};
  visit_nodes(select, [&](std::string_view name, const Tree&, bool) {
    if (found) return;
    if (name == "ParamRef")
      found = Refusal{"contains a parameter", "the query gets no parameters: write the value itself"};
    for (const std::string_view writes : {"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"}) {
      if (name == writes) found = Refusal{"contains a statement that writes", "a verify step only reads"};
    }
  });
  return found;
}

}  // namespace

Checked<std::vector<std::string>> check_sql(std::string_view text) {
  auto parsed = parse_statements(text);
  if (auto* refusal = std::get_if<Refusal>(&parsed)) return std::move(*refusal);
  std::vector<std::string> texts;
  for (const ParsedStatement& statement : std::get<0>(parsed)) {
    if (auto refusal = check_in_transaction(statement)) return std::move(*refusal);
    texts.push_back(statement.text);
  }
  if (texts.empty()) return Refusal{"contains no statement", "write one or more SQL statements"};
  return texts;
}

Checked<std::string> check_index(std::string_view text) {
  constexpr const char* kWanted = "write CREATE INDEX CONCURRENTLY name ON table (column)";
  auto parsed = parse_one(text, kWanted);
  if (auto* refusal = std::get_if<Refusal>(&parsed)) return std::move(*refusal);
  auto& statement = std::get<ParsedStatement>(parsed);
  if (statement.node != "IndexStmt") {
    return Refusal{"is " + statement_kind(statement) + ", not CREATE INDEX CONCURRENTLY",
                   "other statements belong in a step with kind = \"sql\""};
  }
  if (!is_concurrent(statement)) {
    return Refusal{"lacks CONCURRENTLY",
                   "without it the table cannot be written to while the index is built"};
  }
  if (text_of(statement.tree, "idxname").empty()) {
    return Refusal{"does not name the index",
                   std::string("an interrupted build is found again by its name: ") + kWanted};
  }
  return std::move(statement.text);
}

Checked<std::string> check_query(std::string_view text) {
  constexpr const char* kWanted =
      "write one SELECT that returns one value, such as SELECT count(*) FROM t WHERE …";
  auto parsed = parse_one(text, kWanted);
  if (auto* refusal = std::get_if<Refusal>(&parsed)) return std::move(*refusal);
  auto& statement = std::get<ParsedStatement>(parsed);
  if (statement.node != "SelectStmt")
    return Refusal{"is " + statement_kind(statement) + ", not SELECT", kWanted};
  if (auto refusal = check_reads_only(statement.tree)) return std::move(*refusal);
  if (child(statement.tree, "targetList").size() > 1) return Refusal{"returns more than one column", kWanted};
  return std::move(statement.text);
}

}  // namespace pgsluice::job
