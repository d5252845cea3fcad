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

// tgtype bits 0 and 1 are FOR EACH ROW and BEFORE, $3 the event's; tgattr lists the columns of UPDATE OF.
// Functions in schema pgsluice are our own: those of a retype's sync triggers.
constexpr const char* kTriggers = R"sql(
SELECT DISTINCT t.tgname
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE t.tgrelid IN (SELECT oid FROM part) AND NOT t.tgisinternal AND t.tgtype & (3 | $3::int) = 3 | $3::int AND n.nspname <> 'pgsluice'
  AND t.tgenabled::text IN (SELECT enabled FROM fires)
  AND t.tgfoid <> 'pg_catalog.suppress_redundant_updates_trigger'::pg_catalog.regproc
  AND (cardinality(t.tgattr::int2[]) = 0
       OR EXISTS (SELECT FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = t.tgrelid AND a.attnum = ANY (t.tgattr::int2[]) AND a.attname = ANY ($2::text[])))
ORDER BY t.tgname
)sql";

// An ev_qual of "<>" is none.
constexpr const char* kRules = R"sql(
SELECT r.rulename, r.ev_class = $1::oid, r.is_instead, r.ev_qual::text <> '<>'
FROM pg_catalog.pg_rewrite r
WHERE r.ev_class IN (SELECT oid FROM part) AND r.ev_type::text = $2 AND r.ev_enabled::text IN (SELECT enabled FROM fires)
ORDER BY r.rulename
)sql";

constexpr const char* kDeleteTriggers = R"sql(
SELECT DISTINCT t.tgname FROM pg_catalog.pg_trigger t
WHERE t.tgrelid IN (SELECT oid FROM part) AND NOT t.tgisinternal AND t.tgtype & 8 <> 0
  AND t.tgenabled::text IN (SELECT enabled FROM fires)
ORDER BY t.tgname
)sql";

/// The bit of pg_trigger.tgtype and the letter of pg_rewrite.ev_type.
struct EventCode {
  const char* trigger_bit;
  const char* rule_type;
};

EventCode code_of(RowEvent event) {
  switch (event) {
    case RowEvent::kInsert:
      return {"4", "3"};
    case RowEvent::kDelete:
      return {"8", "4"};
    case RowEvent::kUpdate:
      break;
  }
  return {"16", "2"};
}

Swallowers read_event(Session& session, std::uint32_t table_oid, RowEvent event,
                      const std::vector<std::string>& columns) {
  const auto oid = std::to_string(table_oid);
  const auto code = code_of(event);
  Swallowers out;
  const auto triggers =
      session.exec(std::string(kParts) + kTriggers, {oid, to_array(columns), code.trigger_bit});
  for (std::size_t i = 0; i < triggers.size(); ++i) out.triggers.push_back(triggers.text(i, 0));
  const auto rules = session.exec(std::string(kParts) + kRules, {oid, code.rule_type});
  for (std::size_t i = 0; i < rules.size(); ++i)
    out.rules.push_back({rules.text(i, 0), rules.boolean(i, 1), rules.boolean(i, 2), rules.boolean(i, 3)});
  return out;
}

bool is_swallowing(const WriteRule& rule) {
  return rule.is_of_table && rule.is_instead;
}

}  // namespace

bool Swallowers::is_any() const {
  return !triggers.empty() || std::any_of(rules.begin(), rules.end(), is_swallowing);
}

bool Swallowers::is_always_instead() const {
  return std::any_of(rules.begin(), rules.end(),
                     [](const WriteRule& rule) { return is_swallowing(rule) && !rule.is_conditional; });
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
  return read_event(session, table_oid, RowEvent::kUpdate, columns);
}

Swallowers read_swallowers(Session& session, std::uint32_t table_oid, RowEvent event) {
  return read_event(session, table_oid, event, {});
}

std::vector<std::string> delete_triggers(Session& session, std::uint32_t table_oid) {
  const auto rows = session.exec(std::string(kParts) + kDeleteTriggers, {std::to_string(table_oid)});
  std::vector<std::string> out;
  for (std::size_t i = 0; i < rows.size(); ++i) out.push_back(rows.text(i, 0));
  return out;
}

}  // namespace pgsluice::pg
