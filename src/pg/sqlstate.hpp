#pragma once

#include <string_view>

namespace pgsluice::pg {

/// How a batch ended, in terms of what must be done next.
enum class Disposition {
  kCommitted,
  kRetryable,  // certainly rolled back; the same batch may be retried
  kInDoubt,    // lost during COMMIT: only leasing the range again tells
  kFatal,      // retrying would fail again
};

/// One table from SQLSTATE to disposition; never kCommitted, and never kInDoubt (that depends on the
/// statement, which only the session knows). Unknown states are fatal: better to stop than to repeat
/// something not understood.
Disposition classify(std::string_view sqlstate);

/// The error is caused by one row (a cast, a constraint, a trigger that raises), so halving the batch finds
/// it.
bool is_row_fault(std::string_view sqlstate);

/// The same for an UPDATE of rows, where a single value can hit something the server does not support
/// (0A000): elsewhere that is the statement's fault.
bool is_row_fault_of_update(std::string_view sqlstate);

/// States that other layers decide by.
inline constexpr std::string_view kInsufficientPrivilege = "42501";
inline constexpr std::string_view kReadOnlyTransaction = "25006";
inline constexpr std::string_view kInvalidAuthorization =
    "28000";  // libpq reports it for a refused password too
inline constexpr std::string_view kNoSuchDatabase = "3D000";
inline constexpr std::string_view kLockNotAvailable = "55P03";
inline constexpr std::string_view kQueryCanceled = "57014";
inline constexpr std::string_view kDiskFull = "53100";
inline constexpr std::string_view kUniqueViolation = "23505";
inline constexpr std::string_view kForeignKeyViolation = "23503";
inline constexpr std::string_view kUndefinedTable = "42P01";
inline constexpr std::string_view kNotInThisState = "55000";           // object_not_in_prerequisite_state
inline constexpr std::string_view kDuplicateObject = "42710";          // also a constraint of that name
inline constexpr std::string_view kInvalidObjectDefinition = "42P17";  // not immutable in an index

/// The error of a CREATE or ADD that was already applied.
bool exists_already(std::string_view sqlstate);
/// A type that does not fit: no such function or operator, types that do not match, no cast, a constant that
/// cannot be read.
bool is_type_misfit(std::string_view sqlstate);

/// A timeout or cancel: the batch took too long, a smaller one may succeed.
bool is_timeout(std::string_view sqlstate);

/// After this state the connection is not used again: after any cancel, timeout or commit error.
bool must_discard(std::string_view sqlstate);

}  // namespace pgsluice::pg
