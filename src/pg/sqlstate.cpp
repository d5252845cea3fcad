#include "pg/sqlstate.hpp"

#include <algorithm>
#include <array>

#include "pg/failure.hpp"

namespace pgsluice::pg {
namespace {

struct Rule {
  std::string_view prefix;  // a whole state, or its class of two characters
  Disposition disposition;
};

// Longest prefix first, so that an exception precedes its class.
constexpr std::array kRules{
    Rule{"40001", Disposition::kRetryable},  // serialization_failure
    Rule{"40P01", Disposition::kRetryable},  // deadlock_detected
    Rule{"55P03", Disposition::kRetryable},  // lock_not_available: lock_timeout
    Rule{"57014", Disposition::kRetryable},  // query_canceled: statement_timeout, or our own cancel
    Rule{"25P03", Disposition::kRetryable},  // idle_in_transaction_session_timeout
    Rule{"57P01", Disposition::kRetryable},  // admin_shutdown, pg_terminate_backend
    Rule{"57P02", Disposition::kRetryable},  // crash_shutdown
    Rule{"57P03", Disposition::kRetryable},  // cannot_connect_now: the server is starting
    Rule{"57P05", Disposition::kRetryable},  // idle_session_timeout
    Rule{"53300", Disposition::kRetryable},  // too_many_connections
    Rule{"53200", Disposition::kRetryable},  // out_of_memory: a smaller batch may pass
    Rule{"40", Disposition::kRetryable},     // transaction_rollback
    Rule{"08", Disposition::kRetryable},     // connection_exception, outside COMMIT
};

constexpr std::array<std::string_view, 2> kTimeouts{"57014", "55P03"};

}  // namespace

Disposition classify(std::string_view sqlstate) {
  const auto rule = std::find_if(kRules.begin(), kRules.end(), [&](const Rule& r) {
    return sqlstate.substr(0, r.prefix.size()) == r.prefix;
  });
  return rule == kRules.end() ? Disposition::kFatal : rule->disposition;
}

bool is_row_fault(std::string_view sqlstate) {
  if (sqlstate == "23001" || sqlstate.substr(0, 2) == "23") return true;  // integrity constraint
  if (sqlstate.substr(0, 2) == "22") return true;                         // data exception: cast, overflow
  if (sqlstate.substr(0, 2) == "P0") return true;                         // PL/pgSQL: RAISE and its relatives
  if (sqlstate == "44000") return true;                                   // WITH CHECK OPTION
  return sqlstate == "21000" || sqlstate == "54000" ||  // scalar subquery with several rows; program limit
         sqlstate == "38000" || sqlstate == "39000";    // external routine
}

bool is_row_fault_of_update(std::string_view sqlstate) {
  return sqlstate == "0A000" || is_row_fault(sqlstate);
}

bool exists_already(std::string_view sqlstate) {
  // Columns, tables and indexes, functions; the last is for constraints and others.
  return sqlstate == "42701" || sqlstate == "42P07" || sqlstate == "42723" || sqlstate == kDuplicateObject;
}

bool is_type_misfit(std::string_view sqlstate) {
  return sqlstate == "42883" || sqlstate == "42804" || sqlstate == "42846" || sqlstate == "22P02";
}

bool is_timeout(std::string_view sqlstate) {
  return std::find(kTimeouts.begin(), kTimeouts.end(), sqlstate) != kTimeouts.end();
}

CancelledBy read_cancel(std::string_view sqlstate, std::string_view message) {
  if (sqlstate != "57014") return CancelledBy::kNobody;
  if (message.find("statement timeout") != std::string_view::npos) return CancelledBy::kTimeout;
  if (message.find("user request") != std::string_view::npos) return CancelledBy::kSomebody;
  return CancelledBy::kUntold;
}

bool must_discard(std::string_view sqlstate) {
  return sqlstate == "57014" || sqlstate.substr(0, 2) == "08" || sqlstate.substr(0, 4) == "57P0" ||
         sqlstate == "25P03" || sqlstate.substr(0, 2) == "25";
}

}  // namespace pgsluice::pg
