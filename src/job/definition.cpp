#include "job/sql/table_name.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice {
namespace {

/// One "key = value" line per line of the value, so that a diff shows the line that changed.
void add(std::vector<std::string>& lines, const std::string& key, const std::string& value) {
  std::size_t from = 0;
  for (std::size_t end = value.find('\n'); end != std::string::npos; end = value.find('\n', from)) {
    lines.push_back(key + " = " + value.substr(from, end - from));
    from = end + 1;
  }
  if (from < value.size() || from == 0) lines.push_back(key + " = " + value.substr(from));
}

struct Lines {
  std::vector<std::string> lines;

  // `down` is left out: it has not run yet when it is found to be wrong, and must then be mended.
  void operator()(const SqlStep& step) {
    for (const std::string& statement : step.up) add(lines, "up", statement);
  }
  void operator()(const IndexStep& step) { add(lines, "sql", step.sql); }
  void operator()(const BackfillStep& step) {
    add(lines, "table", job::written(step.table));
    for (const std::string& column : step.key) add(lines, "key", job::written(column));
    for (const Assignment& item : step.set) add(lines, "set." + job::written(item.column), item.expression);
    if (!step.where.empty()) add(lines, "where", step.where);
  }
  void operator()(const VerifyStep& step) {
    add(lines, "query", step.query);
    add(lines, "expect", step.expect);
  }
  void operator()(const RetypeStep& step) {
    for (const TableName& table : step.tables) add(lines, "table", job::written(table));
    if (!step.column.empty()) add(lines, "column", job::written(step.column));
    add(lines, "to", step.to);
    add(lines, "mapping", mapping_name(step.mapping));
    if (!step.v5_namespace.empty()) add(lines, "namespace", step.v5_namespace);
    if (!step.v7_from.empty()) add(lines, "from", job::written(step.v7_from));
    if (!step.using_sql.empty()) add(lines, "using", step.using_sql);
    if (!step.back_sql.empty()) add(lines, "back", step.back_sql);
    if (!step.new_ids.empty()) add(lines, "new_ids", step.new_ids);
  }
};

struct Kind {
  const char* operator()(const SqlStep&) const { return "sql"; }
  const char* operator()(const IndexStep&) const { return "index"; }
  const char* operator()(const BackfillStep&) const { return "backfill"; }
  const char* operator()(const VerifyStep&) const { return "verify"; }
  const char* operator()(const RetypeStep&) const { return "retype"; }
};

}  // namespace

const std::string& step_name(const Step& step) {
  return std::visit([](const auto& any) -> const std::string& { return any.name; }, step);
}

const char* step_kind(const Step& step) {
  return std::visit(Kind{}, step);
}

const char* mapping_name(Mapping mapping) {
  switch (mapping) {
    case Mapping::kEmbed:
      return "embed";
    case Mapping::kV5:
      return "v5";
    case Mapping::kV7:
      return "v7";
    case Mapping::kRandom:
      return "random";
    case Mapping::kUsing:
      break;
  }
  return "using";
}

std::vector<std::string> step_definition(const Step& step) {
  Lines definition;
  add(definition.lines, "kind", step_kind(step));
  add(definition.lines, "name", step_name(step));
  std::visit(definition, step);
  return std::move(definition.lines);
}

}  // namespace pgsluice
