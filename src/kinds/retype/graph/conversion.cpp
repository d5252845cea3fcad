#include "kinds/retype/graph/conversion.hpp"

#include <set>

#include "pgsluice/error.hpp"

namespace pgsluice::steps::retype {
namespace {

constexpr const char* kType = R"sql(
WITH RECURSIVE strip(oid, typmod, depth) AS (
  SELECT pg_catalog.to_regtype($1)::oid, -1, 0
  UNION ALL
  SELECT t.typbasetype, t.typtypmod, s.depth + 1
  FROM strip s JOIN pg_catalog.pg_type t ON t.oid = s.oid WHERE t.typtype = 'd'
)
SELECT t.oid, b.oid, pg_catalog.format_type(t.oid, -1), pg_catalog.format_type(b.oid, -1), b.typname,
       (SELECT max(typmod) FROM strip) >= 0, t.typtype = 'd',
       EXISTS (SELECT FROM pg_catalog.pg_opclass k JOIN pg_catalog.pg_am am ON am.oid = k.opcmethod
               WHERE am.amname = 'btree' AND k.opcdefault
                 AND (k.opcintype = b.oid OR b.typtype IN ('e', 'r') OR b.typcategory = 'S'
                      OR (b.typcategory = 'A' AND EXISTS (
                            SELECT FROM pg_catalog.pg_opclass ek
                            WHERE ek.opcmethod = am.oid AND ek.opcdefault AND ek.opcintype = b.typelem)))),
       CASE WHEN t.typnotnull THEN 'it is a domain that refuses NULL, which every row holds until it is filled'
            WHEN t.typtype = 'p' THEN 'it is no type of a column' ELSE '' END
FROM strip s
JOIN pg_catalog.pg_type b ON b.oid = s.oid
JOIN pg_catalog.pg_type t ON t.oid = pg_catalog.to_regtype($1)
ORDER BY s.depth DESC LIMIT 1
)sql";

// Both types without their domains, the cast between them in pg_cast, and the functions that read and write
// them.
constexpr const char* kConversion = R"sql(
WITH RECURSIVE strip(side, oid, depth) AS (
  SELECT v.side, v.oid, 0 FROM (VALUES ('s', $1::oid), ('t', $2::oid)) AS v(side, oid)
  UNION ALL
  SELECT s.side, t.typbasetype, s.depth + 1
  FROM strip s JOIN pg_catalog.pg_type t ON t.oid = s.oid WHERE t.typtype = 'd'
), bare AS (
  SELECT DISTINCT ON (s.side) s.side, t.* FROM strip s JOIN pg_catalog.pg_type t ON t.oid = s.oid
  ORDER BY s.side, s.depth DESC
)
SELECT s.oid = t.oid, coalesce(c.castcontext::text, ''), coalesce(c.castmethod::text, ''), coalesce(f.proname, ''),
       coalesce(f.provolatile::text, ''), s.typcategory, t.typcategory, s.typname, t.typname,
       o.proname, o.provolatile, i.proname, i.provolatile, s.typelem, t.typelem, s.typtype, t.typtype
FROM bare s
JOIN bare t ON s.side = 's' AND t.side = 't'
LEFT JOIN pg_catalog.pg_cast c ON c.castsource = s.oid AND c.casttarget = t.oid
LEFT JOIN pg_catalog.pg_proc f ON f.oid = c.castfunc
JOIN pg_catalog.pg_proc o ON o.oid = s.typoutput
JOIN pg_catalog.pg_proc i ON i.oid = t.typinput
)sql";

// Output functions that the catalog calls IMMUTABLE although a setting decides how they write.
const std::set<std::string> kByDigits{"float4out", "float8out", "point_out", "lseg_out",  "path_out",
                                      "box_out",   "poly_out",  "line_out",  "circle_out"};
// Input and output functions that are STABLE only because a label or a definition may change.
const std::set<std::string> kSteady{"enum_in", "enum_out", "anyenum_in", "anyenum_out"};
// Pairs of number types: every value of the first exists exactly in the second.
const std::set<std::pair<std::string, std::string>> kWider{
    {"int2", "int4"}, {"int2", "int8"},    {"int2", "numeric"}, {"int2", "float4"},  {"int2", "float8"},
    {"int4", "int8"}, {"int4", "numeric"}, {"int4", "float8"},  {"int8", "numeric"}, {"float4", "float8"}};

std::string unstable_function(const std::string& name, const std::string& volatility) {
  if (name.empty() || volatility == "i" || kSteady.count(name))
    return {};  // binary-coercible: there is no function
  return "function " + name + " is " + (volatility == "s" ? "STABLE" : "VOLATILE") +
         ": its result depends on settings of each session, such as TimeZone and DateStyle";
}

