#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pg/connection/session.hpp"

namespace pgsluice::steps {

/// What the server says of one UPDATE that ran under EXPLAIN (ANALYZE).
struct ExplainedUpdate {
  std::int64_t changed = 0;
  std::int64_t hot = 0;             // of these
  std::optional<double> wal_bytes;  // with images; empty: the server is older than 13
  double page_images = 0;
};

/// Runs an UPDATE of the table (partitions included) in the session's open transaction. Its duration means
/// nothing. Throws Failure.
ExplainedUpdate explained_update(pg::Session& session, std::uint32_t table_oid, const std::string& update_sql,
                                 const pg::Params& params);

}  // namespace pgsluice::steps
