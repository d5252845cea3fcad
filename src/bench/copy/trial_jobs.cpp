#include "bench/copy/trial_jobs.hpp"

#include "base/uuid.hpp"
#include "ledger/schema.hpp"

namespace pgsluice::bench {
namespace {

// What belongs to a job is deleted with it. The pattern matches trial_job_name().
constexpr const char* kForget =
    R"sql(DELETE FROM pgsluice.job WHERE name ~ '^pgsluice bench trial [0-9a-f-]{36}$')sql";

}  // namespace

std::string trial_job_name() {
  return "pgsluice bench trial " + base::random_uuid();
}

void forget_trial_jobs(pg::Session& session) {
  if (ledger::is_installed(session)) session.exec(kForget);
}

}  // namespace pgsluice::bench
