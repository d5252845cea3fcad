#include "kinds/retype/rehearsal/likeness.hpp"

#include <set>

#include "kinds/retype/cutover/scripts/move_scripts.hpp"
#include "kinds/retype/dependents/bound_nodes.hpp"
#include "kinds/retype/graph/exact_settings.hpp"
#include "kinds/retype/mapping/twins.hpp"
#include "kinds/retype/rehearsal/sampled_rows.hpp"
#include "pg/connection/savepoint.hpp"
#include "pg/identifier.hpp"
#include "pg/key.hpp"

namespace pgsluice::steps::retype {
namespace {

constexpr const char* kPartitioning = R"sql(
SELECT ' PARTITION BY ' || pg_catalog.pg_get_partkeydef($1::oid)
)sql";

constexpr const char* kBound = R"sql(
SELECT pg_catalog.pg_get_expr(c.relpartbound, c.oid) FROM pg_catalog.pg_class c WHERE c.oid = $1::oid
)sql";

// The existing keys: the primary key, and all keys that hold a changing column.
constexpr const char* kKey = R"sql(
SELECT pg_catalog.pg_get_constraintdef(c.oid) FROM pg_catalog.pg_constraint c
WHERE c.conrelid = $1::oid AND c.conname = $2
)sql";

constexpr const char* kPrimaryKey = R"sql(
SELECT c.conname, pg_catalog.pg_get_constraintdef(c.oid) FROM pg_catalog.pg_constraint c
WHERE c.conrelid = $1::oid AND c.contype = 'p'
)sql";

constexpr const char* kRelations = R"sql(
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY ($1::oid[]) OR c.oid IN (SELECT pg_catalog.to_regclass(s) FROM unnest($2::text[]) s)
UNION ALL
SELECT n.nspname, s.stxname FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
WHERE s.oid = ANY ($1::oid[])
)sql";

constexpr int kSameLengthMost = 100;  // how many names of the same length are tried

// Kinds that are left out: the real objects would be changed, or creating them would have an effect.
const std::set<std::string> kLeftOut{"publication", "function", "rule"};

std::string as_it_is(const std::string& name) {
  return name;
}

/// A schema name of the same length, so that names cut to 63 bytes are cut alike.
std::string scratch_name(pg::Session& session, std::size_t length,
                         const std::map<std::string, std::string>& taken) {
  // Two simultaneous rehearsals begin at different numbers, and do not wait for each other's schemas.
  const int first = session.backend_pid() % kSameLengthMost;
  for (int number = first;; ++number) {
    // If the length leaves no room for a free number, a longer name has to do.
    auto name = "r" + std::to_string(number) + "_pgsluice_rehearsal" + std::string(63, '_');
    name.resize(number < first + kSameLengthMost ? length : 63);
    bool is_free =
        session.exec("SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)", {name})
            .boolean(0, 0);
    for (const auto& [real, scratch] : taken) is_free = is_free && scratch != name;
    if (is_free) return name;
  }
}

bool is_letter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '"' || c == '$' ||
         (static_cast<unsigned char>(c) & 0x80U);
}

/// Replaces a qualified name where it is not part of a longer one.
void replace_name(std::string& sql, const std::string& from, const std::string& to) {
  for (auto at = sql.find(from); at != std::string::npos; at = sql.find(from, at)) {
    const auto end = at + from.size();
    const bool is_whole = (at == 0 || !is_letter(sql[at - 1])) && (end == sql.size() || !is_letter(sql[end]));
    if (is_whole) sql.replace(at, from.size(), to);
    at += is_whole ? to.size() : from.size();
  }
}

}  // namespace

Likeness::Likeness(pg::Session& session, const Retype& retype)
    : session_(session), retype_(retype), like_(retype), step_(retype.step) {
  name_relations();
  make_tables();
  take_rows();
  make_keys();
  make_bound_objects();
  for (auto& table : step_.tables) {
    const auto real = session_.exec(
        "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "
        "c.relnamespace WHERE c.oid = $1::pg_catalog.regclass",
        {pg::Identifier(table.schema, table.name).sql()});
    table = {schemas_.at(real.text(0, 0)), real.text(0, 1)};
  }
}

const std::string& Likeness::scratch_of(const std::string& schema) {
  auto& scratch = schemas_[schema];
  if (scratch.empty()) {
    scratch = scratch_name(session_, schema.size(), schemas_);
    session_.exec("CREATE SCHEMA " + pg::Identifier(scratch).sql());
  }
  return scratch;
}

void Likeness::name_relation(const std::string& schema, const std::string& name) {
  const auto scratch = pg::Identifier(scratch_of(schema), name).sql();
  names_[pg::Identifier(schema, name).sql()] = scratch;  // as we write it
  names_[session_.exec("SELECT pg_catalog.format('%I.%I', $1::text, $2::text)", {schema, name}).text(0, 0)] =
      scratch;  // as the server writes it
}

void Likeness::name_relations() {
  std::vector<ColumnPlace> places;
  std::vector<std::string> sequences;
  for (const auto& table : retype_.graph.tables) {
    name_relation(table.schema, table.name);
    for (const auto& partition : table.partitions) name_relation(partition.schema, partition.name);
    for (const auto& column : table.columns) {
      places.push_back({table.oid, table.sql(), column.attnum, column.name});
      if (!column.source.sequence_sql.empty()) sequences.push_back(column.source.sequence_sql);
      for (const auto& sequence : column.source.drawn_from) sequences.push_back(sequence);
    }
  }
  const ExactSettings settings(session_);
  std::vector<std::string> bound;
  for (const auto& node : find_bound_nodes(session_, places)) {
    if (node.kind == "view" || node.kind == "statistics") bound.push_back(std::to_string(node.oid));
  }
  const auto rows = session_.exec(kRelations, {pg::to_array(bound), pg::to_array(sequences)});
  for (std::size_t i = 0; i < rows.size(); ++i) name_relation(rows.text(i, 0), rows.text(i, 1));
  for (auto& table : like_.graph.tables) {
    table.schema = scratch_of(table.schema);
    for (auto& partition : table.partitions) partition.schema = scratch_of(partition.schema);
  }
}

