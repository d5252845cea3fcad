#pragma once

#include <string>
#include <utility>

#include "pg/activity/lock_holders.hpp"
#include "pg/catalog/catalog.hpp"
#include "pg/catalog/storage.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// A table as plan and preflight see it.
struct TableFacts {
  pg::Table table;
  pg::Storage storage;
};

/// Reads them. Sizes need a weak lock: instead of waiting long for an ACCESS EXCLUSIVE lock to end, it throws
/// Failure 55P03. Throws Error(kRefused) if there is no such table.
inline TableFacts read_facts(pg::Session& session, const TableName& name) {
  constexpr pg::TransactionLimits kLookLimits{std::chrono::milliseconds{1'000},
                                              std::chrono::milliseconds{10'000}, true};
  return pg::in_transaction(session, kLookLimits, [&] {
    auto table = pg::read_table(session, name);
    auto storage = pg::read_storage(session, table.oid);
    return TableFacts{std::move(table), std::move(storage)};
  });
}

/// "pid 4711 (…); pid 4712 (…)": who holds the table's locks, for a 55P03.
inline std::string holders_in_words(pg::Session& session, const TableName& name) {
  std::string words;
  for (const auto& holder : pg::lock_holders(session, pg::Identifier(name.schema, name.name).sql())) {
    words += (words.empty() ? "" : "; ") + holder;
  }
  return words;
}

}  // namespace pgsluice::engine