std::string unstable_writer(const std::string& name, const std::string& volatility) {
  if (kByDigits.count(name))
    return "what function " + name + " writes depends on extra_float_digits of each session";
  if (name == "interval_out")
    return "what function interval_out writes depends on IntervalStyle of each session";
  if (name == "byteaout") return "what function byteaout writes depends on bytea_output of each session";
  return unstable_function(name, volatility);
}

/// One row of kConversion.
class Facts {
 public:
  explicit Facts(const pg::Rows& rows) : rows_(rows) {}

  bool is_same() const { return rows_.boolean(0, 0); }
  std::string context() const { return rows_.text(0, 1); }
  std::string method() const { return rows_.text(0, 2); }
  std::string unstable_cast() const { return unstable_function(rows_.text(0, 3), rows_.text(0, 4)); }
  bool is_from_text() const { return rows_.text(0, 5) == "S"; }
  bool is_to_text() const { return rows_.text(0, 6) == "S"; }
  bool is_from_number() const { return rows_.text(0, 5) == "N" && rows_.text(0, 7) != "numeric"; }
  bool is_wider() const { return kWider.count({rows_.text(0, 7), rows_.text(0, 8)}) > 0; }
  bool are_arrays() const {
    return rows_.text(0, 5) == "A" && rows_.text(0, 6) == "A" && item(13) != 0 && item(14) != 0;
  }
  std::uint32_t item(std::size_t column) const {
    return static_cast<std::uint32_t>(rows_.integer(0, column));
  }
  std::string unstable_text() const {
    const auto writer = unstable_writer(rows_.text(0, 9), rows_.text(0, 10));
    return writer.empty() ? unstable_function(rows_.text(0, 11), rows_.text(0, 12)) : writer;
  }

 private:
  const pg::Rows& rows_;
};

void by_text(const Facts& facts, bool is_assignment, Conversion& out) {
  out.exists = true;
  out.is_assignment = is_assignment;
  out.is_by_text = true;
  out.may_fail = !facts.is_to_text();
  out.unstable = facts.unstable_text();
}

void by_cast(const Facts& facts, Conversion& out) {
  if (facts.method() == "i") return by_text(facts, facts.context() != "e", out);
  out.exists = true;
  out.is_assignment = facts.context() != "e";
  out.may_fail = facts.method() == "f" && !(facts.context() == "i" && facts.is_from_number());
  out.may_cut = facts.method() == "f" && !facts.is_wider();
  out.unstable = facts.unstable_cast();
}

bool has_modifier(const std::string& text, const std::string& base) {
  // `char` and `bit` have length 1; an interval's fields are words after it.
  return text.find('(') != std::string::npos || base == "bpchar" || base == "bit" ||
         (base == "interval" && text.find(' ') != std::string::npos);
}

}  // namespace

TypeFacts read_type(pg::Session& session, const std::string& text) {
  const auto rows = session.exec(kType, {text});
  if (rows.empty())
    throw Error(ExitCode::kRefused, "there is no type " + text, "check `to` and the search_path");
  TypeFacts facts;
  facts.oid = static_cast<std::uint32_t>(rows.integer(0, 0));
  facts.base_oid = static_cast<std::uint32_t>(rows.integer(0, 1));
  facts.sql = rows.text(0, 2);
  facts.base_sql = rows.text(0, 3);
  facts.is_domain = rows.boolean(0, 6);
  facts.has_modifier = facts.is_domain ? rows.boolean(0, 5) : has_modifier(text, rows.text(0, 4));
  facts.has_equality = rows.boolean(0, 7);
  facts.refusal = rows.text(0, 8);
  return facts;
}

std::string type_sql(pg::Session& session, std::uint32_t oid) {
  return session.exec("SELECT pg_catalog.format_type($1::oid, -1)", {std::to_string(oid)}).text(0, 0);
}

Conversion read_conversion(pg::Session& session, const TypeFacts& from, const TypeFacts& to) {
  const auto rows = session.exec(kConversion, {std::to_string(from.oid), std::to_string(to.oid)});
  Conversion out;
  if (rows.empty()) return out;
  const Facts facts(rows);
  if (facts.is_same()) {
    out.exists = out.is_assignment = true;
  } else if (!facts.context().empty()) {
    by_cast(facts, out);
  } else if (facts.are_arrays()) {
    TypeFacts from_item, to_item;
    from_item.oid = facts.item(13);
    to_item.oid = facts.item(14);
    out = read_conversion(session, from_item, to_item);
  } else if (facts.is_to_text() || facts.is_from_text()) {
    by_text(facts, facts.is_to_text(), out);
  }
  out.may_fail = out.may_fail || to.has_modifier || to.is_domain;
  out.may_cut = out.may_cut || to.has_modifier;
  return out;
}

}  // namespace pgsluice::steps::retype
