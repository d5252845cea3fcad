#include "bench/bench_options.hpp"

#include <algorithm>

#include "pgsluice/error.hpp"

namespace pgsluice::bench {
namespace {

// A job's own limit for lanes; no pool should ask for more connections.
constexpr int kLanesMax = 64;
constexpr std::int64_t kRowsMax = 1'000'000;  // of a batch: far beyond what batch.target allows

void refuse_unless(bool is_fine, const std::string& message, const std::string& hint) {
  if (!is_fine) throw Error(ExitCode::kUsage, message, hint);
}

template <class Number>
bool are_within(const std::vector<Number>& values, Number max) {
  return !values.empty() &&
         std::all_of(values.begin(), values.end(), [&](Number n) { return n >= 1 && n <= max; });
}

void check(const BenchOptions& options) {
  refuse_unless(are_within(options.sizes, kRowsMax), "--sizes needs numbers from 1 to 1000000",
                "--sizes 100,1000,5000");
  refuse_unless(are_within(options.lanes, kLanesMax), "--lanes needs numbers from 1 to 64", "--lanes 1,2,4");
  refuse_unless(options.repeat >= 1, "--repeat needs a number above 0", "--repeat 3");
  refuse_unless(options.duration.count() >= 1, "--for needs at least one second", "--for 5min");
  refuse_unless(std::find(options.walks.begin(), options.walks.end(), Walk::kAuto) == options.walks.end(),
                "--walks takes keyset, blocks and interleaved: auto just chooses among them",
                "leave --walks out");
}

}  // namespace

const BackfillStep& chosen_step(const Job& job, const BenchOptions& options) {
  check(options);
  std::vector<const BackfillStep*> found;
  std::string names;
  for (const auto& step : job.steps) {
    const auto* backfill = step.as<BackfillStep>();
    if (!backfill) continue;
    names += (names.empty() ? "" : ", ") + backfill->name;
    if (options.step.empty() || options.step == backfill->name) found.push_back(backfill);
  }
  refuse_unless(!names.empty(), "job \"" + job.name + "\" has no backfill step: there is nothing to bench",
                "bench measures backfill steps");
  refuse_unless(!found.empty(), "job \"" + job.name + "\" has no backfill step \"" + options.step + "\"",
                "its backfill steps: " + names);
  refuse_unless(found.size() == 1, "job \"" + job.name + "\" has several backfill steps: " + names,
                "choose one with --step");
  return *found.front();
}

Job job_of_step(const Job& job, const BenchOptions& options) {
  Job out = job;
  auto step = chosen_step(job, options);
  step.walk = Walk::kAuto;  // each trial has its own
  out.steps = {std::move(step)};
  out.name = "pgsluice bench of " + job.name;
  out.window.reset();
  return out;
}

}  // namespace pgsluice::bench
