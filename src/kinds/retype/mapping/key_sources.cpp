#include "kinds/retype/mapping/key_sources.hpp"

#include <set>
#include <string_view>

#include "kinds/retype/mapping/mapping.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::steps::retype {
namespace {

// Numbers drawn between cut-over and contract: enough for 11 days at 1 a second.
constexpr const char* kRoomForKeys = "1000000";

// An old column's default between cut-over and contract: it draws nothing, does not fail for a number that
// only the new type can hold, and keeps its wording for the way back.
constexpr const char* kAsleep = "CASE WHEN false THEN ";
constexpr std::string_view kAsleepThen = "WHEN false THEN ";  // as the server writes it, over several lines

// Reads an identity's sequence before it is dropped with the identity. Limits that equal its type's limits
// follow the type, as with ALTER SEQUENCE … AS; others stay as far as the new type allows.
constexpr const char* kReadIdentity = R"sql(
DECLARE v_at record; v_of record; v_old record; v_new record; v_role record; v_min numeric; v_max numeric;
BEGIN
  SELECT last_value, is_called INTO v_at FROM $SEQUENCE;
  SELECT q.*, c.relacl, c.relowner, pg_catalog.obj_description(c.oid, 'pg_class') AS words, a.attidentity INTO v_of
  FROM pg_catalog.pg_sequence q JOIN pg_catalog.pg_class c ON c.oid = q.seqrelid
  JOIN pg_catalog.pg_attribute a ON a.attrelid = $OID AND a.attname = $FROM_NAME
  WHERE q.seqrelid = $NAME::pg_catalog.regclass;
  SELECT -pg_catalog.trunc(2::numeric ^ (8 * typlen - 1)) AS lowest, pg_catalog.trunc(2::numeric ^ (8 * typlen - 1)) - 1 AS highest
  INTO v_old FROM pg_catalog.pg_type WHERE oid = v_of.seqtypid;
  SELECT -pg_catalog.trunc(2::numeric ^ (8 * typlen - 1)) AS lowest, pg_catalog.trunc(2::numeric ^ (8 * typlen - 1)) - 1 AS highest
  INTO v_new FROM pg_catalog.pg_type WHERE oid = $TYPE::pg_catalog.regtype;
  v_min := CASE WHEN v_of.seqmin = v_old.lowest THEN v_new.lowest ELSE greatest(v_of.seqmin, v_new.lowest) END;
  v_max := CASE WHEN v_of.seqmax = v_old.highest THEN v_new.highest ELSE least(v_of.seqmax, v_new.highest) END;
  ALTER TABLE $TABLE ALTER COLUMN $FROM DROP IDENTITY;
)sql";

// Lets its successor continue where it stood, with its privileges and its comment.
constexpr const char* kFollowIdentity = R"sql(
  PERFORM pg_catalog.setval($NAME, v_at.last_value, v_at.is_called);
  FOR v_role IN SELECT a.privilege_type, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::pg_catalog.regrole::text END AS name,
                       CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS options
    FROM pg_catalog.aclexplode(v_of.relacl) AS a WHERE a.grantee <> v_of.relowner LOOP
    EXECUTE pg_catalog.format('GRANT %s ON SEQUENCE %s TO %s%s', v_role.privilege_type, $NAME, v_role.name, v_role.options);
  END LOOP;
  IF v_of.words IS NOT NULL THEN EXECUTE pg_catalog.format('COMMENT ON SEQUENCE %s IS %L', $NAME, v_of.words); END IF;
)sql";

// An identity cannot change its column.
constexpr const char* kMoveIdentity = R"sql(
  EXECUTE pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I ADD GENERATED %s AS IDENTITY (SEQUENCE NAME %s START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s CACHE %s %s)',
    $TABLE_NAME, $TO_NAME, CASE v_of.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END, $NAME, greatest(least(v_of.seqstart, v_max), v_min),
    v_of.seqincrement, v_min, v_max, v_of.seqcache, CASE WHEN v_of.seqcycle THEN 'CYCLE' ELSE '' END);
)sql";

constexpr const char* kIdentityToSequence = R"sql(
  EXECUTE pg_catalog.format('CREATE SEQUENCE %s START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s CACHE %s %s', $NAME,
    v_of.seqstart, v_of.seqincrement, v_min, v_max, v_of.seqcache, CASE WHEN v_of.seqcycle THEN 'CYCLE' ELSE '' END);
)sql";

