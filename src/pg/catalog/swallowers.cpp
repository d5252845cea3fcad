#include "pg/catalog/swallowers.hpp"

#include <algorithm>

#include "pg/identifier.hpp"
#include "pg/key.hpp"

namespace pgsluice::pg {
namespace {

// Partitions and children: an UPDATE of the table changes their rows and fires their triggers.
constexpr const char* kParts = R"sql(
WITH RECURSIVE part(oid) AS (
  SELECT $1::oid UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN part ON part.oid = i.inhparent
), fires(enabled) AS (
  SELECT unnest(CASE pg_catalog.current_setting('session_replication_role') WHEN 'replica' THEN '{R,A}' ELSE '{O,A}' END::text[])
)
)sql";

// tgtype bits 0, 1 and 4 are FOR EACH ROW, BEFORE and UPDATE; tgattr lists the columns of UPDATE OF.
// Functions in schema pgsluice are our own: those of a retype's sync triggers.
constexpr const char* kTriggers = R"sql(
SELECT DISTINCT t.tgname
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE t.tgrelid IN (SELECT oid FROM part) AND NOT t.tgisinternal AND t.tgtype & 19 = 19 AND n.nspname <> 'pgsluice'
  AND t.tgenabled::text IN (SELECT enabled FROM fires)
  AND t.tgfoid <> 'pg_catalog.suppress_redundant_updates_trigger'::pg_catalog.regproc
  AND (cardinality(t.tgattr::int2[]) = 0
       OR EXISTS (SELECT FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = t.tgrelid AND a.attnum = ANY (t.tgattr::int2[]) AND a.attname = ANY ($2::text[])))
ORDER BY t.tgname
)sql";

// ev_type 2 is UPDATE; an ev_qual of "<>" is none.
constexpr const char* kRules = R"sql(
SELECT r.rulename, r.ev_class = $1::oid, r.is_instead, r.ev_qual::text <> '<>'
FROM pg_catalog.pg_rewrite r
WHERE r.ev_class IN (SELECT oid FROM part) AND r.ev_type = '2' AND r.ev_enabled::text IN (SELECT enabled FROM fires)
ORDER BY r.rulename
)sql";

bool is_swallowing(const UpdateRule& rule) {
  return rule.is_of_table && rule.is_instead;
}

}  // namespace

bool Swallowers::is_any() const {
  return !triggers.empty() || std::any_of(rules.begin(), rules.end(), is_swallowing);
}

bool Swallowers::is_always_instead() const {
  return std::any_of(rules.begin(), rules.end(),
                     [](const UpdateRule& rule) { return is_swallowing(rule) && !rule.is_conditional; });
}

std::string Swallowers::in_words() const {
  std::string words;
  bool is_several = false;
  const auto add = [&](const char* what, const std::string& name) {
    is_several = !words.empty();
    words += (words.empty() ? "" : ", ") + std::string(what) + Identifier(name).sql();
  };
  for (const auto& name : triggers) add("trigger ", name);
  for (const auto& rule : rules) {
    if (is_swallowing(rule)) add("rule ", rule.name);
  }
  return (is_several ? "one of " : "") + words;
}

Swallowers read_swallowers(Session& session, std::uint32_t table_oid,
                           const std::vector<std::string>& columns) {
  const auto oid = std::to_string(table_oid);
  Swallowers out;
  const auto triggers = session.exec(std::string(kParts) + kTriggers, {oid, to_array(columns)});
  for (std::size_t i = 0; i < triggers.size(); ++i) out.triggers.push_back(triggers.text(i, 0));
  const auto rules = session.exec(std::string(kParts) + kRules, {oid});
  for (std::size_t i = 0; i < rules.size(); ++i)
    out.rules.push_back({rules.text(i, 0), rules.boolean(i, 1), rules.boolean(i, 2), rules.boolean(i, 3)});
  return out;
}

}  // namespace pgsluice::pg
