#pragma once

#include <chrono>
#include <cstdint>

namespace pgsluice::engine {

/// What a lane knows about a batch that failed for a reason that may pass.
struct RetryFacts {
  bool is_yielding = false;         // we cancelled it for a waiting session
  bool is_timeout = false;          // a lock timeout or a statement timeout
  bool is_row_locked = false;       // a lock timeout on rows of the table
  bool is_table_locked = false;     // a lock timeout on the table itself
  bool is_connection_lost = false;  // says nothing about the rows
  bool is_searching = false;        // the batch was cut down before
  bool is_last_row = false;         // its range has no other row, or page
  bool is_put_off = false;          // its range was left for later before
  bool may_set_apart = true;        // false: too many ranges are put off already
  std::int64_t rows = 1;            // asked for; 1: the batch cannot get smaller
  int attempt = 1;                  // how often these rows have been tried
};

/// What it does next.
enum class Retry {
  kAgain,     // try the same rows
  kSmaller,   // fewer rows, for all batches from now on
  kBisect,    // half of these rows, to find the one that blocks
  kSetApart,  // the row becomes a range of its own, done after all others
  kLater,     // the range is done after all others
};

/// How often a single row, or page, may run into its statement_timeout, with a second's rest in between: with
/// the tries before that, the server has been too slow for it for some ten seconds, so it is not the server.
inline constexpr int kAloneTriesMax = 5;
inline constexpr std::chrono::milliseconds kAloneRest{1'000};

/// A row that another session keeps locked is found by halving and left for later, so that it holds up no
/// other row. For a locked table it waits. Pure.
Retry next_try(const RetryFacts& facts);

/// As in the event log: "retry", "shrink", "bisect", "set apart", "later".
const char* retry_text(Retry retry);

}  // namespace pgsluice::engine
