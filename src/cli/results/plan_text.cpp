#include "cli/results/plan_text.hpp"

#include <algorithm>

#include "base/units.hpp"
#include "cli/results/foretold_text.hpp"
#include "cli/results/plain_text.hpp"

namespace pgsluice::cli {
namespace {

using base::Json;

using Lines = std::vector<std::string>;

/// `text` after `label`, its further lines below the first.
void add_labelled(Lines& lines, const std::string& label, const std::string& text) {
  std::string start = label;
  for (const auto& line : plain_lines(text)) {
    lines.push_back(start + line);
    start.assign(label.size(), ' ');
  }
}

void add_statement(Lines& lines, const PlannedStatement& statement) {
  for (const auto& line : plain_lines(statement.sql)) lines.push_back("     " + line);
  std::string lock = statement.lock.empty() ? "none" : statement.lock;
  if (!statement.when.empty()) {
    const auto begins = [&](const char* word) { return statement.when.rfind(word, 0) == 0; };
    const bool is_a_moment = begins("once") || begins("when") || begins("only");
    lock += (is_a_moment ? "; sent " : "; sent with the ") + statement.when;
  } else if (statement.is_repeated) {
    lock += "; sent once per batch";
  }
  add_labelled(lines, "       lock: ", lock);
}

std::string estimate_text(const PlannedStep& step) {
  std::string text;
  const auto append = [&text](const std::string& part) { text += (text.empty() ? "about " : ", ") + part; };
  if (step.rows_estimated > 0) append(base::format_count(step.rows_estimated) + " rows");
  if (step.wal_bytes_estimated > 0)
    append(base::format_bytes(static_cast<double>(step.wal_bytes_estimated)) + " of WAL");
  if (step.duration_estimated.count() > 0) append(base::format_duration(step.duration_estimated));
  return text;
}

void add_step(Lines& lines, std::size_t number, const PlannedStep& step) {
  const std::string state = step.state ? " (" + std::string(name_of(*step.state)) + ")" : "";
  lines.push_back(std::to_string(number) + ". " + plain_line(step.kind + " " + step.name + state));
  for (const auto& statement : step.statements) add_statement(lines, statement);
  if (!step.walk.empty()) {
    add_labelled(lines, "   walk: ", step.walk + (step.walk_reason.empty() ? "" : ": " + step.walk_reason));
  }
  if (step.foretold) {
    add_labelled(lines, "   rows to visit: ", base::format_count(step.rows_estimated));
    for (const auto& line : foretold_lines(*step.foretold))
      lines.push_back("   estimate: " + plain_line(line));
  } else {
    add_labelled(lines, "   estimate: ", estimate_text(step));
  }
  add_labelled(lines, step.can_be_undone ? "   undo: " : "   cannot be undone: ", step.undo);
  for (const auto& note : step.notes) add_labelled(lines, "   note: ", note);
}

Json step_json(std::size_t number, const PlannedStep& step) {
  Json statements = Json::array();
  for (const auto& s : step.statements) {
    statements.push_back(
        {{"sql", s.sql}, {"lock", s.lock}, {"is_repeated", s.is_repeated}, {"when", s.when}});
  }
  return {{"number", number},
          {"name", step.name},
          {"kind", step.kind},
          {"state", step.state ? name_of(*step.state) : ""},
          {"statements", statements},
          {"walk", step.walk},
          {"walk_reason", step.walk_reason},
          {"rows_estimated", step.rows_estimated},
          {"wal_bytes_estimated", step.wal_bytes_estimated},
          {"duration_estimated_s", static_cast<double>(step.duration_estimated.count()) / 1e3},
          {"foretold", step.foretold ? foretold_json(*step.foretold) : Json(nullptr)},
          {"can_be_undone", step.can_be_undone},
          {"undo", step.undo},
          {"notes", step.notes}};
}

const char* level_text(Finding::Level level) {
  switch (level) {
    case Finding::Level::kRefuse:
      return "refuse";
    case Finding::Level::kWarn:
      return "warn";
    case Finding::Level::kInform:
      break;
  }
  return "note";
}

}  // namespace

std::vector<std::string> plan_lines(const Plan& plan) {
  const bool is_sampled = std::any_of(plan.steps.begin(), plan.steps.end(), [](const PlannedStep& step) {
    return step.foretold && step.foretold->is_sampled;
  });
  Lines lines = {plain_line(
      "plan of job \"" + plan.job + "\" for " + plan.target +
      (is_sampled ? "; small batches were run for the estimates and rolled back" : "; nothing was written"))};
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    lines.emplace_back();
    add_step(lines, i + 1, plan.steps[i]);
  }
  return lines;
}

Json plan_json(const Plan& plan) {
  Json steps = Json::array();
  for (std::size_t i = 0; i < plan.steps.size(); ++i) steps.push_back(step_json(i + 1, plan.steps[i]));
  return {{"type", "plan"}, {"job", plan.job}, {"target", plan.target}, {"steps", steps}};
}

std::vector<std::string> finding_lines(const std::vector<Finding>& findings) {
  Lines lines;
  for (const auto& finding : findings) {
    std::string label = level_text(finding.level);
    label.resize(8, ' ');  // the longest level plus two blanks
    add_labelled(lines, label, finding.check + ": " + finding.message);
    if (!finding.hint.empty()) add_labelled(lines, "        hint: ", finding.hint);
  }
  return lines;
}

Json findings_json(const std::string& job, const std::vector<Finding>& findings) {
  Json list = Json::array();
  for (const auto& f : findings) {
    list.push_back(
        {{"level", level_text(f.level)}, {"check", f.check}, {"message", f.message}, {"hint", f.hint}});
  }
  const int code = exit_code_of(findings);
  return {
      {"type", "check"}, {"job", job}, {"is_refused", code != 0}, {"exit_code", code}, {"findings", list}};
}

int exit_code_of(const std::vector<Finding>& findings) {
  const auto refusal = std::find_if(findings.begin(), findings.end(),
                                    [](const Finding& f) { return f.level == Finding::Level::kRefuse; });
  return refusal == findings.end() ? 0 : refusal->exit_code;
}

}  // namespace pgsluice::cli
