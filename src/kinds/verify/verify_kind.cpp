#include "kinds/verify/verify_kind.hpp"

#include "job/read/scalar_text.hpp"
#include "job/read/sql_texts.hpp"
#include "job/sql/sql_rules.hpp"
#include "job/sql/table_name.hpp"
#include "kinds/compare/read_two_tables.hpp"
#include "kinds/kind/definition_lines.hpp"
#include "kinds/kind/one_value.hpp"
#include "lanes/batch/copy_step.hpp"
#include "ledger/range/checkpoint.hpp"
#include "ledger/range/lease.hpp"
#include "pgsluice/error.hpp"
#include "telling/failure/interruption.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;

namespace {

// What stands in place of `expect` where two tables are compared.
constexpr const char* kNoDifference = "no row missing, different or only at the target";

void read_compare(job::Section& section, VerifyStep& step) {
  for (const char* key : {"query", "expect"}) {
    if (section.node(key) != nullptr)
      section.refuse(key, {"does not go with compare", "write two steps: one asks, the other compares"});
  }
  auto compare = section.section("compare");
  if (!compare) return;
  CopyStep tables;
  tables.name = step.name;
  read_two_tables(*compare, tables);
  compare->finish();
  step.compare = std::move(tables);
}

/// Compares a slice a call, so that a stop ends it soon. Confined to the thread of the session it is given.
class SliceBySlice {
 public:
  explicit SliceBySlice(CopyStep tables) : tables_(std::move(tables)) {}

  bool next(pg::Session& target) {
    if (!source_ || source_->must_discard()) source_ = open_source(tables_);
    const Comparison::Sides sides{source_ ? *source_ : target, target};
    if (!comparison_) comparison_.emplace(sides, tables_, Comparison::Surplus::kCounted);
    return comparison_->next(sides);
  }
  const Differences& found() const { return comparison_->found(); }

 private:
  CopyStep tables_;
  std::unique_ptr<pg::Session> source_;  // nullptr: the target's own database
  std::optional<Comparison> comparison_;
};

asio::awaitable<Differences> compare_slices(RunningStep& step, CopyStep tables) {
  const auto comparing = std::make_shared<SliceBySlice>(std::move(tables));
  const auto own = step.own.open("verify");
  std::function<bool(pg::Session&)> next = [comparing](pg::Session& s) { return comparing->next(s); };
  bool is_more = true;
  while (is_more) {
    is_more = co_await keep_trying<bool>(*own, next, step.journal, step.stop);
    if (is_more && step.stop.is_requested()) throw cut_short(step.stop);
  }
  co_return comparing->found();
}

asio::awaitable<std::string> value_of(RunningStep& step, VerifyStep asked) {
  std::function<std::string(pg::Session&)> ask = [asked](pg::Session& s) {
    return steps::verify_value(s, asked.name, asked.query);
  };
  co_return co_await keep_trying<std::string>(step.connection, ask, step.journal, step.stop);
}

}  // namespace

Step VerifyKind::read(job::Section& section, std::string name) {
  VerifyStep step{std::move(name), {}, {}};
  if (section.has("compare")) {
    read_compare(section, step);
    return step;
  }
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
  if (step_.compare) {
    lines.add("compare.from.table", job::written(step_.compare->from));
    if (!step_.compare->where.empty()) lines.add("compare.from.where", step_.compare->where);
    lines.add("compare.to", job::written(step_.compare->to));
    for (const auto& item : step_.compare->columns)
      lines.add("compare.columns." + job::written(item.column), item.expression);
    return lines.take();
  }
  lines.add("query", step_.query);
  lines.add("expect", step_.expect);
  return lines.take();
}

std::string VerifyKind::left_behind(const ledger::KnownStep& /*known*/) {
  return "";  // it only reads
}

void VerifyKind::plan(const StepAt& /*at*/, PlannedStep& planned) const {
  if (step_.compare) {
    planned.notes.push_back("compares every row of " + job::written(step_.compare->from) + " and of " +
                            job::written(step_.compare->to) +
                            ", 10,000 at a time, by count and sum of hashes; ACCESS SHARE, read-only");
    planned.notes.push_back(std::string("expects ") + kNoDifference);
    return;
  }
  planned.statements.push_back(
      {step_.query, "ACCESS SHARE on the tables that it reads; read-only transaction"});
  planned.notes.push_back("expects " + step_.expect);
}

boost::asio::awaitable<void> VerifyKind::run(RunningStep& step) const {
  const Story story = [&] { return ask(step); };
  co_await run_told(step, story);
}

asio::awaitable<void> VerifyKind::ask(RunningStep& step) const {
  step.journal.write(event::StepStarted{step_.name, step.record.kind, false, 0});
  const auto range = co_await lease_single(step, step.connection);
  if (!range) co_return;
  VerifyResult result{step_.name, step_.expect, {}, false};
  if (step_.compare) {
    CopyStep tables = *step_.compare;
    const auto found = co_await compare_slices(step, std::move(tables));
    result = result_of(found);
  } else {
    VerifyStep asked = step_;
    result.actual = co_await value_of(step, std::move(asked));
    result.matches = result.actual == result.expected;
  }
  step.journal.write(event::Verify{result.step, result.expected, result.actual, result.matches});
  std::function<bool(pg::Session&)> mark = [matches = result.matches, token = range->token](pg::Session& s) {
    if (matches) return ledger::mark_done(s, token);
    ledger::release(s, token);
    return true;
  };
  co_await keep_trying<bool>(step.connection, mark, step.journal, step.stop);
  if (!result.matches) {
    throw Error(
        ExitCode::kMismatch,
        "verify step \"" + step_.name + "\" expects " + result.expected + " and found " + result.actual,
        step_.compare ? "look at these rows on both sides; run again to compare once more"
                      : "look at the rows that its query finds; run again to verify once more");
  }
}

VerifyResult VerifyKind::result_of(const Differences& found) const {
  return {step_.name, kNoDifference, found.in_words(), found.wrong() == 0};
}

void VerifyKind::prove(const StepAt& at, std::vector<VerifyResult>& results) const {
  if (step_.compare)
    return with_source(at.session, *step_.compare, [&](pg::Session& source) {
      const Comparison::Sides sides{source, at.session};
      results.push_back(result_of(compare_all(sides, *step_.compare, Comparison::Surplus::kCounted)));
    });
  VerifyResult result{step_.name, step_.expect, steps::verify_value(at.session, step_.name, step_.query),
                      false};
  result.matches = result.actual == result.expected;
  results.push_back(std::move(result));
}

}  // namespace pgsluice::engine
