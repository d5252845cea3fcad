#include "base/units.hpp"
#include "kinds/retype/graph/retype_facts.hpp"
#include "kinds/retype/mapping/collisions.hpp"
#include "kinds/retype/rehearsal/rehearsal.hpp"
#include "kinds/retype/retype_survey.hpp"
#include "pg/connection/transaction.hpp"

namespace pgsluice::engine {

namespace rt = steps::retype;

namespace {

constexpr std::size_t kStatementShown = 500;  // bytes of a refused statement: a function's body may be long

std::string shortened(const std::string& sql) {
  return sql.size() <= kStatementShown ? sql : sql.substr(0, kStatementShown) + " …";
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

Rehearsed rehearsed(pg::Session& session, const rt::Retype& retype) {
  const auto rehearsal = rt::rehearse(session, retype, [&](pg::Session& s, const RetypeStep& step) {
    return read_retype_inside(s, step, retype.owner);
  });
  Rehearsed out;
  for (const auto& refused : rehearsal.refused)
    out.refused.push_back(
        {"in the rehearsal the server refused act \"" + refused.act + "\": " + first_line(refused.message) +
             (refused.sqlstate.empty() ? "" : " (SQLSTATE " + refused.sqlstate + ")") +
             (refused.statement.empty() ? "" : "; the statement: " + shortened(refused.statement)),
         "correct what it reports; nothing was changed"});
  if (!rehearsal.cut_short.empty())
    out.warnings.push_back({"the rehearsal was not completed: " + rehearsal.cut_short,
                            "what it would have found shows up only in the act itself"});
  for (const auto& remark : rehearsal.remarks)
    out.warnings.push_back(
        {"the likeness is incomplete: " + remark, "what it would have found there shows up only later"});
  out.summary =
      base::format_count(rehearsal.statements) +
      " statements from expand to contract were rehearsed on an empty likeness, and rolled back, in " +
      base::format_duration(rehearsal.took);
  return out;
}

std::vector<Obstacle> collisions(pg::Session& session, const rt::Retype& retype) {
  std::vector<Obstacle> out;
  const auto ask = [&](const std::vector<rt::Question>& questions, const std::string& words,
                       const std::string& hint) {
    for (const auto& question : questions) {
      const auto found =
          pg::in_transaction(session, kCountLimits, [&] { return session.exec(question.query).text(0, 0); });
      if (found != "0") out.push_back({question.what + words, hint});
    }
  };
  ask(rt::questions_of_collisions(retype), ": rows that differ now would be equal in " + retype.step.to,
      "correct these rows, or drop the index");
  ask(rt::questions_of_checks(retype), ": some new values would violate it",
      "correct these rows, or drop the constraint");
  return out;
}

}  // namespace pgsluice::engine
