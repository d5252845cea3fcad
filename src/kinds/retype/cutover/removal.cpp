#include "kinds/retype/cutover/removal.hpp"

#include <algorithm>

#include "kinds/ddl/ddl.hpp"
#include "kinds/retype/acts/made_objects.hpp"
#include "kinds/retype/cutover/cutover.hpp"
#include "kinds/retype/graph/retype_facts.hpp"
#include "kinds/retype/mapping/mapping.hpp"
#include "ledger/acts.hpp"
#include "ledger/objects.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"
#include "pg/key.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {

namespace rt = steps::retype;

namespace {

std::vector<rt::MadeObject> noted(pg::Session& session, std::int64_t step_id) {
  std::vector<rt::MadeObject> out;
  for (auto& object : ledger::read_objects(session, step_id))
    out.push_back({std::move(object.kind), std::move(object.name), object.table_oid});
  return out;
}

std::vector<ledger::MadeObject> as_noted(const std::vector<rt::MadeObject>& objects) {
  std::vector<ledger::MadeObject> out;
  for (const auto& object : objects) out.push_back({object.kind, object.name, object.table_oid});
  return out;
}

/// `"id"` of `"id" 1f2e…`
std::string column_of(const std::string& default_name) {
  return default_name.substr(0, default_name.rfind(' '));
}

std::string table_named(const rt::Retype& retype, std::uint32_t oid) {
  for (const auto& table : retype.graph.tables) {
    if (table.oid == oid) return table.sql();
  }
  return {};
}

/// Why the graph cannot be read; empty: it can.
std::string what_changed(pg::Session& session, const RetypeStep& step,
                         const std::vector<rt::MadeObject>& objects,
                         const std::map<std::uint32_t, rt::TableNow>& tables, std::int64_t step_id) {
  if (objects.empty()) return {};  // begun by an older program, which noted nothing
  std::string why;
  try {
    (void)read_retype(session, step, owner_of(session, step_id));
    return {};
  } catch (const Error& e) {
    why = e.what();
  }
  std::string text;
  for (const auto& object : objects) {
    if (object.kind != "table") continue;
    const auto now = tables.find(object.table_oid);
    if (now != tables.end() && now->second.sql == object.name) continue;
    text += (text.empty() ? "" : ", ") + ("table " + object.name) +
            (now == tables.end() ? " is gone" : " is now " + now->second.sql);
  }
  if (text.empty() && why.find("has no column") == std::string::npos) throw Error(ExitCode::kRefused, why);
  return text.empty() ? why : text;
}

// Sequences that old columns own, and that would be dropped with them.
constexpr const char* kOwnedSequences = R"sql(
SELECT coalesce(string_agg(DISTINCT d.objid::regclass::text, ', '), '')
FROM unnest($1::oid[], $2::text[]) AS o(relid, name)
JOIN pg_catalog.pg_attribute a ON a.attrelid = o.relid AND '"' || replace(a.attname, '"', '""') || '"' = o.name
JOIN pg_catalog.pg_depend d ON d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND d.deptype IN ('a', 'i')
                           AND d.classid = 'pg_catalog.pg_class'::regclass
JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
)sql";

void refuse_to_take_sequences(pg::Session& session, const RetypeStep& step,
                              const std::vector<rt::MadeObject>& objects) {
  std::vector<std::string> oids, names;
  for (const auto& object : objects) {
    if (object.kind != "old column") continue;
    oids.push_back(std::to_string(object.table_oid));
    names.push_back(object.name);
  }
  const auto sequences = session.exec(kOwnedSequences, {pg::to_array(oids), pg::to_array(names)}).text(0, 0);
  if (sequences.empty()) return;
  throw Error(
      ExitCode::kRefused,
      "step \"" + step.name + "\" cannot be contracted: sequence " + sequences +
          ", which gives new keys, would be dropped with the old column",
      "give the new column a default of its own, and make it the owner with ALTER SEQUENCE … OWNED BY");
}

}  // namespace

void note_objects(pg::Session& session, const rt::Retype& retype, std::int64_t step_id) {
  ledger::note_objects(session, step_id, as_noted(rt::objects_to_be_made(retype)));
}

void note_defaults(pg::Session& session, const rt::Retype& retype, std::int64_t step_id) {
  ledger::note_objects(session, step_id, as_noted(rt::defaults_made(session, retype.graph)));
}

std::vector<std::string> defaults_changed_since(pg::Session& session, const rt::Retype& retype,
                                                std::int64_t step_id) {
  std::vector<std::string> out;
  const auto noted_then = noted(session, step_id);
  const auto made =
      pg::in_transaction(session, kCatalogLimits, [&] { return rt::defaults_made(session, retype.graph); });
  for (const auto& now : made) {
    const auto is_of_column = [&](const rt::MadeObject& object) {
      return object.kind == "default" && object.table_oid == now.table_oid &&
             column_of(object.name) == column_of(now.name);
    };
    const auto then = std::find_if(noted_then.begin(), noted_then.end(), is_of_column);
    if (then != noted_then.end() && then->name != now.name)
      out.push_back("column " + column_of(now.name) + " of table " + table_named(retype, now.table_oid) +
                    " has another default than the cut-over gave it");
  }
  return out;
}

std::vector<std::string> removal_of_leftovers(pg::Session& session, std::int64_t step_id) {
  auto objects = noted(session, step_id);
  // A table that has left the graph still has its triggers.
  std::erase_if(objects, [](const auto& object) {
    return object.kind != "trigger" && object.kind != "function" && object.kind != "sequence";
  });
  return rt::removal_of(objects, rt::tables_now(session, objects), "");
}