// A role that may insert may draw, as with an identity. A sequence can only be owned by a column of a table
// with the same owner.
constexpr const char* kHandOutSequence = R"sql(
  FOR v_role IN SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::pg_catalog.regrole::text END AS name
    FROM (SELECT relacl AS acl FROM pg_catalog.pg_class WHERE oid = $OID
          UNION ALL SELECT attacl FROM pg_catalog.pg_attribute WHERE attrelid = $OID) AS p,
      LATERAL pg_catalog.aclexplode(p.acl) AS a WHERE a.privilege_type = 'INSERT' LOOP
    EXECUTE pg_catalog.format('GRANT USAGE ON SEQUENCE %s TO %s', $NAME, v_role.name);
  END LOOP;
  EXECUTE (SELECT pg_catalog.format('ALTER SEQUENCE %s OWNER TO %s', $NAME, relowner::pg_catalog.regrole)
           FROM pg_catalog.pg_class WHERE oid = $OID);
  EXECUTE pg_catalog.format('ALTER SEQUENCE %s OWNED BY %s', $NAME, $COLUMN);
)sql";

// For instance, a detached partition still draws from it.
constexpr const char* kLeaveSequence = R"sql(
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_depend p JOIN pg_catalog.pg_attrdef d ON d.oid = p.objid
             WHERE p.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND p.refobjid = $NAME::pg_catalog.regclass
               AND d.adrelid <> $OID
               AND d.adrelid NOT IN (SELECT t.relid FROM pg_catalog.pg_partition_tree($OID::pg_catalog.regclass) t)) THEN
    ALTER SEQUENCE $SEQUENCE OWNED BY NONE;
  END IF;
END)sql";

std::string quoted(const std::string& name) {
  return pg::Identifier(name).sql();
}

Place place_of(const Retype& retype, const GraphTable& table, const GraphColumn& column) {
  return {static_cast<int>(&table - retype.graph.tables.data()),
          static_cast<int>(&column - table.columns.data())};
}

/// Statements over one column of one table.
class Column {
 public:
  Column(const GraphTable& table, std::vector<std::string>& out) : table_(table), out_(out) {}

  void alter(const std::string& column, const std::string& change) {
    out_.push_back("ALTER TABLE " + table_.sql() + " ALTER COLUMN " + quoted(column) + " " + change);
  }
  void own(const std::string& sequence, const std::string& column) {
    out_.push_back("ALTER SEQUENCE " + sequence + " OWNED BY " + table_.sql() + "." + quoted(column));
  }
  void run(std::string sql) { out_.push_back(std::move(sql)); }

  /// The identity of the column `from` becomes that of the column `to`, which is of the integer `type`.
  void move_identity(const ColumnSource& source, const std::string& from, const std::string& to,
                     const std::string& type) {
    run_over_identity(std::string(kReadIdentity) + kMoveIdentity + kFollowIdentity, source, from, to, type);
  }

  /// The identity of the column `from` becomes an ordinary sequence that the column `to` owns.
  void turn_identity_into_sequence(const ColumnSource& source, const std::string& from,
                                   const std::string& to) {
    run_over_identity(std::string(kReadIdentity) + kIdentityToSequence + kFollowIdentity + kHandOutSequence,
                      source, from, to, "pg_catalog.int8");
  }

  /// For a sequence that would be dropped with the old column: it stays if others draw from it.
  void leave_sequence_to_others(const ColumnSource& source) {
    auto body = with_names(kLeaveSequence, source);
    run("DO " + pg::literal(body));
  }

 private:
  void run_over_identity(std::string body, const ColumnSource& source, const std::string& from,
                         const std::string& to, const std::string& type) {
    body = with_names(std::move(body), source);
    put(body, "$FROM_NAME", pg::literal(from));
    put(body, "$FROM", quoted(from));
    put(body, "$TO_NAME", pg::literal(to));
    put(body, "$TYPE", pg::literal(type));
    put(body, "$COLUMN", pg::literal(table_.sql() + "." + quoted(to)));
    run("DO " + pg::literal(body + "END"));
  }

  std::string with_names(std::string body, const ColumnSource& source) const {
    put(body, "$SEQUENCE", source.sequence_sql);
    put(body, "$NAME", pg::literal(source.sequence_sql));
    put(body, "$TABLE_NAME", pg::literal(table_.sql()));
    put(body, "$TABLE", table_.sql());
    put(body, "$OID", std::to_string(table_.oid));
    return body;
  }

