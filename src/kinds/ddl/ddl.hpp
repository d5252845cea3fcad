#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"

namespace pgsluice::steps {

/// How long a statement may queue for its lock; then the whole attempt is tried again later.
constexpr std::chrono::milliseconds kDdlLockTimeout{300};
/// The same for two tables at once: while we hold the first, the holder of the second may want it, so waiting
/// longer does not help.
constexpr std::chrono::milliseconds kPairLockTimeout{100};
/// A table's owner cannot cancel an autovacuum, but the server does so for any session that waits longer than
/// deadlock_timeout (1 s). Waiting in SHARE UPDATE EXCLUSIVE, which does not stop the application, costs
/// nothing. Measured: the ALTER is done after 1.08 s, worst application write 10 ms.
constexpr std::chrono::milliseconds kGentleLockTimeout{1'500};
constexpr int kDdlAttempts = 30;  // with the backoff below: about 10 minutes
constexpr std::chrono::milliseconds kDdlBackoffBase{250};
constexpr std::chrono::milliseconds kDdlBackoffMax{30'000};

struct DdlStatement {
  std::string sql;
  std::string table_sql;  // quoted; locked gently first if it exists. Empty: no existing table is locked
  std::string lock;       // for `plan` and the log: "ACCESS EXCLUSIVE"
  /// Locked gently together with it: a foreign key's other table. Tables that do not exist are not locked.
  std::vector<std::string> other_tables_sql{};
  /// What it makes may be there already: then a Recogniser is asked.
  bool may_exist = false;
  /// What it drops: a foreign key among it locks the table that it references as strongly, unnamed.
  std::vector<std::string> columns_dropped{};
  std::vector<std::string> constraints_dropped{};
  bool is_table_dropped = false;
};

/// Quoted names of the tables that foreign keys reference which the statement drops; none while its table
/// does not exist. Throws Failure.
std::vector<std::string> tables_referenced_till_now(pg::Session& session, const DdlStatement& statement);

/// How an attempt takes statements whose objects are there already.
struct Recogniser {
  /// Whether all that the statement at that place makes is there as it makes it, so that it counts as done.
  /// Called in the attempt's transaction, which is as it was before the statement. Throws Error if something
  /// else is there.
  std::function<bool(pg::Session&, std::size_t place)> is_there;
  /// Notes which statements counted as done; called before COMMIT if there are any.
  std::function<void(pg::Session&, const std::vector<std::size_t>& places)> note;
};

/// One attempt at a sql step: all its statements and the note that it is done, in one transaction. `note`
/// writes that note under the lease's token and returns false if the lease is lost; then nothing is changed
/// and this returns false. Throws Failure: 55P03 when a lock could not be acquired in time; Error as the
/// recogniser does.
bool attempt_ddl(pg::Session& session, const std::vector<DdlStatement>& statements,
                 const std::function<bool(pg::Session&)>& note, const Recogniser& recogniser = {});

/// Whether the table exists and can be locked gently: false for an empty name, a view or a sequence.
bool is_existing_table(pg::Session& session, const std::string& table_sql);

/// The statements of an attempt as they are sent, without BEGIN and COMMIT; for `plan`.
std::vector<std::string> ddl_texts(const DdlStatement& statement);

}  // namespace pgsluice::steps
