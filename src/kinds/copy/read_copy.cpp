#include "kinds/copy/read_copy.hpp"

#include <algorithm>
#include <utility>

#include "job/read/sql_names.hpp"
#include "job/read/suggestion.hpp"
#include "job/sql/table_name.hpp"
#include "kinds/compare/read_two_tables.hpp"
#include "kinds/kind/read_keep.hpp"

namespace pgsluice::engine {

using namespace job;

namespace {

/// Each goes into the target's table of its name, column by column.
void read_several(Section& section, CopyStep& step) {
  for (const char* key : {"to", "columns"}) {
    if (section.node(key) != nullptr)
      section.refuse(key, {"does not go with tables", "write a step of its own for a table that needs it"});
  }
  if (const auto from = section.has("from") ? section.section("from") : std::nullopt) {
    auto source = *from;
    for (const char* key : {"table", "where"}) {
      if (source.node(key) != nullptr)
        source.refuse(key, {"does not go with tables", "write a step of its own for a table that needs it"});
    }
    read_dsn(source, step);
    source.finish();
  }
  for (auto& table : read_tables(section, "tables")) {
    if (std::find(step.tables.begin(), step.tables.end(), table) != step.tables.end())
      section.refuse("tables", {"names table " + written(table) + " twice", "name each table once"});
    step.tables.push_back(std::move(table));
  }
  if (step.tables.empty() && section.node("tables")->as_array() != nullptr)
    section.refuse("tables", {"names no table", "write tables = [\"public.users\", \"public.orders\"]"});
}

void read_on_conflict(Section& section, CopyStep& step) {
  const auto text = section.text("on_conflict");
  if (!text) return;
  std::vector<std::string> names;
  for (const auto way : {OnConflict::kError, OnConflict::kSkip, OnConflict::kUpdate}) {
    names.emplace_back(on_conflict_name(way));
    if (*text != names.back()) continue;
    step.on_conflict = way;
    return;
  }
  section.refuse("on_conflict", {"\"" + *text + "\" is not known", suggestion(*text, names, "values")});
}

void read_keep(Section& section, CopyStep& step) {
  const auto keeping = engine::read_keep(section);
  if (!keeping) return;
  step.keep = keeping->is_kept;
  step.keep_for = keeping->time;
  if (step.keep && step.on_conflict == OnConflict::kUpdate)
    section.refuse("keep",
                   {"does not go with on_conflict = \"update\": the rows that it replaces could not be "
                    "put back",
                    "use on_conflict = \"skip\", or leave keep out"});
}

}  // namespace

CopyStep read_copy(Section& section, std::string name) {
  CopyStep step;
  step.name = std::move(name);
  if (section.has("tables")) {
    read_several(section, step);
  } else {
    read_two_tables(section, step);
  }
  read_on_conflict(section, step);
  read_keep(section, step);
  if (step.keep && !step.tables.empty())
    section.refuse("keep",
                   {"does not go with tables", "write a copy step for each table, or leave keep out"});
  step.follow = section.flag("follow").value_or(false);
  if (step.follow && step.keep)
    section.refuse("follow", {"does not go with keep",
                              "leave keep out: until the switch, rollback removes what follows"});
  return step;
}

}  // namespace pgsluice::engine
