#include "kinds/verify/verify_kind.hpp"

#include "job/read/scalar_text.hpp"
#include "job/read/sql_texts.hpp"
#include "job/sql/sql_rules.hpp"
#include "kinds/kind/definition_lines.hpp"
#include "kinds/kind/one_value.hpp"
#include "ledger/range/checkpoint.hpp"
#include "ledger/range/lease.hpp"
#include "pgsluice/error.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {

Step VerifyKind::read(job::Section& section, std::string name) {
  VerifyStep step{std::move(name), {}, {}};
  section.require("query", "write query = \"SELECT count(*) FROM …\"");
  step.query = job::read_checked(section, "query", job::check_query);
  if (!section.require("expect", "write the value that the query must return, such as expect = \"0\""))
    return step;
  const auto& expected = *section.node("expect");
  if (auto text = job::result_text(expected)) {
    step.expect = std::move(*text);
  } else {
    section.refuse_type(expected, "expect", "a string, a number or a boolean");
  }
  return step;
}

std::vector<std::string> VerifyKind::definition() const {
  DefinitionLines lines(step_);
  lines.add("query", step_.query);
  lines.add("expect", step_.expect);
  return lines.take();
}

std::string VerifyKind::left_behind(const ledger::KnownStep& /*known*/) {
  return "";  // it only reads
}

void VerifyKind::plan(const StepAt& /*at*/, PlannedStep& planned) const {
  planned.statements.push_back(
      {step_.query, "ACCESS SHARE on the tables that it reads; read-only transaction"});
  planned.notes.push_back("expects " + step_.expect);
}

boost::asio::awaitable<void> VerifyKind::run(RunningStep& step) const {
  const Story story = [&] { return ask(step); };
  co_await run_told(step, story);
}

boost::asio::awaitable<void> VerifyKind::ask(RunningStep& step) const {
  step.journal.write(event::StepStarted{step_.name, step.record.kind, false, 0});
  const auto range = co_await lease_single(step, step.connection);
  if (!range) co_return;
  std::function<std::string(pg::Session&)> ask = [step = step_](pg::Session& s) {
    return steps::verify_value(s, step.name, step.query);
  };
  const auto actual = co_await keep_trying<std::string>(step.connection, ask, step.journal, step.stop);
  const bool matches = actual == step_.expect;
  step.journal.write(event::Verify{step_.name, step_.expect, actual, matches});
  std::function<bool(pg::Session&)> mark = [=, token = range->token](pg::Session& s) {
    if (matches) return ledger::mark_done(s, token);
    ledger::release(s, token);
    return true;
  };
  co_await keep_trying<bool>(step.connection, mark, step.journal, step.stop);
  if (!matches) {
    throw Error(ExitCode::kMismatch,
                "verify step \"" + step_.name + "\" expects " + step_.expect + " and found " + actual,
                "look at the rows that its query finds; run again to verify once more");
  }
}

void VerifyKind::prove(const StepAt& at, std::vector<VerifyResult>& results) const {
  VerifyResult result{step_.name, step_.expect, steps::verify_value(at.session, step_.name, step_.query),
                      false};
  result.matches = result.actual == result.expected;
  results.push_back(std::move(result));
}

}  // namespace pgsluice::engine
