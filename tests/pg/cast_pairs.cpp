#include "pg/cast_pairs.hpp"

#include <map>

namespace pgsluice::test {

namespace {

using Names = std::vector<std::string>;

// Ways to declare a type that takes a modifier. The bare name of bit means one bit, so it always has one.
const std::map<std::string, Names>& declarations() {
  static const std::map<std::string, Names> all{
      {"numeric", {"numeric", "numeric(3,1)", "numeric(5,2)", "numeric(10,0)", "numeric(20,6)"}},
      {"varchar", {"varchar", "varchar(1)", "varchar(3)", "varchar(8)", "varchar(20)"}},
      {"bpchar", {"bpchar", "char(1)", "char(3)", "char(8)"}},
      {"bit", {"bit(1)", "bit(4)", "bit(8)"}},
      {"varbit", {"varbit", "varbit(1)", "varbit(4)", "varbit(8)"}},
      {"timestamp", {"timestamp", "timestamp(0)", "timestamp(3)"}},
      {"timestamptz", {"timestamptz", "timestamptz(0)", "timestamptz(3)"}},
      {"time", {"time", "time(0)", "time(3)"}},
      {"timetz", {"timetz", "timetz(0)"}},
      {"interval", {"interval", "interval(0)", "interval(3)", "interval day to second"}}};
  return all;
}

std::string declared(const std::string& type, Random& random) {
  if (type.starts_with("_")) return declared(type.substr(1), random) + "[]";
  const auto found = declarations().find(type);
  if (found != declarations().end()) return one_of(random, found->second);
  return type == "char" ? "\"char\"" : type;
}

std::string bare(const std::string& type) {
  if (type.starts_with("_")) return bare(type.substr(1)) + "[]";
  if (type == "bit") return "bit(4)";
  return type == "char" ? "\"char\"" : type;
}

CastPair pair_of(const std::string& from, const std::string& to) {
  return {{bare(from), from}, {bare(to), to}};
}

bool has_citext(Db& db) {
  return db.yes("SELECT count(*) > 0 FROM pg_available_extensions WHERE name = 'citext'");
}

// What an operator says in words of his own, and how he leads it back.
const std::vector<CastPair>& expressions() {
  static const std::vector<CastPair> all{
      {{"int", "int4"}, {"numeric(12,2)", "numeric"}, "c / 100.0", "(c * 100)::int"},
      {{"boolean", "bool"}, {"int", "int4"}, "CASE WHEN c THEN 1 WHEN NOT c THEN 0 END", "c <> 0"},
      {{"timestamp", "timestamp"},
       {"timestamptz", "timestamptz"},
       "c AT TIME ZONE 'UTC'",
       "c AT TIME ZONE 'UTC'"},
      {{"timestamptz", "timestamptz"},
       {"timestamp", "timestamp"},
       "c AT TIME ZONE 'Europe/Berlin'",
       "c AT TIME ZONE 'Europe/Berlin'"},
      {{"text", "text"}, {"varchar(8)", "varchar"}, "left(c, 8)", "c"},
      {{"text", "text"}, {"text", "text"}, "btrim(c)", "c"},
      {{"text", "text"}, {"int", "int4"}, "length(c)", "repeat('x', c)"},
      {{"text", "text"}, {"text[]", "_text"}, "ARRAY[c]", "c[1]"},
      {{"numeric", "numeric"}, {"bigint", "int8"}, "trunc(c)::bigint", "c::numeric"},
      {{"float8", "float8"}, {"numeric", "numeric"}, "round(c::numeric, 2)", "c::float8"}};
  return all;
}

}  // namespace

void create_pair_types(Db& db) {
  db.exec(
      "CREATE TYPE mood AS ENUM ('sad', 'ok', 'very happy', '');"
      "CREATE DOMAIN positive AS integer CHECK (VALUE > 0);"
      "CREATE DOMAIN code AS varchar(5)");
  if (has_citext(db)) db.exec("CREATE EXTENSION citext");
}

// A bare bit means bit(1), which cuts.
constexpr const char* kListed =
    "SELECT s.typname, t.typname, c.castmethod = 'b' AND coalesce(b.castmethod = 'b', false) FROM pg_cast c "
    "JOIN pg_type s ON s.oid = c.castsource JOIN pg_type t ON t.oid = c.casttarget "
    "LEFT JOIN pg_cast b ON b.castsource = t.oid AND b.casttarget = s.oid WHERE s.oid <> t.oid ORDER BY 1, 2";

ListedPairs listed_pairs(Db& db) {
  ListedPairs result;
  for (const auto& row : db.rows(kListed)) {
    if (has_values(row[0]) && has_values(row[1])) {
      result.pairs.push_back(pair_of(row[0], row[1]));
      result.pairs.back().is_same_bytes = row[2] == "t" && row[0] != "bit" && row[1] != "bit";
    } else {
      ++result.without_values;
    }
  }
  return result;
}

CastPair random_modifier_pair(Random& random) {
  static const Names types{"numeric", "numeric",  "varchar",   "varchar",     "bpchar",
                           "bit",     "varbit",   "timestamp", "timestamptz", "time",
                           "timetz",  "interval", "_numeric",  "_varchar"};
  const auto& type = one_of(random, types);
  CastPair pair = pair_of(type, type);
  while (pair.from.sql == pair.to.sql) pair = with_modifiers(pair, random);
  return pair;
}

std::vector<CastPair> unlisted_pairs(Db& db) {
  std::vector<CastPair> result = expressions();
  for (const auto* other : {"int4",  "int8",      "numeric",  "bool",   "jsonb", "json",     "uuid",
                            "bytea", "mood",      "positive", "code",   "inet",  "_int4",    "_text",
                            "date",  "timestamp", "interval", "float8", "bit",   "int4range"}) {
    result.push_back(pair_of("text", other));
    result.push_back(pair_of(other, "text"));
    result.push_back(pair_of(other, "varchar"));
  }
  static const std::vector<std::pair<const char*, const char*>> more{
      {"int4", "positive"},  {"positive", "int4"},    {"int8", "positive"}, {"positive", "numeric"},
      {"varchar", "code"},   {"code", "bpchar"},      {"bpchar", "int4"},   {"varchar", "mood"},
      {"_int4", "_int8"},    {"_int8", "_int4"},      {"_int4", "_text"},   {"_text", "_varchar"},
      {"_numeric", "_int4"}, {"_float8", "_numeric"}, {"_text", "_int4"}};
  for (const auto& [from, to] : more) result.push_back(pair_of(from, to));
  if (!has_citext(db)) return result;
  for (const auto* other : {"text", "varchar", "bpchar", "int4", "mood"}) {
    result.push_back(pair_of("citext", other));
    result.push_back(pair_of(other, "citext"));
  }
  return result;
}

CastPair with_modifiers(CastPair pair, Random& random) {
  if (!pair.forth.empty()) return pair;
  pair.from.sql = declared(pair.from.values, random);
  pair.to.sql = declared(pair.to.values, random);
  pair.is_same_bytes = pair.is_same_bytes && (pair.from.sql + pair.to.sql).find('(') == std::string::npos;
  return pair;
}

}  // namespace pgsluice::test
