#include "kinds/retype/retype_checks.hpp"

#include "kinds/retype/graph/retype_facts.hpp"
#include "kinds/retype/mapping/collisions.hpp"
#include "kinds/retype/mapping/key_sources.hpp"
#include "kinds/retype/mapping/mapping.hpp"
#include "kinds/retype/mapping/questions.hpp"
#include "kinds/retype/publication_checks.hpp"
#include "kinds/retype/retype_survey.hpp"
#include "kinds/retype/value_pass.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {

namespace {

constexpr double kMostOfThem = 0.9;
constexpr double kIntegers = 2147483647;
constexpr double kSmallints = 32767;

/// Until contract every new row uses up an old key too.
void warn_of_last_integers(pg::Session& session, const steps::retype::Retype& retype, Findings& findings) {
  for (const auto& table : retype.graph.tables) {
    for (const auto& column : table.columns) {
      if (column.refers_to || (column.type != "integer" && column.type != "smallint")) continue;
      const auto sql =
          "SELECT coalesce(max(" + pg::Identifier(column.name).sql() + "), 0) FROM " + table.sql();
      const auto highest = pg::in_transaction(session, {}, [&] { return session.exec(sql).real(0, 0); });
      if (highest < kMostOfThem * (column.type == "integer" ? kIntegers : kSmallints)) continue;
      findings.warn("old keys", "table " + table.sql() + " has used most of its integers",
                    "until contract every new row takes one more: contract before they run out");
    }
  }
}

// Integer sequences that a changing column's default draws from and that this role may not alter.
constexpr const char* kForeignSequences = R"sql(
SELECT coalesce(string_agg(DISTINCT s.oid::regclass::text, ', '), '')
FROM pg_catalog.pg_attrdef d
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
JOIN pg_catalog.pg_depend p ON p.classid = 'pg_catalog.pg_attrdef'::regclass AND p.objid = d.oid
                           AND p.refclassid = 'pg_catalog.pg_class'::regclass
JOIN pg_catalog.pg_class s ON s.oid = p.refobjid AND s.relkind = 'S'
JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid AND q.seqtypid IN ('int2'::regtype, 'int4'::regtype)
WHERE d.adrelid = $1::oid AND a.attname = $2 AND NOT pg_catalog.pg_has_role(s.relowner, 'USAGE')
)sql";

void warn_of_foreign_sequences(pg::Session& session, const steps::retype::Retype& retype,
                               Findings& findings) {
  for (const auto& table : retype.graph.tables) {
    for (const auto& column : table.columns) {
      if (!steps::retype::moves_source(retype, column)) continue;
      const auto names = pg::in_transaction(session, {}, [&] {
        return session.exec(kForeignSequences, {std::to_string(table.oid), column.name}).text(0, 0);
      });
      if (names.empty()) continue;
      findings.warn("sequences",
                    "the default of column " + pg::Identifier(column.name).sql() + " of table " +
                        table.sql() + " draws from " + names +
                        ", which ends where its integers end, and belongs to another role",
                    "as its owner: ALTER SEQUENCE " + names + " AS " + retype.step.to);
    }
  }
}

// Functions of row triggers that use a whole row, which has more columns from expand on.
constexpr const char* kWholeRows = R"sql(
SELECT coalesce(string_agg(DISTINCT pg_catalog.quote_ident(t.tgname), ', '), '')
FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
WHERE t.tgrelid = $1::oid AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND p.prosrc ~* '\m(old|new)\)?\.\*'
)sql";

void warn_of_whole_rows(pg::Session& session, const steps::retype::Retype& retype, Findings& findings) {
  for (const auto& table : retype.graph.tables) {
    const auto names = pg::in_transaction(
        session, {}, [&] { return session.exec(kWholeRows, {std::to_string(table.oid)}).text(0, 0); });
    if (names.empty()) continue;
    findings.warn("triggers",
                  "the function of trigger " + names + " of table " + table.sql() +
                      " uses OLD.* or NEW.*, which has more columns from the first act on",
                  "list the columns by name in that function");
  }
}

// Roles that insert with keys of their own today, and for which an old key would be drawn after the cut-over.
constexpr const char* kUnableRoles = R"sql(
SELECT coalesce(string_agg(pg_catalog.quote_ident(r.rolname), ', ' ORDER BY r.rolname), '')
FROM pg_catalog.pg_roles r
WHERE NOT r.rolsuper AND r.rolname !~ '^pg_' AND pg_catalog.has_any_column_privilege(r.oid, $1::oid, 'INSERT')
  AND NOT pg_catalog.has_sequence_privilege(r.oid, $2::pg_catalog.regclass::oid, 'USAGE, UPDATE')
)sql";

