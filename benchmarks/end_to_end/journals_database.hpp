#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "support/pgbench.hpp"
#include "support/private_server.hpp"

namespace pgsluice::bench {

/// The tables of tests/fixtures/journals.sql and the view on them.
inline const std::vector<std::string> kJournalRelations{"users",     "journals",    "tags",
                                                        "reminders", "secret_tags", "journal_feed"};

/// The shipped job that gives them uuids, and its name.
std::filesystem::path integer_to_uuid_job();
inline constexpr const char* kIntegerToUuid = "integer-to-uuid";

/// Makes a database with the five tables: five journals for every user, and the rest in proportion. Trials
/// can be copied from it.
void make_journals(test::PrivateServer& server, const std::string& database, std::int64_t users);

/// Reads, inserts, updates, moves and deletes in all five tables. No statement names a key, so all of them
/// are the same before and after a cut-over; none of them fails by another's doing.
std::string journal_script();

/// `rate` transactions a second of journal_script() until it is stopped.
test::Traffic journal_traffic(const std::string& dsn, std::int64_t users, double rate);

/// References whose row is missing, over the eight foreign keys.
std::int64_t orphans(test::Db& db);

}  // namespace pgsluice::bench
