#include <algorithm>
#include <cctype>

#include "job/sql/expression.hpp"
#include "kinds/retype/graph/retype_facts.hpp"
#include "kinds/retype/mapping/key_sources.hpp"
#include "kinds/retype/mapping/mapping.hpp"
#include "kinds/retype/mapping/steadiness.hpp"
#include "kinds/retype/retype_survey.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::engine {

namespace rt = steps::retype;

namespace {

// Roles that may write to a table but may not call a function. Overloaded functions are left out.
constexpr const char* kUnableRoles = R"sql(
SELECT string_agg(pg_catalog.quote_ident(r.rolname), ', ' ORDER BY r.rolname)
FROM pg_catalog.pg_roles r
WHERE NOT r.rolsuper AND r.rolname !~ '^pg_' AND pg_catalog.to_regproc($2) IS NOT NULL
  AND pg_catalog.has_any_column_privilege(r.oid, $1::oid, 'INSERT, UPDATE')
  AND NOT pg_catalog.has_function_privilege(r.oid, pg_catalog.to_regproc($2)::oid, 'EXECUTE')
)sql";

std::string quoted_name(const std::string& name) {
  return pg::Identifier(name).sql();
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

/// Runs `work` in a transaction that leaves nothing behind.
template <class Work>
auto in_rolled_back(pg::Session& session, Work work) {
  pg::begin(session, kCatalogLimits);
  try {
    auto result = work();
    pg::rollback(session);
    return result;
  } catch (...) {
    pg::rollback(session);
    throw;
  }
}

/// The column as written between double quotes in a job file.
std::string in_job_file(const std::string& column) {
  const bool is_plain =
      column.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
  return is_plain && !std::isdigit(static_cast<unsigned char>(column.front())) ? column
                                                                               : "\\\"" + column + "\\\"";
}

/// What to write instead of a cast that depends on the session.
std::string immutable_way(const std::string& column, const std::string& from, const std::string& to,
                          const std::string& key) {
  const auto name = in_job_file(column);
  const auto in_zone = [&](const std::string& expression) {
    return "state which time zone is meant: " + key + " = \"" + expression + "\"";
  };
  const bool is_from_stamp = from.starts_with("timestamp");
  if (is_from_stamp && to.starts_with("timestamp")) return in_zone(name + " AT TIME ZONE 'UTC'");
  if (is_from_stamp && to == "date") return in_zone("(" + name + " AT TIME ZONE 'UTC')::date");
  if (from == "date" && to.starts_with("timestamp")) return in_zone(name + "::timestamp AT TIME ZONE 'UTC'");
  return "set `" + key +
         "` to an expression that gives the same in every session; a function of your own that is declared "
         "IMMUTABLE will do";
}

/// The first value that a query returns; empty: no row.
std::string ask(pg::Session& session, const std::string& sql) {
  return pg::in_transaction(session, kCatalogLimits, [&] {
    const auto rows = session.exec(sql);
    return rows.empty() ? std::string() : rows.text(0, 0);
  });
}

class MappingSurvey {
 public:
  MappingSurvey(pg::Session& session, const rt::Retype& retype) : session_(session), retype_(retype) {}

  std::vector<Obstacle> run() && {
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
      add("function uuid_generate_v5 cannot be found",
          "CREATE EXTENSION \"uuid-ossp\", or use another mapping");
    return std::move(found_);
  }

 private:
  void add(std::string message, std::string hint) { found_.push_back({std::move(message), std::move(hint)}); }

  static std::string name_of(const rt::GraphTable& table, const rt::GraphColumn& column) {
    return "column " + quoted_name(column.name) + " of table " + table.sql();
  }

  void look_at_cast(const rt::GraphTable& table, const rt::GraphColumn& column) {
    const auto& cast = column.forward;
    const auto what = name_of(table, column) + ", of type " + column.type + ", ";
    if (!cast.exists)
      add(what + "cannot be cast to " + retype_.step.to,
          "set `using` to the expression that makes a new value from an old one");
    else if (!cast.unstable.empty())
      add(what + "is cast to " + retype_.step.to + " according to settings of each session: " + cast.unstable,
          immutable_way(column.name, column.type, retype_.step.to, "using"));
  }

  void look_at_cast_back(const rt::GraphTable& table, const rt::GraphColumn& column) {
    const auto& cast = column.backward;
    const auto what = "no way back: " + retype_.step.to + " ";
    if (!cast.exists)
      add(what + "cannot be cast to " + column.old_type_sql + ", the type of " + name_of(table, column),
          "set `back` to the expression that makes an old value from a new one");
    else if (!cast.unstable.empty())
      add(what + "is cast to " + column.old_type_sql + ", the type of " + name_of(table, column) +
              ", according to settings of each session: " + cast.unstable,
          immutable_way(column.name, retype_.step.to, column.old_type_sql, "back"));
  }

  void look_at_root(const rt::GraphTable& table, const rt::GraphColumn& column) {
    const auto& step = retype_.step;
    if (step.mapping == Mapping::kEmbed) look_at_numbers(table, column);
    if (step.mapping == Mapping::kV7 && !table.all_columns.count(step.v7_from))
      add("table " + table.sql() + " has no column " + quoted_name(step.v7_from), "correct `from`");
    if (step.mapping == Mapping::kV7 && step.new_ids.empty() && !column.source.is_none())
      add(name_of(table, column) + " has a default, and with `v7` nothing gives a new row its key",
          "set new_ids = \"gen_random_uuid()\"");
    if (step.mapping == Mapping::kUsing && !rt::is_back_by_value(step) && step.new_ids.empty() &&
        !column.source.is_none())
      add(name_of(table, column) + " has a default, and nothing gives a new row its key after the cut-over",
          "set new_ids = \"gen_random_uuid()\", or `back`");
    if (!rt::is_back_by_value(step) && !is_key(table, column))
      add(name_of(table, column) +
              " is not a key, and a value written after the cut-over would have no old one",
          "set `using` and `back` to expressions that convert values in each direction");
    if (const auto user = other_user_of_identity(column); !user.empty())
      add("the identity of " + name_of(table, column) + " also supplies " + user + " with numbers",
          "give that column its own sequence");
    if (step.mapping == Mapping::kV5 && !column.as_text.unstable.empty())
      add(name_of(table, column) +
              " is written according to settings of each session: " + column.as_text.unstable,
          "`v5` hashes what is written: choose another mapping");
    if (rt::old_keys_of(retype_, column) == rt::OldKeys::kNone)
      add("nothing gives an old key to rows inserted after the cut-over: " + name_of(table, column) +
              " is of type " + column.type,
          "give the column a default, or `back` with `using`");
    if (rt::old_keys_of(retype_, column) == rt::OldKeys::kTextOfNewKey && column.old_type.has_modifier)
      add(name_of(table, column) + ", of type " + column.type +
              ", may be too short for the 36 letters of a uuid, which rows inserted after the cut-over have "
              "as their old key",
          "change it to text first, which rewrites nothing");
    if (step.mapping == Mapping::kRandom && !is_there("pg_catalog.gen_random_uuid()"))
      add("this server has no function gen_random_uuid()", "it came with PostgreSQL 13: use another mapping");
    if (!step.new_ids.empty()) try_new_ids();
    if (!step.using_sql.empty()) try_expression("using", step.using_sql, table, column, column.type, "");
    if (!step.back_sql.empty() && rt::is_back_by_value(step))
      try_expression("back", step.back_sql, table, column, step.to, column.old_type_sql);
  }

  /// A row keeps its old key whatever happens to the new one; a value that is not a key has to follow.
  static bool is_key(const rt::GraphTable& table, const rt::GraphColumn& column) {
    if (std::find(table.key.begin(), table.key.end(), column.name) != table.key.end()) return true;
    return std::any_of(table.indexes.begin(), table.indexes.end(), [&](const rt::GraphIndex& index) {
      return index.is_unique && std::any_of(index.parts.begin(), index.parts.end(), [&](const auto& part) {
               return part.is_column && part.sql == column.name;
             });
    });
  }

  /// A default elsewhere that draws from the identity's sequence, which is recreated under the new column.
  /// Empty: none.
  std::string other_user_of_identity(const rt::GraphColumn& column) {
    if (column.source.identity.empty()) return {};
    return ask(session_,
               "SELECT coalesce(min(d.adrelid::regclass::text), '') FROM pg_catalog.pg_depend p JOIN "
               "pg_catalog.pg_attrdef d ON d.oid = p.objid WHERE p.classid = "
               "'pg_catalog.pg_attrdef'::regclass AND p.refclassid = 'pg_catalog.pg_class'::regclass AND "
               "p.refobjid = pg_catalog.to_regclass(" +
                   pg::literal(column.source.sequence_sql) + ")");
  }

  /// "app may not execute conv", for each function of the expression that a role that writes to the table may
  /// not call.
  std::vector<std::string> unable_roles(const rt::GraphTable& table, const std::string& expression) {
    const auto checked = job::check_expression(expression);
    const auto* fine = std::get_if<job::Expression>(&checked);
    if (!fine) return {};
    std::vector<std::string> out;
    for (const auto& function : fine->functions) {
      const auto rows = pg::in_transaction(session_, kCatalogLimits, [&] {
        return session_.exec(kUnableRoles, {std::to_string(table.oid), function});
      });
      if (!rows.is_null(0, 0)) out.push_back(rows.text(0, 0) + " may not execute " + function);
    }
    return out;
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
      add("new_ids is not valid on this server: " + first_line(f.what()), "correct `new_ids`");
    }
  }

  /// For `using` or `back`: whether the server accepts it, and whether every session would compute the same.
  void try_expression(const std::string& key, const std::string& expression, const rt::GraphTable& table,
                      const rt::GraphColumn& column, const std::string& type, const std::string& result) {
    if (ask(session_,
            "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY')") != "t") {
      add("`" + key + "` cannot be tried: this role may not create temporary tables",
          "GRANT TEMPORARY ON DATABASE … to it");
      return;
    }
    for (const auto& roles : unable_roles(table, expression))
      add(roles + ": the triggers and the proof call it with the rights of the role that writes to table " +
              table.sql(),
          "GRANT EXECUTE on it to them");
    const auto typed = "(" + expression + "\n)::" + (result.empty() ? retype_.step.to : result);
    rt::ExpressionTrial trial{
        column.name, type, result.empty() ? column.old_type.base_sql : retype_.graph.to.base_sql, typed, ""};
    if (key == "using")
      trial.sample = "SELECT " + quoted_name(column.name) + " FROM " + table.sql() + " LIMIT 200";
    try {
      const auto why = in_rolled_back(session_, [&] { return rt::unsteadiness(session_, trial); });
      if (!why.empty())
        add("`" + key + "` of " + name_of(table, column) + " is not IMMUTABLE: " + why,
            immutable_way(column.name, type, retype_.step.to, key));
    } catch (const pg::Failure& f) {
      if (f.is_connection_lost() || f.disposition() == pg::Disposition::kRetryable) throw;
      add("`" + key + "` of " + name_of(table, column) + " is not valid: " + first_line(f.what()),
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

  pg::Session& session_;
  const rt::Retype& retype_;
  std::vector<Obstacle> found_;
};

}  // namespace

std::vector<Obstacle> mapping_obstacles(pg::Session& session, const rt::Retype& retype) {
  return MappingSurvey(session, retype).run();
}

}  // namespace pgsluice::engine
