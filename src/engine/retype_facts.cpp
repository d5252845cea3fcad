#include "engine/retype_facts.hpp"

#include "base/units.hpp"
#include "job/column_rename.hpp"
#include "ledger/objects.hpp"
#include "pg/identifier.hpp"
#include "pg/transaction.hpp"
#include "pgsluice/error.hpp"
#include "steps/retype/acts.hpp"
#include "steps/retype/key_sources.hpp"
#include "steps/retype/made_objects.hpp"
#include "steps/retype/mapping.hpp"
#include "steps/retype/misfits.hpp"
#include "steps/retype/names.hpp"
#include "steps/retype/questions.hpp"
#include "steps/retype/readiness.hpp"
#include "steps/retype/rehearsal.hpp"
#include "steps/retype/steadiness.hpp"
#include "steps/retype/swap.hpp"

namespace pgsluice::engine {

namespace rt = steps::retype;

namespace {

constexpr pg::TransactionLimits kLookLimits{std::chrono::milliseconds{1'000},
                                            std::chrono::milliseconds{30'000}, true};

// BEFORE ROW triggers that may change a key after ours looked at it. Another retype's change columns of their
// own.
constexpr const char* kLaterTriggers = R"sql(
SELECT t.tgname FROM pg_catalog.pg_trigger t
WHERE t.tgrelid = $1::oid AND NOT t.tgisinternal AND t.tgtype & 3 = 3 AND t.tgtype & 20 <> 0
  AND t.tgname > $2 AND t.tgname NOT LIKE 'zzz\_pgsluice\_%'
ORDER BY t.tgname
)sql";

/// As SET takes it. An empty path is shown as a quoted nothing, which SET does not take.
std::string search_path_of(pg::Session& session) {
  const auto path = session.exec("SHOW search_path").text(0, 0);
  return path.empty() || path == "\"\"" ? "''" : path;
}

std::string quoted_name(const std::string& name) {
  return pg::Identifier(name).sql();
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

constexpr std::size_t kStatementShown = 500;  // bytes of a refused statement: a function's body may be long

std::string shortened(const std::string& sql) {
  return sql.size() <= kStatementShown ? sql : sql.substr(0, kStatementShown) + " …";
}

/// Runs `work` in a transaction that leaves nothing behind.
template <class Work>
auto in_rolled_back(pg::Session& session, Work work) {
  session.exec(pg::begin_sql(kLookLimits));
  try {
    auto result = work();
    pg::rollback(session);
    return result;
  } catch (...) {
    pg::rollback(session);
    throw;
  }
}

bool is_about_zone(const std::string& type) {
  return type.starts_with("timestamp") || type == "date";
}

/// What to write instead of a cast that depends on the session.
std::string immutable_way(const std::string& column, const std::string& from, const std::string& to,
                          const std::string& key) {
  if (is_about_zone(from) && is_about_zone(to))
    return "say which zone is meant: " + key + " = \"" + quoted_name(column) + " AT TIME ZONE 'UTC'\"";
  return "say with `" + key +
         "` what holds in every session; a function of your own that is declared IMMUTABLE will do";
}

/// One value, for a question that each obstacle is.
std::string ask(pg::Session& session, const std::string& sql) {
  return pg::in_transaction(session, kLookLimits, [&] {
    const auto rows = session.exec(sql);
    return rows.empty() ? std::string() : rows.text(0, 0);
  });
}

class Survey {
 public:
  Survey(pg::Session& session, const rt::Retype& retype) : session_(session), retype_(retype) {}

  std::vector<Obstacle> run() && {
    for (const auto& text : retype_.graph.obstacles) add(text, "correct it, or leave the table out");
    for (const auto& table : retype_.graph.tables) look_at(table);
    for (const auto& name : rt::taken_names(session_, retype_))
      add(name + " is there already",
          "rename it, or contract the retype that left it: this one needs the name");
    for (const auto& name : rt::objects_in_the_way(session_, rt::objects_to_be_made(retype_)))
      add(name + " is there already", "drop it: this retype would give something of its own that name");
    try_names();
    look_at_mapping();
    look_at_bound_objects();
    look_for_orphans();
    return std::move(found_);
  }

 private:
  void add(std::string message, std::string hint) { found_.push_back({std::move(message), std::move(hint)}); }

  void look_at(const rt::GraphTable& table) {
    if (table.key.empty())
      add("table " + table.sql() + " has no primary key to walk by", "give it one first");
    if (table.row_security_applies) {
      add("row security hides rows of table " + table.sql() + " from this role",
          "run as a role with BYPASSRLS");
    }
    for (const auto& column : table.columns) {
      for (const auto& name : {rt::new_name(column.name), rt::old_name(column.name)}) {
        if (table.all_columns.count(name))
          add("table " + table.sql() + " has a column " + quoted_name(name) + " already",
              "rename it: the retype needs that name");
      }
      // A default may hold no look-up, and by value it means nothing for a key that is drawn.
      if (column.refers_to && !column.source.default_sql.empty() && !rt::is_by_value(retype_.step))
        add("column " + quoted_name(column.name) + " of table " + table.sql() + " has a default, " +
                column.source.default_sql + ", whose new value is drawn first",
            "drop the default, and set it anew after the cut-over; or choose a mapping by value");
    }
    for (const auto& name : later_triggers(table))
      add("trigger " + quoted_name(name) + " of table " + table.sql() +
              " fires after the one that keeps the columns in step, and may change a key",
          "give it a name that comes before " + rt::insert_trigger(retype_.owner));
    for (const auto& index : table.indexes) look_at_index(table, index);
    for (const auto& check : table.checks) {
      const auto why = meaning_lost(table, check.expression);
      if (!why.empty())
        add("constraint " + quoted_name(check.name) + " of table " + table.sql() +
                " means nothing for the new type: " + why,
            "drop it, and add what should hold of the new values after the cut-over");
    }
  }

  std::vector<std::string> later_triggers(const rt::GraphTable& table) {
    return pg::in_transaction(session_, kLookLimits, [&] {
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
          "drop it, and create it anew after the cut-over");
  }

  /// The server itself says whether an expression means anything for the new type; empty: it does.
  std::string meaning_lost(const rt::GraphTable& table, const std::string& expression) {
    std::string columns;
    for (const auto& [name, type] : table.all_columns) {
      bool is_changing = false;
      for (const auto& column : table.columns) is_changing = is_changing || column.name == name;
      columns += (columns.empty() ? "" : ", ") + ("NULL::" + (is_changing ? retype_.step.to : type)) +
                 " AS " + quoted_name(name);
    }
    try {
      ask(session_, "EXPLAIN SELECT (" + expression + ") FROM (SELECT " + columns + ") AS t");
      return {};
    } catch (const pg::Failure& f) {
      if (f.is_connection_lost()) throw;
      return first_line(f.what());
    }
  }

  /// An expression that a newer server prints may be beyond the parser; the error names it.
  void try_names() {
    try {
      (void)rt::acts_before_cutover(retype_);
    } catch (const Error& e) {
      add(std::string("an index or constraint cannot be written for the new column: ") + e.what(),
          "drop it, and create it anew after the cut-over");
    }
  }

  void look_at_mapping() {
    const auto& step = retype_.step;
    if (const auto& why = retype_.graph.to.refusal; !why.empty())
      add("a column cannot be given type " + step.to + ": " + why, "choose another type");
    for (const auto& table : retype_.graph.tables) {
      for (const auto& column : table.columns) {
        if (rt::is_plain_cast(step)) look_at_cast(table, column);
        if (rt::is_back_by_value(step) && step.back_sql.empty()) look_at_cast_back(table, column);
        if (!column.refers_to) look_at_root(table, column);
      }
    }
    if (step.mapping == Mapping::kV5 && retype_.graph.v5_function.empty())
      add("function uuid_generate_v5 is not to be found",
          "CREATE EXTENSION \"uuid-ossp\", or use another mapping");
  }

  static std::string name_of(const rt::GraphTable& table, const rt::GraphColumn& column) {
    return "column " + quoted_name(column.name) + " of table " + table.sql();
  }

  void look_at_cast(const rt::GraphTable& table, const rt::GraphColumn& column) {
    const auto& cast = column.forward;
    const auto what = name_of(table, column) + ", of type " + column.type + ", ";
    if (!cast.exists)
      add(what + "cannot be cast to " + retype_.step.to,
          "say with `using` how a new value is made of an old one");
    else if (!cast.unstable.empty())
      add(what + "is cast to " + retype_.step.to + " by settings of each session: " + cast.unstable,
          immutable_way(column.name, column.type, retype_.step.to, "using"));
  }

  void look_at_cast_back(const rt::GraphTable& table, const rt::GraphColumn& column) {
    const auto& cast = column.backward;
    const auto what = "no way back: " + retype_.step.to + " ";
    if (!cast.exists)
      add(what + "cannot be cast to " + column.old_type_sql + ", the type of " + name_of(table, column),
          "say with `back` how an old value is made of a new one");
    else if (!cast.unstable.empty())
      add(what + "is cast to " + column.old_type_sql + ", the type of " + name_of(table, column) +
              ", by settings of each session: " + cast.unstable,
          immutable_way(column.name, retype_.step.to, column.old_type_sql, "back"));
  }

  void look_at_root(const rt::GraphTable& table, const rt::GraphColumn& column) {
    const auto& step = retype_.step;
    if (step.mapping == Mapping::kEmbed) look_at_numbers(table, column);
    if (step.mapping == Mapping::kV7 && !table.all_columns.count(step.v7_from))
      add("table " + table.sql() + " has no column " + quoted_name(step.v7_from), "correct `from`");
    if (step.mapping == Mapping::kV7 && step.new_ids.empty() && !column.source.is_none())
      add(name_of(table, column) + " has a default, and with `v7` nothing gives a new row its key",
          "say new_ids = \"gen_random_uuid()\"");
    if (step.mapping == Mapping::kV5 && !column.as_text.unstable.empty())
      add(name_of(table, column) + " is written by settings of each session: " + column.as_text.unstable,
          "`v5` hashes what is written: choose another mapping");
    if (rt::old_keys_of(retype_, column) == rt::OldKeys::kNone)
      add("nothing gives an old key to rows that come after the cut-over: " + name_of(table, column) +
              " is of type " + column.type,
          "give the column a default, or `back` with `using`");
    if (rt::old_keys_of(retype_, column) == rt::OldKeys::kTextOfNewKey && column.old_type.has_modifier)
      add(name_of(table, column) + ", of type " + column.type +
              ", may be too short for the 36 letters of a uuid, which " +
              "rows that come after the cut-over have as their old key",
          "make it text first, which rewrites nothing");
    if (step.mapping == Mapping::kRandom && !is_there("pg_catalog.gen_random_uuid()"))
      add("this server has no function gen_random_uuid()", "it came with PostgreSQL 13: use another mapping");
    if (!step.new_ids.empty()) try_new_ids();
    if (!step.using_sql.empty()) try_expression("using", step.using_sql, table, column, column.type, "");
    if (!step.back_sql.empty() && rt::is_back_by_value(step))
      try_expression("back", step.back_sql, table, column, step.to, column.old_type_sql);
  }

  bool is_there(const std::string& function) {
    return !ask(session_, "SELECT pg_catalog.to_regprocedure('" + function + "')").empty();
  }

  void try_new_ids() {
    const auto& step = retype_.step;
    try {
      ask(session_, "EXPLAIN SELECT (" + step.new_ids + "\n)::" + step.to);
    } catch (const pg::Failure& f) {
      if (f.is_connection_lost()) throw;
      add("new_ids means nothing on this server: " + first_line(f.what()), "correct `new_ids`");
    }
  }

  /// `using` or `back`: whether the server takes it, and whether each session would compute the same.
  void try_expression(const std::string& key, const std::string& expression, const rt::GraphTable& table,
                      const rt::GraphColumn& column, const std::string& type, const std::string& result) {
    if (ask(session_,
            "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY')") != "t") {
      add("`" + key + "` cannot be tried: this role may make no temporary table",
          "GRANT TEMPORARY ON DATABASE … to it");
      return;
    }
    const auto typed = "(" + expression + "\n)::" + (result.empty() ? retype_.step.to : result);
    rt::ExpressionTrial trial{column.name, type, typed, ""};
    if (key == "using")
      trial.sample = "SELECT " + quoted_name(column.name) + " FROM " + table.sql() + " LIMIT 200";
    try {
      const auto why = in_rolled_back(session_, [&] { return rt::unsteadiness(session_, trial); });
      if (!why.empty())
        add("`" + key + "` of " + name_of(table, column) + " is not IMMUTABLE: " + why,
            immutable_way(column.name, type, retype_.step.to, key));
    } catch (const pg::Failure& f) {
      if (f.is_connection_lost() || f.disposition() == pg::Disposition::kRetryable) throw;
      add("`" + key + "` of " + name_of(table, column) + " means nothing: " + first_line(f.what()),
          "correct `" + key + "`");
    }
  }

  void look_at_numbers(const rt::GraphTable& table, const rt::GraphColumn& column) {
    const auto name = quoted_name(column.name);
    if (column.type != "integer" && column.type != "bigint" && column.type != "smallint") {
      add("column " + name + " of table " + table.sql() + " is of type " + column.type + ", not an integer",
          "mapping = \"embed\" is for integers: choose another, or give `using`");
      return;
    }
    const auto outside =
        ask(session_, "SELECT concat_ws(', ', min(" + name + "), max(" + name + ")) FROM " + table.sql() +
                          " HAVING min(" + name + ") < 0 OR max(" + name + ") > " + rt::kEmbedMax);
    if (!outside.empty())
      add("column " + name + " of table " + table.sql() +
              " holds numbers that do not fit into a uuid: " + outside,
          "mapping = \"embed\" takes 0 to 2^48 - 1: choose another");
  }

  /// A twin of a foreign key that is NOT VALID is left so; but what is looked up must be there.
  void look_for_orphans() {
    if (rt::is_by_value(retype_.step)) return;
    for (const auto& question : rt::questions_before_expand(retype_)) {
      const auto found = pg::in_transaction(session_, kCountLimits,
                                            [&] { return session_.exec(question.query).text(0, 0); });
      if (found != "0")
        add(found + " " + question.what, "correct or delete them: their parent has no new value");
    }
  }

  void look_at_bound_objects() {
    const auto bound =
        pg::in_transaction(session_, kLookLimits, [&] { return rt::bound_objects(session_, retype_.graph); });
    for (const auto& object : bound) {
      if (!object.refusal.empty()) add(object.name + ": " + object.refusal, object.hint);
    }
    const auto misfits =
        pg::in_transaction(session_, kLookLimits, [&] { return rt::find_misfits(session_, retype_); });
    for (const auto& misfit : misfits)
      add(misfit.name + " means nothing for the new type: " + misfit.why,
          "write it so that it holds for both types, or drop it and create it anew after the cut-over");
  }

  pg::Session& session_;
  const rt::Retype& retype_;
  std::vector<Obstacle> found_;
};

}  // namespace

rt::Owner owner_of(pg::Session& session, std::int64_t step_id) {
  const auto owner = ledger::read_owner(session, step_id);
  return {owner.job, owner.step, owner.is_named_by_step};
}

rt::Retype read_retype_inside(pg::Session& session, const RetypeStep& step, const rt::Owner& owner) {
  rt::Retype retype;
  retype.step = step;
  retype.owner = owner;
  retype.rename = [](std::string_view sql, const std::map<std::string, std::string>& names) {
    return job::rename_columns(sql, names);
  };
  retype.search_path = search_path_of(session);
  retype.graph = rt::read_graph(session, step);
  return retype;
}

rt::Retype read_retype(pg::Session& session, const RetypeStep& step, const rt::Owner& owner) {
  return pg::in_transaction(session, kLookLimits, [&] { return read_retype_inside(session, step, owner); });
}

std::vector<Obstacle> retype_obstacles(pg::Session& session, const rt::Retype& retype) {
  return Survey(session, retype).run();
}

Rehearsed rehearsed(pg::Session& session, const rt::Retype& retype) {
  const auto rehearsal = rt::rehearse(session, retype, [&](pg::Session& s, const RetypeStep& step) {
    return read_retype_inside(s, step, retype.owner);
  });
  Rehearsed out;
  for (const auto& refused : rehearsal.refused)
    out.refused.push_back(
        {"in a rehearsal the server refused act \"" + refused.act + "\": " + first_line(refused.message) +
             (refused.sqlstate.empty() ? "" : " (SQLSTATE " + refused.sqlstate + ")") +
             (refused.statement.empty() ? "" : "; the statement: " + shortened(refused.statement)),
         "correct what it says; nothing was changed"});
  if (!rehearsal.cut_short.empty())
    out.warnings.push_back({"the retype was not rehearsed to its end: " + rehearsal.cut_short,
                            "what it would have found comes up in the act itself"});
  for (const auto& remark : rehearsal.remarks)
    out.warnings.push_back(
        {"the rehearsal went without " + remark, "what it would have found there comes up later"});
  out.summary =
      base::format_count(rehearsal.statements) +
      " statements from expand to contract were rehearsed on an empty likeness, and rolled back, in " +
      base::format_duration(rehearsal.took);
  return out;
}

void refuse_retype(const std::string& step, const std::vector<Obstacle>& obstacles) {
  if (obstacles.empty()) return;
  std::string message = "step \"" + step + "\" cannot be carried through";
  for (const auto& obstacle : obstacles) message += "\n  " + obstacle.message + " (" + obstacle.hint + ")";
  throw Error(ExitCode::kRefused, message, "nothing was changed; correct these, then run again");
}

}  // namespace pgsluice::engine
