#pragma once

#include <string>
#include <vector>

#include "pgsluice/job.hpp"
#include "table/copy/copying.hpp"

namespace pgsluice::engine {

/// A column of either side, as far as copying goes.
struct ColumnFacts {
  std::string name;
  std::string type;  // as the server writes it: "character varying(20)"
  bool is_not_null = false;
  bool has_default = false;  // or an identity
  bool is_generated = false;
  bool is_builtin = false;       // its type
  std::string sequence_sql;      // that fills it; empty: none
  bool may_set_sequence = true;  // this role
};

/// Which values go where.
struct MatchedColumns {
  std::vector<CopiedColumn> columns;
  std::vector<std::string> to_defaults;  // columns of the target that the source does not give
  std::vector<std::string> left_out;     // columns of the source that nothing takes
  std::vector<std::string> other_types;  // "id: integer, at the target bigint"
};

/// Each column of the target gets what `columns` says, else the source's column of its name. Pure. Throws
/// Error(kRefused), naming the column, if the target needs one that the source lacks, lacks one that
/// `columns` names, or computes it.
MatchedColumns match_columns(const CopyStep& step, const std::vector<ColumnFacts>& source,
                             const std::vector<ColumnFacts>& target);

/// The sequences behind the copied columns. Throws Error(kPrivileges) if this role may not set one.
std::vector<CopiedSequence> sequences_of(const std::vector<CopiedColumn>& columns,
                                         const std::vector<ColumnFacts>& target);

}  // namespace pgsluice::engine
