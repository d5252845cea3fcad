#include "kinds/verify/verify_kind.hpp"

#include "kinds/kind/one_value.hpp"

namespace pgsluice::engine {

void VerifyKind::plan(const StepAt& /*at*/, PlannedStep& planned) const {
  planned.statements.push_back(
      {step_.query, "ACCESS SHARE on the tables that it reads; read-only transaction"});
  planned.notes.push_back("expects " + step_.expect);
}

void VerifyKind::prove(const StepAt& at, std::vector<VerifyResult>& results) const {
  VerifyResult result{step_.name, step_.expect, steps::verify_value(at.session, step_.name, step_.query),
                      false};
  result.matches = result.actual == result.expected;
  results.push_back(std::move(result));
}

}  // namespace pgsluice::engine
