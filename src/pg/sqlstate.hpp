#pragma once

#include <string_view>

namespace pgsluice::pg {

/// How a batch ended, by what must be done next.
enum class Disposition {
  kCommitted,
  kRetryable,  // rolled back for certain; the same batch may be tried again
  kInDoubt,    // lost during COMMIT: only taking the range again tells
  kFatal,      // trying again would fail again
};

/// One table from SQLSTATE to disposition; never kCommitted, and never kInDoubt (that depends on the
/// statement, which only the session knows). Unknown states are fatal: better to stop than to repeat what
/// nobody understands.
Disposition classify(std::string_view sqlstate);

/// The error blames one row (a cast, a constraint, a trigger that raises), so halving the batch finds it.
bool is_row_fault(std::string_view sqlstate);

/// The same of an UPDATE of rows, where one value alone can meet what the server does not support (0A000):
/// elsewhere that blames the statement.
bool is_row_fault_of_update(std::string_view sqlstate);

/// Those that others than this layer decide by.
inline constexpr std::string_view kInsufficientPrivilege = "42501";
inline constexpr std::string_view kReadOnlyTransaction = "25006";
inline constexpr std::string_view kInvalidAuthorization =
    "28000";  // libpq says it of a refused password, too
inline constexpr std::string_view kNoSuchDatabase = "3D000";
inline constexpr std::string_view kLockNotAvailable = "55P03";
inline constexpr std::string_view kQueryCanceled = "57014";
inline constexpr std::string_view kDiskFull = "53100";
inline constexpr std::string_view kUndefinedTable = "42P01";
inline constexpr std::string_view kDuplicateObject = "42710";          // also a constraint of that name
inline constexpr std::string_view kInvalidObjectDefinition = "42P17";  // not immutable in an index

/// What a CREATE or ADD is refused with when it was applied before.
bool exists_already(std::string_view sqlstate);
/// A type that does not fit: no such function or operator, types that do not match, no cast, a constant that
/// cannot be read.
bool is_type_misfit(std::string_view sqlstate);

/// A timeout or cancel: the batch took too long, a smaller one may pass.
bool is_timeout(std::string_view sqlstate);

/// After this state the connection is not used again: ecosystem rule "after any cancel, timeout or commit
/// error".
bool must_discard(std::string_view sqlstate);

}  // namespace pgsluice::pg
