#include "kinds/sql/found_done.hpp"

#include <algorithm>
#include <map>
#include <memory>

#include "job/made/made_objects.hpp"
#include "kinds/ddl/ddl_statements.hpp"
#include "kinds/ddl/run_ddl.hpp"
#include "kinds/sql/existing/existing_objects.hpp"
#include "ledger/jobs.hpp"
#include "pg/sqlstate.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {
namespace {

using Texts = std::vector<std::string>;

constexpr std::string_view kAll = "found all: ";
constexpr std::string_view kSome = "found some: ";

Texts behind(const Texts& statements, std::size_t place) {
  return {statements.begin() + static_cast<std::ptrdiff_t>(place) + 1, statements.end()};
}

/// Whether an earlier pending statement may clear the way for what a later one makes.
bool is_way_cleared_before(const StepAt& at) {
  for (std::size_t i = 0; i < at.place; ++i) {
    const bool is_pending = i >= at.records.size() || at.records[i].state != StepState::kDone;
    const auto* earlier = at.job.steps[i].as<SqlStep>();
    if (!is_pending || earlier == nullptr) continue;
    if (std::any_of(earlier->up.begin(), earlier->up.end(), job::may_remove)) return true;
  }
  return false;
}

bool is_committed(const StepAt& at) {
  if (at.place >= at.records.size() || !at.record().state) return false;
  return ledger::has_range_done(at.session, at.record().step_id);
}

/// What an attempt finds, written on the connection's thread and read when the attempt is over.
struct FoundNow {
  std::map<std::size_t, std::string> words;  // by the statement's place
};

}  // namespace

std::string FoundDone::detail() const {
  return std::string(is_all ? kAll : kSome) + words;
}

FoundDone FoundDone::of_detail(const std::string& detail) {
  if (detail.starts_with(kAll)) return {true, detail.substr(kAll.size())};
  if (detail.starts_with(kSome)) return {false, detail.substr(kSome.size())};
  return {};
}

std::string taken_as_done(std::size_t place, const Recognition& found) {
  return "statement " + std::to_string(place + 1) + " is taken as done: " + found.words +
         " is there as it makes it";
}

std::string refused_because(const std::string& step, std::size_t place, const Recognition& found) {
  return "step \"" + step + "\", statement " + std::to_string(place + 1) +
         " would make what is there already, and it differs: " + found.words;
}

std::vector<Recognition> foresee_existing(const StepAt& at, const SqlStep& step) {
  std::vector<Recognition> found(step.up.size());
  if (is_way_cleared_before(at) || is_committed(at)) return found;
  for (std::size_t i = 0; i < step.up.size(); ++i) {
    try {
      found[i] = recognise_alone(at.session, step.up[i], behind(step.up, i));
    } catch (const pg::Failure& f) {
      // The table is locked: the step itself waits for it, and decides then.
      if (f.sqlstate() != pg::kLockNotAvailable) throw;
    }
    if (job::may_remove(step.up[i])) break;
  }
  return found;
}

boost::asio::awaitable<void> run_recognising(RunningStep& step, const SqlStep& sql) {
  auto statements = ddl_statements(sql.up);
  for (auto& statement : statements) statement.may_exist = job::made_objects(statement.sql).has_value();
  const auto found = std::make_shared<FoundNow>();
  steps::Recogniser recogniser;
  const auto hint = "this step has changed nothing: " + std::string(kHintOther) + "; or say resolve " +
                    step.job.name + " " + sql.name + " --applied";
  recogniser.is_there = [found, hint, up = sql.up, name = sql.name](pg::Session& s, std::size_t place) {
    const auto seen = recognise(s, up[place], behind(up, place));
    if (seen.existing == Existing::kOther)
      throw Error(ExitCode::kFailed, refused_because(name, place, seen), hint);
    if (seen.existing == Existing::kAll) found->words[place] = seen.words;
    return seen.existing == Existing::kAll;
  };
  recogniser.note = [found, count = sql.up.size(), step_id = step.record.step_id](
                        pg::Session& s, const std::vector<std::size_t>& places) {
    std::erase_if(found->words, [&](const auto& one) {  // of an attempt that did not commit
      return std::find(places.begin(), places.end(), one.first) == places.end();
    });
    FoundDone done{places.size() == count, {}};
    for (const auto& [place, words] : found->words) done.words += (done.words.empty() ? "" : "; ") + words;
    ledger::set_step_detail(s, step_id, done.detail());
  };
  co_await run_ddl(step, std::move(statements), std::move(recogniser));
  const bool is_all = found->words.size() == sql.up.size();
  for (const auto& [place, words] : found->words) {
    step.journal.warn("step \"" + sql.name + "\": " + taken_as_done(place, {Existing::kAll, words}),
                      is_all ? "the step has made nothing, so rollback leaves it all where it is"
                             : "rollback sends the step's `down`, which does not tell the two apart");
  }
}

}  // namespace pgsluice::engine
