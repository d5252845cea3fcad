#include "kinds/table_of_kinds.hpp"

#include <algorithm>

#include "kinds/backfill/backfill_kind.hpp"
#include "kinds/constraint/constraint_kind.hpp"
#include "kinds/copy/copy_kind.hpp"
#include "kinds/index/index_kind.hpp"
#include "kinds/purge/purge_kind.hpp"
#include "kinds/retype/retype_kind.hpp"
#include "kinds/sql/sql_kind.hpp"
#include "kinds/verify/verify_kind.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {
namespace {

std::vector<KindEntry>& table() {
  static std::vector<KindEntry> kinds{
      entry_of<SqlKind>(),   entry_of<IndexKind>(), entry_of<ConstraintKind>(), entry_of<BackfillKind>(),
      entry_of<PurgeKind>(), entry_of<CopyKind>(),  entry_of<VerifyKind>(),     entry_of<RetypeKind>(),
  };
  return kinds;
}

}  // namespace

const std::vector<KindEntry>& table_of_kinds() {
  return table();
}

const KindEntry* find_kind(const std::string& name) {
  const auto found =
      std::find_if(table().begin(), table().end(), [&](const auto& kind) { return kind.name == name; });
  return found == table().end() ? nullptr : &*found;
}

void add_kind(KindEntry entry) {
  if (find_kind(entry.name) != nullptr)
    throw Error(ExitCode::kInternal, "step kind \"" + entry.name + "\" exists already");
  table().push_back(std::move(entry));
}

std::unique_ptr<StepKind> kind_of(const Step& step) {
  if (const auto* kind = find_kind(step.kind())) return kind->make(step);
  throw Error(ExitCode::kJobFile,
              "step \"" + step.name() + "\" has an unknown kind, \"" + step.kind() + "\"");
}

}  // namespace pgsluice::engine
