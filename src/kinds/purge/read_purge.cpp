#include "kinds/purge/read_purge.hpp"

#include <utility>
#include <vector>

#include "job/condition/time_calls.hpp"
#include "job/read/sql_names.hpp"
#include "job/read/suggestion.hpp"
#include "job/sql/expression.hpp"

namespace pgsluice::engine {

using namespace job;

namespace {

void read_where(Section& section, PurgeStep& step) {
  constexpr const char* kHint = "write which rows go: where = \"created_at < now() - interval '90 days'\"";
  section.require("where", kHint);
  const auto text = section.text("where");
  if (!text) return;
  auto condition = check_expression(*text);
  if (auto* refusal = std::get_if<Refusal>(&condition)) {
    if (refusal->message == "is empty") refusal->hint = kHint;
    return section.refuse("where", *refusal);
  }
  step.where = std::get<Expression>(std::move(condition)).text;
  const auto fixed = at_fixed_time(step.where, "2000-01-01 00:00:00.000000+00");  // any: whether it can be
  if (const auto* refusal = std::get_if<Refusal>(&fixed)) section.refuse("where", *refusal);
}

void read_walk(Section& section, PurgeStep& step) {
  const auto text = section.text("walk");
  if (!text) return;
  std::vector<std::string> names;
  for (const Walk walk : {Walk::kAuto, Walk::kKeyset, Walk::kBlocks}) {
    names.emplace_back(walk_name(walk));
    if (*text != names.back()) continue;
    step.walk = walk;
    return;
  }
  section.refuse("walk", {"\"" + *text + "\" is not known here", suggestion(*text, names, "walks")});
}

}  // namespace

PurgeStep read_purge(job::Section& section, std::string name) {
  PurgeStep step;
  step.name = std::move(name);
  section.require("table", "write table = \"public.audit_log\"");
  if (auto table = read_table(section, "table")) step.table = std::move(*table);
  step.key = read_columns(section, "key", "leave key out to use the primary key");
  read_where(section, step);
  read_walk(section, step);
  step.archive_to = read_table(section, "archive_to");
  step.with = read_tables(section, "with");
  step.allowed_effects = read_tables(section, "allow_effects_on");
  step.vacuum = section.flag("vacuum").value_or(false);
  step.repeat = section.flag("repeat").value_or(false);
  return step;
}

}  // namespace pgsluice::engine