void Likeness::make_tables() {
  const auto like = [&](const std::string& scratch, const std::string& real) {
    return "CREATE TABLE " + scratch + " (LIKE " + real + " INCLUDING CONSTRAINTS INCLUDING GENERATED)";
  };
  const ExactSettings settings(session_);
  for (std::size_t t = 0; t < like_.graph.tables.size(); ++t) {
    const auto& real = retype_.graph.tables[t];
    const auto& table = like_.graph.tables[t];
    std::string partitioning;
    if (table.kind == "p") partitioning = session_.exec(kPartitioning, {std::to_string(real.oid)}).text(0, 0);
    session_.exec(like(table.sql(), real.sql()) + partitioning);
    for (std::size_t p = 0; p < table.partitions.size(); ++p) {
      const auto& partition = table.partitions[p].sql();
      session_.exec(like(partition, real.partitions[p].sql()));
      const auto bound = session_.exec(kBound, {std::to_string(real.partitions[p].oid)}).text(0, 0);
      session_.exec("ALTER TABLE " + table.sql() + " ATTACH PARTITION " + partition + " " + bound);
    }
    make_sequences(table);
  }
}

void Likeness::make_sequences(const GraphTable& table) {
  for (const auto& column : table.columns) {
    const auto& source = column.source;
    const auto alter = "ALTER TABLE " + table.sql() + " ALTER COLUMN " + pg::Identifier(column.name).sql();
    auto sequences = source.drawn_from;
    if (!source.sequence_sql.empty() && source.identity.empty()) sequences.push_back(source.sequence_sql);
    const auto failure = pg::attempt(session_, [&] {
      if (!source.identity.empty()) session_.exec(alter + " ADD " + likened(source.identity));
      for (const auto& sequence : sequences) {
        if (const auto name = likened(sequence); name != sequence)
          session_.exec("CREATE SEQUENCE IF NOT EXISTS " + name + " AS " + column.old_type.base_sql);
      }
      if (!source.sequence_sql.empty() && source.identity.empty())
        session_.exec("ALTER SEQUENCE " + likened(source.sequence_sql) + " OWNED BY " + table.sql() + "." +
                      pg::Identifier(column.name).sql());
      if (!source.default_sql.empty() && source.identity.empty())
        session_.exec(alter + " SET DEFAULT " + likened(source.default_sql));
    });
    if (failure) remarks_.push_back("default of " + column.name + ": " + failure->what());
  }
}

void Likeness::take_rows() {
  for (auto& remark : sample_rows(session_, retype_.graph, like_.graph))
    remarks_.push_back(std::move(remark));
}

void Likeness::make_keys() {
  for (std::size_t t = 0; t < like_.graph.tables.size(); ++t) {
    const auto& real = retype_.graph.tables[t];
    const auto& table = like_.graph.tables[t];
    const auto add = [&](const std::string& name, const std::string& definition) {
      session_.exec("ALTER TABLE " + table.sql() + " ADD CONSTRAINT " + pg::Identifier(name).sql() + " " +
                    definition);
    };
    const auto primary = session_.exec(kPrimaryKey, {std::to_string(real.oid)});
    if (!primary.empty()) add(primary.text(0, 0), primary.text(0, 1));
    for (const auto& index : table.indexes) {
      if (is_primary(index)) continue;
      if (index.constraint_type == "u")
        add(index.name, session_.exec(kKey, {std::to_string(real.oid), index.name}).text(0, 0));
      else
        session_.exec(index_twin_sql(like_, table, index, {table.sql(), ""}, index.name, as_it_is));
    }
  }
  for (const auto& key : like_.graph.foreign_keys)
    session_.exec(foreign_key_twin_sql(like_, key, like_.table(key.table).sql(), key.name, as_it_is) +
                  (key.is_validated || like_.table(key.table).kind == "p" ? "" : " NOT VALID"));
}

void Likeness::make_bound_objects() {
  const auto bound = bound_objects(session_, retype_.graph);
  const ExactSettings settings(session_);
  for (auto object = bound.rbegin(); object != bound.rend(); ++object) {
    if (kLeftOut.count(object->kind)) continue;
    const auto failure = pg::attempt(session_, [&] {
      for (const auto& sql : object->create) session_.exec(likened(sql));
    });
    if (failure) remarks_.push_back(object->name + ": " + failure->what());
  }
  for (const auto& table : like_.graph.tables)
    session_.exec("ALTER TABLE " + table.sql() + " DISABLE TRIGGER USER");
}

std::string Likeness::likened(std::string sql) const {
  for (const auto& [real, scratch] : names_) replace_name(sql, real, scratch);
  return sql;
}

std::string Likeness::original(std::string sql) const {
  for (const auto& [real, scratch] : schemas_) {
    replace_name(sql, pg::Identifier(scratch).sql(), pg::Identifier(real).sql());
    replace_name(sql, scratch, real);
  }
  return sql;
}

}  // namespace pgsluice::steps::retype