/// An identity needs no privilege on its sequence; the default of a serial column does.
void warn_of_unable_roles(pg::Session& session, const steps::retype::Retype& retype, Findings& findings) {
  if (steps::retype::is_back_by_value(retype.step)) return;
  for (const auto& table : retype.graph.tables) {
    for (const auto& column : table.columns) {
      if (column.refers_to || column.source.sequence_sql.empty() || !column.source.identity.empty()) continue;
      const auto roles = pg::in_transaction(session, {}, [&] {
        return session.exec(kUnableRoles, {std::to_string(table.oid), column.source.sequence_sql}).text(0, 0);
      });
      if (roles.empty()) continue;
      findings.warn("privileges",
                    roles + " may insert into " + table.sql() + ", but not draw from " +
                        column.source.sequence_sql +
                        ", which gives out old keys from the cut-over to contract",
                    "GRANT USAGE ON SEQUENCE " + column.source.sequence_sql + " TO " + roles);
    }
  }
}

/// The rehearsal, and the checks that read whole tables.
void try_beforehand(pg::Session& session, const Job& job, const RetypeStep& step,
                    const steps::retype::Retype& retype, Findings& findings) {
  const auto rehearsal = rehearsed(session, retype);
  for (const auto& obstacle : rehearsal.refused)
    findings.refuse("rehearsal", "retype step \"" + step.name + "\": " + obstacle.message, obstacle.hint);
  for (const auto& warning : rehearsal.warnings) findings.warn("rehearsal", warning.message, warning.hint);
  findings.inform("rehearsal", rehearsal.summary);
  for (const auto& loss : in_words(read_values(session, retype), job.tunables.max_quarantined))
    findings.refuse("values", "retype step \"" + step.name + "\": " + loss.message, loss.hint);
  for (const auto& obstacle : collisions(session, retype))
    findings.refuse("unique", "retype step \"" + step.name + "\": " + obstacle.message, obstacle.hint);
  for (const auto& index : steps::retype::coarser_before(retype))
    findings.warn("unique", "until contract " + index + " refuses values that its old type considers equal",
                  "contract soon after the cut-over, or drop it and create it again after it");
}

}  // namespace

void check_retype_step(pg::Session& session, const Job& job, const RetypeStep& step, const Outlook& outlook,
                       bool reads_values, Findings& findings) try {
  if (!outlook.maker_of_any(step.tables).empty()) return;
  const auto retype = read_retype(session, step, {job.name, step.name});
  const auto obstacles = retype_obstacles(session, retype);
  for (const auto& obstacle : obstacles)
    findings.refuse("retype", "retype step \"" + step.name + "\": " + obstacle.message, obstacle.hint);
  if (!reads_values) return;  // a run does the rest itself
  // What cannot be cast can be neither rehearsed nor read.
  if (obstacles.empty()) try_beforehand(session, job, step, retype, findings);
  for (const auto& question : steps::retype::questions_before_expand(retype)) {
    const auto found =
        pg::in_transaction(session, kCountLimits, [&] { return session.exec(question.query).text(0, 0); });
    if (found == "0") continue;
    findings.warn("orphans", found + " " + question.what, "the foreign key is NOT VALID and stays so");
  }
  warn_of_last_integers(session, retype, findings);
  warn_of_foreign_sequences(session, retype, findings);
  warn_of_whole_rows(session, retype, findings);
  warn_of_unable_roles(session, retype, findings);
  warn_of_publications(session, retype, findings);
  for (const auto& table : retype.graph.tables) {
    for (const auto& trigger : table.update_triggers)
      findings.warn("triggers", "the fill fires trigger \"" + trigger + "\" of table " + table.sql(),
                    "it fires once for every row: make sure that this does no harm");
  }
  for (const auto& key : retype.graph.foreign_keys) {
    if (!key.is_deferrable || steps::retype::is_by_value(step)) continue;
    findings.warn("deferrable",
                  "until the cut-over a row of " + retype.table(key.table).sql() +
                      " that is inserted before its parent in one transaction is refused (foreign key \"" +
                      key.name + "\"): the parent's new key is not known yet",
                  "insert parents first, or use mapping = \"embed\" or \"v5\"");
  }
} catch (const Error& e) {
  findings.refuse("retype", "retype step \"" + step.name + "\": " + e.what(), e.hint(), e.code());
}

}  // namespace pgsluice::engine