std::vector<std::string> tables_left_behind(pg::Session& session, const rt::Retype& retype,
                                            std::int64_t step_id) {
  const auto objects = rt::left_behind(retype.graph, noted(session, step_id));
  std::vector<std::string> out;
  for (const auto& [oid, table] : rt::tables_now(session, objects)) out.push_back(table.sql);
  return out;
}

std::vector<std::string> names_left_behind(pg::Session& session, const rt::Retype& retype,
                                           std::int64_t step_id) {
  std::vector<std::string> out;
  for (const auto& object : rt::left_behind(retype.graph, noted(session, step_id))) {
    if (object.kind == "table" || object.kind == "partition") out.push_back(object.name);
  }
  return out;
}

std::vector<std::string> columns_left_behind(pg::Session& session, const rt::Retype& retype,
                                             std::int64_t step_id) {
  std::vector<std::string> out;
  for (const auto& old : rt::columns_left(retype.graph, noted(session, step_id), "old column"))
    out.push_back("the column beside " + old.name + " of table " + table_named(retype, old.table_oid));
  return out;
}

void refuse_other_columns(pg::Session& session, const rt::Retype& retype, std::int64_t step_id) {
  const auto objects = noted(session, step_id);
  const auto refuse = [&](const rt::MadeObject& shadow, const std::string& what, const std::string& hint) {
    throw Error(ExitCode::kRefused,
                "step \"" + retype.step.name + "\" cannot go on: the column beside " + shadow.name +
                    " of table " + table_named(retype, shadow.table_oid) + what,
                hint);
  };
  for (const auto& shadow : rt::columns_left(retype.graph, objects, "column"))
    refuse(shadow, " was renamed, or no longer refers to anything that changes",
           "give it back its name or its foreign key; or pgsluice rollback, then run again");
  for (const auto& table : retype.graph.tables) {
    for (const auto& column : table.columns) {
      if (!column.refers_to || column.source.default_sql.empty() || rt::is_by_value(retype.step)) continue;
      throw Error(ExitCode::kRefused,
                  "step \"" + retype.step.name + "\" cannot go on: column " +
                      pg::Identifier(column.name).sql() + " of table " + table.sql() +
                      " was given a default, which cannot look up the new value drawn for its parent",
                  "drop the default, and set it again after the cut-over");
    }
  }
  for (const auto& shadow : rt::shadows_lacking(retype.graph, objects))
    refuse(shadow, " has been given a foreign key since the step began",
           "drop that foreign key until the cut-over; or pgsluice rollback, then run again");
}

void take_away_left_behind(pg::Session& session, const RetypeStep& step, const rt::Retype& retype,
                           std::int64_t step_id, const std::string& going) {
  const auto all = noted(session, step_id);
  auto objects = rt::left_behind(retype.graph, all);
  for (auto& column : rt::columns_left(retype.graph, all, going)) {
    for (const auto& object : all) {  // a foreign key's twin and the triggers would hold the column
      if (object.table_oid == column.table_oid && (object.kind == "constraint" || object.kind == "trigger"))
        objects.push_back(object);
    }
    objects.push_back(std::move(column));
  }
  if (objects.empty()) return;
  if (going == "old column") refuse_to_take_sequences(session, step, objects);
  for (const auto& sql : rt::removal_of(objects, rt::tables_now(session, objects), going)) session.exec(sql);
  ledger::forget_objects(session, step_id, as_noted(objects));
}

bool take_away_what_is_left(OperatorAct& act, const RetypeStep& step, const RemovalMove& move) {
  auto& session = act.session();
  const auto objects = noted(session, move.step_id);
  const auto tables = rt::tables_now(session, objects);
  const auto changed = what_changed(session, step, objects, tables, move.step_id);
  if (changed.empty()) return false;
  // After the cut-over a way back is possible only from the old columns.
  if (move.from == RetypeDetail::kCutOver && move.to == RetypeDetail::kTakenBack && !tables.empty())
    throw Error(ExitCode::kRefused, "step \"" + step.name + "\" cannot go back: " + changed,
                "give the table its name back; or contract, which drops the old columns that are left");
  if (move.going == "old column") refuse_to_take_sequences(session, step, objects);
  const auto statements = rt::removal_of(objects, tables, move.going);
  act.journal().warn("step \"" + step.name + "\": " + changed +
                     "; what it added is dropped from the tables that are left");
  std::vector<std::string> names;
  for (const auto& [oid, table] : tables) names.push_back(table.sql);
  bool is_moved = false;
  act.insist(
      {"what step \"" + step.name + "\" added could not be dropped",
       "end the sessions in its way (the event log names them), then try again",
       "nothing was changed; correct what the server reports, then try again"},
      [&] {
        is_moved =
            pg::in_transaction(session, {steps::kDdlLockTimeout, std::chrono::milliseconds{0}, true}, [&] {
              if (!ledger::move_retype(session, move.step_id, move.from, move.to, move.state)) return false;
              for (const auto& sql : statements) session.exec(sql);
              ledger::forget_objects(session, move.step_id);
              return true;
            });
      },
      [&] { return holders_of(session, names); });
  if (!is_moved)
    throw Error(ExitCode::kRefused, "somebody else has just moved on with step \"" + step.name + "\"",
                "pgsluice status shows where it stands");
  act.journal().write(event::State{move.from, move.to, changed});
  act.store_events();
  return true;
}

}  // namespace pgsluice::engine