  static void put(std::string& body, const std::string& name, const std::string& value) {
    for (auto at = body.find(name); at != std::string::npos; at = body.find(name, at + value.size()))
      body.replace(at, name.size(), value);
  }

  const GraphTable& table_;
  std::vector<std::string>& out_;
};

/// A sequence may lag behind keys that the application gave out itself, and from now on it gives out all
/// keys. Keys far ahead come from a range of their own, which is left alone.
std::string pass_keys(const GraphTable& table, const GraphColumn& column) {
  const auto sequence = pg::literal(column.source.sequence_sql);
  const auto old = quoted(old_name(column.name));
  return "SELECT pg_catalog.setval(" + sequence + ", k.last) FROM " + column.source.sequence_sql +
         " AS q, pg_catalog.pg_sequence AS s, LATERAL (SELECT max(" + old + ") AS last FROM " + table.sql() +
         " WHERE " + old + " >= q.last_value AND " + old +
         " <= q.last_value + least(least(s.seqincrement, 1000) * " + kRoomForKeys +
         ", s.seqmax - q.last_value)) AS k WHERE s.seqrelid = " + sequence +
         "::pg_catalog.regclass AND s.seqincrement > 0 AND k.last IS NOT NULL AND (k.last > q.last_value OR "
         "NOT q.is_called)";
}

/// Old keys that the application used to give out now come from a sequence of ours, starting after the
/// highest.
void start_key_sequence(const Retype& retype, const GraphTable& table, const GraphColumn& column,
                        Column& change) {
  const auto sequence = key_sequence(retype.owner, table, column);
  change.run("CREATE SEQUENCE " + sequence);
  change.run("SELECT pg_catalog.setval(" + pg::literal(sequence) + ", greatest(1, (SELECT max(" +
             quoted(old_name(column.name)) + ") FROM " + table.sql() + "))::pg_catalog.int8)");
}

void hand_over(const Retype& retype, const GraphTable& table, const GraphColumn& column, Column& change) {
  const auto& source = column.source;
  const auto old = old_name(column.name);
  if (!source.identity.empty())
    return change.move_identity(source, old, column.name, retype.graph.to.base_sql);
  if (source.default_sql.empty()) return;
  change.alter(old, std::string("SET DEFAULT ") + kAsleep + "(" + source.default_sql + ") END");
  if (!source.sequence_sql.empty()) {
    change.run("ALTER SEQUENCE " + source.sequence_sql + " AS " + retype.graph.to.base_sql);
    change.own(source.sequence_sql, column.name);
  }
  change.alter(column.name,
               "SET DEFAULT " + new_value_of(retype, place_of(retype, table, column), source.default_sql));
}

/// The default inside kAsleep; empty: it is not put to sleep.
std::string awake(const std::string& default_sql) {
  const auto start = default_sql.find_first_not_of(" \n");
  const auto begin = default_sql.find(kAsleepThen);
  const auto end = default_sql.rfind("ELSE ");
  if (start == std::string::npos || default_sql.compare(start, 4, "CASE") != 0 ||
      begin == std::string::npos || end == std::string::npos)
    return {};
  const auto first = begin + kAsleepThen.size();
  return default_sql.substr(first, default_sql.find_last_not_of(" \n", end - 1) + 1 - first);
}

void take_back(const GraphColumn& column, const std::string& coming, Column& change) {
  const auto& sequence = column.source.sequence_sql;
  auto before = awake(column.old_source.default_sql);
  if (!sequence.empty()) {
    change.alter(coming, "DROP DEFAULT");
    change.run("ALTER SEQUENCE " + sequence + " AS " + column.old_type.base_sql);
    change.own(sequence, column.name);
    if (before.empty()) before = "pg_catalog.nextval(" + pg::literal(sequence) + ")";
  }
  if (!before.empty()) change.alter(column.name, "SET DEFAULT " + before);
}

bool draws_a_number(const ColumnSource& source) {
  return !source.identity.empty() || !source.sequence_sql.empty();
}

/// Where the old values come from, before the cut-over and after it.
const ColumnSource& old_source(const GraphColumn& column) {
  return column.old_source.is_none() ? column.source : column.old_source;
}

}  // namespace

bool moves_source(const Retype& retype, const GraphColumn& column) {
  static const std::set<std::string> kIntegers{"smallint", "integer", "bigint"};
  return !column.refers_to && retype.step.new_ids.empty() && is_back_by_value(retype.step) &&
         kIntegers.count(retype.graph.to.base_sql) > 0;
}

