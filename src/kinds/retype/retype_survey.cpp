#include "kinds/retype/retype_survey.hpp"

#include "kinds/retype/acts/acts.hpp"
#include "kinds/retype/acts/made_objects.hpp"
#include "kinds/retype/acts/readiness.hpp"
#include "kinds/retype/cutover/scripts/move_scripts.hpp"
#include "kinds/retype/graph/names.hpp"
#include "kinds/retype/graph/retype_facts.hpp"
#include "kinds/retype/mapping/mapping.hpp"
#include "kinds/retype/mapping/questions.hpp"
#include "kinds/retype/rehearsal/type_conflicts.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {

namespace rt = steps::retype;

namespace {

// BEFORE ROW triggers that may change a key after ours has read it. Those of other retypes change only
// columns of their own.
constexpr const char* kLaterTriggers = R"sql(
SELECT t.tgname FROM pg_catalog.pg_trigger t
WHERE t.tgrelid = $1::oid AND NOT t.tgisinternal AND t.tgtype & 3 = 3 AND t.tgtype & 20 <> 0
  AND t.tgname > $2 AND t.tgname NOT LIKE 'zzz\_pgsluice\_%'
ORDER BY t.tgname
)sql";

std::string quoted_name(const std::string& name) {
  return pg::Identifier(name).sql();
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

class Survey {
 public:
  Survey(pg::Session& session, const rt::Retype& retype) : session_(session), retype_(retype) {}

  std::vector<Obstacle> run() && {
    for (const auto& text : retype_.graph.obstacles) add(text, "correct it, or leave the table out");
    for (const auto& table : retype_.graph.tables) look_at(table);
    for (const auto& name : rt::taken_names(session_, retype_))
      add(name + " already exists",
          "rename it, or contract the retype that left it: this one needs the name");
    for (const auto& name : rt::objects_in_the_way(session_, rt::objects_to_be_made(retype_)))
      add(name + " already exists", "drop it: this retype needs the name for its own object");
    try_names();
    for (auto& obstacle : mapping_obstacles(session_, retype_)) found_.push_back(std::move(obstacle));
    look_at_bound_objects();
    look_for_orphans();
    return std::move(found_);
  }

 private:
  void add(std::string message, std::string hint) { found_.push_back({std::move(message), std::move(hint)}); }

  void look_at(const rt::GraphTable& table) {
    if (table.key.empty())
      add("table " + table.sql() + " has no primary key for the fill to walk along", "add one first");
    if (table.row_security_applies) {
      add("row security hides rows of table " + table.sql() + " from this role",
          "run as a role with BYPASSRLS");
    }
    for (const auto& column : table.columns) {
      for (const auto& name : {rt::new_name(column.name), rt::old_name(column.name)}) {
        if (table.all_columns.count(name))
          add("table " + table.sql() + " already has a column " + quoted_name(name),
              "rename it: the retype needs that name");
      }
      // A default must not hold a look-up, and a drawn key cannot be computed from the default's value.
      if (column.refers_to && !column.source.default_sql.empty() && !rt::is_by_value(retype_.step))
        add("column " + quoted_name(column.name) + " of table " + table.sql() + " has a default, " +
                column.source.default_sql + ", which cannot look up the new value drawn for its parent",
            "drop the default, and set it again after the cut-over; or choose a mapping by value");
    }
    for (const auto& name : later_triggers(table))
      add("trigger " + quoted_name(name) + " of table " + table.sql() +
              " fires after the one that keeps the columns in step, and may change a key",
          "give it a name that sorts before " + rt::insert_trigger(retype_.owner));
    for (const auto& index : table.indexes) look_at_index(table, index);
    for (const auto& check : table.checks) {
      const auto why = meaning_lost(table, check.expression);
      if (!why.empty())
        add("constraint " + quoted_name(check.name) + " of table " + table.sql() +
                " is not valid for the new type: " + why,
            "drop it, and after the cut-over add what should hold for the new values");
    }
  }

  std::vector<std::string> later_triggers(const rt::GraphTable& table) {
    return pg::in_transaction(session_, kCatalogLimits, [&] {
      const auto rows =
          session_.exec(kLaterTriggers, {std::to_string(table.oid), rt::insert_trigger(retype_.owner)});
      std::vector<std::string> names;
      for (std::size_t i = 0; i < rows.size(); ++i) names.push_back(rows.text(i, 0));
      return names;
    });
  }

  void look_at_index(const rt::GraphTable& table, const rt::GraphIndex& index) {
    std::string refusal = index.refusal;
    for (const auto& part : index.parts) {
      if (!part.is_column && refusal.empty()) refusal = meaning_lost(table, part.sql);
    }
    if (!index.predicate.empty() && refusal.empty()) refusal = meaning_lost(table, index.predicate);
    if (!refusal.empty())
      add("index " + quoted_name(index.name) + " of table " + table.sql() +
              " cannot be built over the new column: " + refusal,
          "drop it, and create it again after the cut-over");
  }

  /// Why an expression is not valid for the new type, in the server's own words; empty: it is valid.
  std::string meaning_lost(const rt::GraphTable& table, const std::string& expression) {
    std::string columns;
    for (const auto& [name, type] : table.all_columns) {
      bool is_changing = false;
      for (const auto& column : table.columns) is_changing = is_changing || column.name == name;
      columns += (columns.empty() ? "" : ", ") + ("NULL::" + (is_changing ? retype_.step.to : type)) +
                 " AS " + quoted_name(name);
    }
    try {
      pg::in_transaction(session_, kCatalogLimits, [&] {
        return session_.exec("EXPLAIN SELECT (" + expression + ") FROM (SELECT " + columns + ") AS t");
      });
      return {};
    } catch (const pg::Failure& f) {
      if (f.is_connection_lost()) throw;
      return first_line(f.what());
    }
  }

  /// The parser may not understand an expression that a newer server prints; the error names it.
  void try_names() {
    try {
      (void)rt::acts_before_cutover(retype_);
    } catch (const Error& e) {
      add(std::string("an index or constraint cannot be written for the new column: ") + e.what(),
          "drop it, and create it again after the cut-over");
    }
  }

  /// The twin of a foreign key that is NOT VALID stays NOT VALID; but rows that are looked up must exist.
  void look_for_orphans() {
    if (rt::is_by_value(retype_.step)) return;
    for (const auto& question : rt::questions_before_expand(retype_)) {
      const auto found = pg::in_transaction(session_, kCountLimits,
                                            [&] { return session_.exec(question.query).text(0, 0); });
      if (found != "0")
        add(found + " " + question.what, "correct or delete them: without a parent they have no new value");
    }
  }

  void look_at_bound_objects() {
    const auto bound = pg::in_transaction(session_, kCatalogLimits,
                                          [&] { return rt::bound_objects(session_, retype_.graph); });
    for (const auto& object : bound) {
      if (!object.refusal.empty()) add(object.name + ": " + object.refusal, object.hint);
    }
    const auto conflicts = pg::in_transaction(session_, kCatalogLimits,
                                              [&] { return rt::find_type_conflicts(session_, retype_); });
    for (const auto& conflict : conflicts)
      add(conflict.name + " is not valid for the new type: " + conflict.why,
          "write it so that it works with both types, or drop it and create it again after the cut-over");
  }

  pg::Session& session_;
  const rt::Retype& retype_;
  std::vector<Obstacle> found_;
};

}  // namespace

std::vector<Obstacle> retype_obstacles(pg::Session& session, const rt::Retype& retype) {
  return Survey(session, retype).run();
}

void refuse_retype(const std::string& step, const std::vector<Obstacle>& obstacles) {
  if (obstacles.empty()) return;
  std::string message = "step \"" + step + "\" cannot be carried out";
  for (const auto& obstacle : obstacles) message += "\n  " + obstacle.message + " (" + obstacle.hint + ")";
  throw Error(ExitCode::kRefused, message, "nothing was changed; correct these, then run again");
}

}  // namespace pgsluice::engine
