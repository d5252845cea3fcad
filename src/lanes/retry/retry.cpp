#include "lanes/retry/retry.hpp"

#include "walk/batch_size/bisection.hpp"

namespace pgsluice::engine {
namespace {

Retry next_try_of_locked_row(const RetryFacts& facts) {
  if (facts.is_put_off) return Retry::kLater;
  if (facts.attempt < walk::kRetriesMax && !facts.is_searching) return Retry::kAgain;
  if (facts.rows > 1) return Retry::kBisect;
  if (facts.is_last_row) return Retry::kLater;
  return facts.may_set_apart ? Retry::kSetApart : Retry::kAgain;
}

}  // namespace

Retry next_try(const RetryFacts& facts) {
  if (facts.is_yielding) return Retry::kSmaller;
  if (facts.is_connection_lost || facts.is_table_locked) return Retry::kAgain;
  if (facts.is_row_locked) return next_try_of_locked_row(facts);
  // A timeout among few rows says as much at the first try as at the fifth.
  const bool is_found_out = facts.attempt >= walk::kRetriesMax || (facts.is_timeout && facts.is_searching);
  if (is_found_out && facts.rows > 1) return Retry::kBisect;
  return facts.is_timeout ? Retry::kSmaller : Retry::kAgain;
}

const char* retry_text(Retry retry) {
  switch (retry) {
    case Retry::kAgain:
      return "retry";
    case Retry::kSmaller:
      return "shrink";
    case Retry::kBisect:
      return "bisect";
    case Retry::kSetApart:
      return "set apart";
    case Retry::kLater:
      return "later";
  }
  return "";
}

}  // namespace pgsluice::engine