bool takes_key_from_old(const Retype& retype, const GraphColumn& column) {
  // Where old keys are looked up, the trigger runs with its owner's rights and must not hold an expression
  // from the operator.
  const bool is_unfit = retype.step.mapping == Mapping::kUsing && !is_back_by_value(retype.step);
  return !column.refers_to && column.is_not_null && retype.step.new_ids.empty() && is_by_value(retype.step) &&
         !is_unfit && !moves_source(retype, column) && draws_a_number(old_source(column));
}

OldKeys old_keys_of(const Retype& retype, const GraphColumn& column) {
  static const std::set<std::string> kNumbers{"smallint", "integer", "bigint", "numeric"};
  static const std::set<std::string> kTexts{"text", "character varying"};
  if (column.refers_to || is_back_by_value(retype.step) || !old_source(column).is_none())
    return OldKeys::kGivenByColumn;
  if (kNumbers.count(column.old_type.base_sql)) return OldKeys::kFromOurSequence;
  return kTexts.count(column.old_type.base_sql) ? OldKeys::kTextOfNewKey : OldKeys::kNone;
}

std::string new_default(const Retype& retype, Place place) {
  const auto& column = retype.graph.at(place);
  if (!column.refers_to && !retype.step.new_ids.empty()) return retype.step.new_ids;
  if (!column.refers_to && retype.step.mapping == Mapping::kRandom && !column.source.is_none())
    return "pg_catalog.gen_random_uuid()";
  if (column.source.default_sql.empty() || !is_by_value(retype.step) || moves_source(retype, column) ||
      takes_key_from_old(retype, column))
    return {};
  return new_value_of(retype, place, column.source.default_sql);
}

std::vector<std::string> sequences_to_widen(const Retype& retype, const GraphTable& table) {
  std::vector<std::string> out;
  for (const auto& column : table.columns) {
    if (!moves_source(retype, column) || retype.graph.to.base_sql != "bigint") continue;
    for (const auto& sequence : column.source.drawn_from) out.push_back(sequence);
  }
  return out;
}

std::vector<std::string> hand_over_sources(const Retype& retype, const GraphTable& table) {
  std::vector<std::string> out;
  Column change(table, out);
  for (const auto& column : table.columns) {
    if (column.refers_to) continue;
    if (moves_source(retype, column)) {
      hand_over(retype, table, column, change);
    } else if (!is_back_by_value(retype.step)) {
      if (!column.source.sequence_sql.empty()) change.run(pass_keys(table, column));
      if (old_keys_of(retype, column) == OldKeys::kFromOurSequence)
        start_key_sequence(retype, table, column, change);
    }
  }
  return out;
}

std::vector<std::string> take_back_sources(const Retype& retype, const GraphTable& table) {
  std::vector<std::string> out;
  Column change(table, out);
  for (const auto& column : table.columns) {
    if (column.refers_to) continue;
    const auto coming = new_name(column.name);  // the column to be dropped
    if (!is_back_by_value(retype.step)) {
      change.run("DROP SEQUENCE IF EXISTS " + key_sequence(retype.owner, table, column));
    } else if (moves_source(retype, column) && !column.source.identity.empty()) {
      change.move_identity(column.source, coming, column.name, column.old_type.base_sql);
    } else if (moves_source(retype, column)) {
      take_back(column, coming, change);
    }
  }
  return out;
}

std::vector<std::string> settle_sources(const Retype& retype, const GraphTable& table) {
  std::vector<std::string> out;
  Column change(table, out);
  for (const auto& column : table.columns) {
    if (!column.refers_to && !is_back_by_value(retype.step))
      change.run("DROP SEQUENCE IF EXISTS " + key_sequence(retype.owner, table, column));
    const auto& source = old_source(column);
    if (!takes_key_from_old(retype, column)) {
      if (!column.old_source.sequence_sql.empty() && source.identity.empty())
        change.leave_sequence_to_others(source);
      continue;
    }
    auto value = source.default_sql;
    if (source.identity.empty()) {
      change.own(source.sequence_sql, column.name);
    } else {
      change.turn_identity_into_sequence(source, old_name(column.name), column.name);
      value = "pg_catalog.nextval(" + pg::literal(source.sequence_sql) + ")";
    }
    change.alter(column.name, "SET DEFAULT " + new_value_of(retype, place_of(retype, table, column), value));
  }
  return out;
}

}  // namespace pgsluice::steps::retype
