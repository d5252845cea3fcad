#include "cli/results/history_text.hpp"

#include <array>

#include "cli/results/json_text.hpp"
#include "cli/results/plain_text.hpp"
#include "cli/results/table.hpp"

namespace pgsluice::cli {
namespace {

using base::Json;

/// The entry's fields; an object even if somebody wrote something else into the ledger.
Json fields_of(const LogEntry& entry) {
  Json fields = Json::parse(entry.fields, nullptr, false);
  return fields.is_object() ? fields : Json{{"fields", entry.fields}};
}

std::string value_text(const Json& value) {
  if (!value.is_string()) return json_line(value);
  const auto& text = value.get_ref<const std::string&>();
  return text.find_first_of(" \"=\n\t") == std::string::npos ? text : json_line(value);
}

/// Adds nothing for an empty value.
void add_field(std::string& line, const std::string& key, const Json& value) {
  if (value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty())) return;
  line += " " + key + "=" + value_text(value);
}

// What an entry is about, before its details: the ledger keeps fields in no meaningful order.
constexpr std::array kFirstFields = {"step",  "kind",    "verb",      "arguments", "field",
                                     "from",  "to",      "state",     "signal",    "value",
                                     "limit", "outcome", "exit_code", "reason"};

}  // namespace

std::string entry_line(const LogEntry& entry) {
  std::string line =
      entry.at + " " + (entry.run_id.empty() ? "operator" : entry.run_id.substr(0, 8)) + " " + entry.type;
  Json fields = fields_of(entry);
  for (const char* key : kFirstFields) {
    add_field(line, key, fields.value(key, Json()));
    fields.erase(key);
  }
  for (const auto& [key, value] : fields.items()) add_field(line, key, value);
  return plain_line(line);
}

Json entry_json(const std::string& job, const LogEntry& entry) {
  Json line{{"schema", 1}, {"ts", entry.at}, {"type", entry.type}, {"job", job}, {"run_id", entry.run_id}};
  line.update(fields_of(entry));
  return line;
}

std::vector<std::string> failure_lines(const std::vector<QuarantinedRow>& rows) {
  if (rows.empty()) return {"no rows are quarantined"};
  Table table({"STEP", "KEY", "SQLSTATE", "AT", "ERROR"}, {});
  for (const auto& row : rows) table.add({row.step, row.key, row.sqlstate, row.at, row.message});
  return table.lines("");
}

Json failure_json(const std::string& job, const QuarantinedRow& row) {
  return {{"type", "failure"},
          {"job", job},
          {"step", row.step},
          {"key", row.key},
          {"sqlstate", row.sqlstate},
          {"message", row.message},
          {"ts", row.at}};
}

}  // namespace pgsluice::cli
