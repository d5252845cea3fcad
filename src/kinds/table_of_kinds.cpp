#include "kinds/table_of_kinds.hpp"

#include "kinds/backfill/backfill_kind.hpp"
#include "kinds/index/index_kind.hpp"
#include "kinds/retype/retype_kind.hpp"
#include "kinds/sql/sql_kind.hpp"
#include "kinds/verify/verify_kind.hpp"

namespace pgsluice::engine {
namespace {

using Kind = std::unique_ptr<StepKind>;

struct TableOfKinds {
  Kind operator()(const SqlStep& step) const { return std::make_unique<SqlKind>(step); }
  Kind operator()(const IndexStep& step) const { return std::make_unique<IndexKind>(step); }
  Kind operator()(const BackfillStep& step) const { return std::make_unique<BackfillKind>(step); }
  Kind operator()(const VerifyStep& step) const { return std::make_unique<VerifyKind>(step); }
  Kind operator()(const RetypeStep& step) const { return std::make_unique<RetypeKind>(step); }
};

}  // namespace

std::unique_ptr<StepKind> kind_of(const Step& step) {
  return std::visit(TableOfKinds{}, step);
}

}  // namespace pgsluice::engine
